/* SPDX-License-Identifier: Apache-2.0 */
/* test_protobuf.c: whole request bodies.
 *
 * The vectors are bodies that others wrote, in fuzz/corpus/protobuf, each with the JSON that it must become, in
 * tests/unit/kube/protobuf/data.  kubectl-*: recorded from kubectl 1.32.5.  The others: written by the Go client's
 * encoder for Kubernetes 1.37, the JSON by Go's from the same bytes, without nulls and hollow statuses; KIND-full has
 * every field of the kind with a value (the pods inside Deployment and ReplicaSet are small), KIND-zero has every field
 * with "", 0 or false, which shows what JSON omits. */
#include "unit/kube/protobuf/support.h"

#include <stdio.h>
#include <stdlib.h>

#include "kube/protobuf/protobuf.h"

static const char *const vectors[] = {
    "config-map-full",
    "config-map-zero",
    "core-event-full",
    "core-event-zero",
    "delete-options-full",
    "delete-options-zero",
    "deployment-full",
    "deployment-zero",
    "endpoint-slice-full",
    "endpoint-slice-zero",
    "endpoints-full",
    "endpoints-zero",
    "event-full",
    "event-zero",
    "kubectl-auth-can-i",
    "kubectl-auth-can-i-list",
    "kubectl-auth-can-i-url",
    "kubectl-auth-whoami",
    "kubectl-create-configmap",
    "kubectl-create-deployment",
    "kubectl-create-deployment-with-command",
    "kubectl-create-namespace",
    "kubectl-create-secret-generic",
    "kubectl-create-service-clusterip",
    "kubectl-create-service-externalname",
    "kubectl-create-service-headless",
    "kubectl-create-service-nodeport",
    "kubectl-create-serviceaccount",
    "lease-full",
    "lease-zero",
    "namespace-full",
    "namespace-zero",
    "pod-full",
    "pod-zero",
    "replica-set-full",
    "replica-set-zero",
    "scale-full",
    "scale-zero",
    "secret-full",
    "secret-zero",
    "self-subject-access-review-full",
    "self-subject-access-review-zero",
    "self-subject-review-full",
    "self-subject-review-zero",
    "self-subject-rules-review-full",
    "self-subject-rules-review-zero",
    "service-account-full",
    "service-account-zero",
    "service-full",
    "service-zero",
};

static void read_vector(const char *name, struct buffer *out)
{
    char path[200];
    snprintf(path, sizeof path, "fuzz/corpus/protobuf/%s", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s is missing", path);
    for (size_t got = 1; got > 0;) {
        got = fread(buffer_reserve(out, 4096), 1, 4096, file);
        buffer_commit(out, got);
    }
    fclose(file);
}

static json_t *read_expected(const char *name)
{
    char path[200];
    json_error_t error;
    snprintf(path, sizeof path, "tests/unit/kube/protobuf/data/%s.json", name);
    json_t *expected = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (expected == NULL)
        fail_msg("%s: %s", path, error.text);
    return expected;
}

static void bodies_become_the_json_that_go_prints(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        struct buffer body = {0};
        char error[200] = "";
        read_vector(vectors[i], &body);
        json_t *expected = read_expected(vectors[i]);
        json_t *object = protobuf_decode(buffer_bytes(&body), error);
        if (object == NULL)
            fail_msg("%s: %s", vectors[i], error);
        if (!json_equal(object, expected))
            fail_msg("%s: another JSON than the expected:\n%s", vectors[i], json_dumps(object, JSON_SORT_KEYS));
        json_decref(object);
        json_decref(expected);
        buffer_deinit(&body);
    }
}

/* Decodes a copy of exactly this size, so that AddressSanitizer sees a read past the end. */
static json_t *decode_exact(struct bytes body, char error[200])
{
    char *copy = must(malloc(body.len > 0 ? body.len : 1));
    memcpy(copy, body.data, body.len);
    json_t *object = protobuf_decode(bytes_make(copy, body.len), error);
    free(copy);
    return object;
}

static void a_body_cut_anywhere_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        struct buffer body = {0};
        read_vector(vectors[i], &body);
        size_t decoded = 0;
        for (size_t len = 0; len < buffer_len(&body); len++) {
            char error[200] = "";
            json_t *object = decode_exact(bytes_make(buffer_bytes(&body).data, len), error);
            assert_true((object == NULL) == (error[0] != '\0'));
            decoded += object != NULL;
            json_decref(object);
        }
        /* The envelope may end before the object, or before the two empty fields that Go writes after it. */
        assert_in_range(decoded, 1, 3);
        buffer_deinit(&body);
    }
}

/* The bytes of field 2 of the envelope; Go writes the fields in order. */
static struct bytes object_of(struct bytes body)
{
    size_t at = 4 + 2 + (unsigned char)body.data[5] + 1, len = 0;
    assert_int_equal(body.data[at - 1], 0x12);
    for (unsigned shift = 0;; shift += 7) {
        unsigned char byte = (unsigned char)body.data[at++];
        len |= (size_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return bytes_make(body.data + at, len);
    }
}

static void an_object_cut_anywhere_is_an_error_or_a_part(void **state)
{
    (void)state;
    struct buffer vector = {0};
    read_vector("pod-full", &vector);
    struct bytes object = object_of(buffer_bytes(&vector));
    size_t refused = 0;
    for (size_t len = 0; len < object.len; len++) {
        struct buffer body = {0};
        char error[200] = "";
        put_body(&body, "v1", "Pod", bytes_make(object.data, len));
        json_t *part = decode_exact(buffer_bytes(&body), error);
        assert_true((part == NULL) == (error[0] != '\0'));
        refused += part == NULL;
        json_decref(part);
        buffer_deinit(&body);
    }
    /* The parts: nothing, and what ends after metadata or spec. */
    assert_int_equal(object.len - refused, 3);
    buffer_deinit(&vector);
}

static void one_wrong_byte_never_crashes(void **state)
{
    (void)state;
    struct buffer vector = {0};
    read_vector("service-full", &vector);
    for (size_t at = 0; at < buffer_len(&vector); at++) {
        for (unsigned flip = 1; flip < 256; flip <<= 1) {
            char error[200] = "";
            vector.data[vector.head + at] ^= (char)flip;
            json_t *object = decode_exact(buffer_bytes(&vector), error);
            assert_true((object == NULL) == (error[0] != '\0'));
            json_decref(object);
            vector.data[vector.head + at] ^= (char)flip;
        }
    }
    buffer_deinit(&vector);
}

static void an_unfilled_status_is_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *kind;
        struct bytes object;
        const char *expected;
    } cases[] = {
        {"Service", BYTES("\x1a\x02\x0a\x00"), "{\"apiVersion\":\"v1\",\"kind\":\"Service\"}"},
        {"Service", BYTES("\x1a\x00\x12\x00"), "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"spec\":{}}"},
        {"Namespace", BYTES("\x1a\x03\x0a\x01x"),
         "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"status\":{\"phase\":\"x\"}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buffer body = {0};
        char error[200] = "";
        put_body(&body, "v1", cases[i].kind, cases[i].object);
        json_t *object = protobuf_decode(buffer_bytes(&body), error);
        json_t *expected = json_loads(cases[i].expected, 0, NULL);
        assert_true(object != NULL && json_equal(object, expected));
        json_decref(object);
        json_decref(expected);
        buffer_deinit(&body);
    }
}

static void delete_options_come_under_any_group(void **state)
{
    (void)state;
    static const char *const versions[] = {"v1", "apps/v1", "meta.k8s.io/v1", "gateway.networking.k8s.io/v1"};
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct buffer body = {0};
        char error[200] = "";
        put_body(&body, versions[i], "DeleteOptions",
                 BYTES("\x22\x0a"
                       "Background"));
        json_t *object = protobuf_decode(buffer_bytes(&body), error);
        assert_string_equal(json_string_value(json_object_get(object, "apiVersion")), versions[i]);
        assert_string_equal(json_string_value(json_object_get(object, "propagationPolicy")), "Background");
        json_decref(object);
        buffer_deinit(&body);
    }
}

static void what_is_no_such_body_is_refused_in_words(void **state)
{
    (void)state;
    static const struct {
        struct bytes body;
        const char *error;
    } cases[] = {
        {BYTES(""), "not a Kubernetes protobuf body: it does not start with \"k8s\" and a NUL"},
        {{NULL, 0}, "not a Kubernetes protobuf body: it does not start with \"k8s\" and a NUL"},
        {BYTES("{\"kind\":\"Pod\"}"), "not a Kubernetes protobuf body: it does not start with \"k8s\" and a NUL"},
        {BYTES("k8s"), "not a Kubernetes protobuf body: it does not start with \"k8s\" and a NUL"},
        {BYTES("k8s\x01"), "not a Kubernetes protobuf body: it does not start with \"k8s\" and a NUL"},
        {BYTES("k8s\0"), "cannot read protobuf: the envelope names no apiVersion and kind"},
        {BYTES("k8s\0\x0a\x00"), "cannot read protobuf: the envelope names no apiVersion and kind"},
        {BYTES("k8s\0\x0a\x05\x12\x03Pod"), "cannot read protobuf: the envelope names no apiVersion and kind"},
        {BYTES("k8s\0\x0a\x08\x0a\x01\xff\x12\x03Pod"),
         "cannot read protobuf: the envelope names no apiVersion and kind"},
        {BYTES("k8s\0\x0a\x09\x0a\x02v1\x12\x03P\nd"),
         "cannot read protobuf: the envelope names no apiVersion and kind"},
        {BYTES("k8s\0\x0a\x0a\x0a\x02v1\x12\x04Node"), "Node of v1 is not read from protobuf here; send JSON"},
        {BYTES("k8s\0\x0a\x0e\x0a\x07"
               "apps/v1\x12\x03Pod"),
         "Pod of apps/v1 is not read from protobuf here; send JSON"},
        {BYTES("k8s\0\x08\x01"), "cannot read protobuf: the wrong wire type in the envelope"},
        {BYTES("k8s\0\x0a\x02\x08\x01"), "cannot read protobuf: the wrong wire type in the envelope"},
        {BYTES("k8s\0\x0a\x0a\x0a"), "cannot read protobuf: the end in the middle of a field in the envelope"},
        {BYTES("k8s\0\x0a\x0f\x0a\x02v1\x12\x09Namespace\x1a\x04gzip"),
         "cannot read protobuf: an object that is encoded once more in the envelope"},
        {BYTES("k8s\0\x0a\x0f\x0a\x02v1\x12\x09Namespace\x22\x10"
               "application/json"),
         "cannot read protobuf: an object that is encoded once more in the envelope"},
        {BYTES("k8s\0\x0a\x0f\x0a\x02v1\x12\x09Namespace\x12\x02\x0a\x05"),
         "cannot read protobuf: the end in the middle of a field at byte 23"},
        {BYTES("k8s\0\x0a\x0f\x0a\x02v1\x12\x09Namespace\x12\x05\x0a\x03\x0a\x01\x00"),
         "cannot read protobuf: a text with a NUL at byte 25, in metadata.name"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char error[200] = "";
        assert_null(protobuf_decode(cases[i].body, error));
        assert_string_equal(error, cases[i].error);
    }
}

static void names_too_long_to_quote_are_not_quoted(void **state)
{
    (void)state;
    struct buffer body = {0};
    char error[200] = "", kind[400];
    memset(kind, 'K', sizeof kind);
    kind[sizeof kind - 1] = '\0';
    put_body(&body, "v1", kind, BYTES(""));
    assert_null(protobuf_decode(buffer_bytes(&body), error));
    assert_string_equal(error, "cannot read protobuf: the envelope names no apiVersion and kind");
    buffer_deinit(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_become_the_json_that_go_prints),
        cmocka_unit_test(a_body_cut_anywhere_is_an_error),
        cmocka_unit_test(an_object_cut_anywhere_is_an_error_or_a_part),
        cmocka_unit_test(one_wrong_byte_never_crashes),
        cmocka_unit_test(an_unfilled_status_is_left_out),
        cmocka_unit_test(delete_options_come_under_any_group),
        cmocka_unit_test(what_is_no_such_body_is_refused_in_words),
        cmocka_unit_test(names_too_long_to_quote_are_not_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
