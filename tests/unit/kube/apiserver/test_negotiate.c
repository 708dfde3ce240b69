/* SPDX-License-Identifier: Apache-2.0 */
/* test_negotiate.c: Accept fields as clients really send them, and entity tags. */
#include "kube/apiserver/negotiate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/compiler.h"

#define TABLE_RANGE    "application/json;as=Table;v=v1;g=meta.k8s.io"
#define TABLE_BETA     "application/json;as=Table;v=v1beta1;g=meta.k8s.io"
#define DISCOVERY      "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
#define DISCOVERY_BETA "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"

static void the_preferred_form_among_the_offered_is_chosen(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        unsigned offered;
        enum answer_form form;
    } cases[] = {
        {"", OFFER_DISCOVERY, ANSWER_JSON},
        {" , ", OFFER_DISCOVERY, ANSWER_JSON},
        {"*/*", OFFER_DISCOVERY, ANSWER_JSON},
        {"application/json", OFFER_DISCOVERY, ANSWER_JSON},
        {"application/json, */*", 0, ANSWER_JSON},
        {DISCOVERY "," DISCOVERY_BETA ",application/json", OFFER_DISCOVERY, ANSWER_DISCOVERY_V2},
        {DISCOVERY_BETA ",application/json", OFFER_DISCOVERY, ANSWER_DISCOVERY_V2BETA1},
        {DISCOVERY "," DISCOVERY_BETA ",application/json", 0, ANSWER_JSON},
        {TABLE_RANGE "," TABLE_BETA ",application/json", OFFER_LIST_FORMS, ANSWER_TABLE},
        {TABLE_BETA ",application/json", OFFER_LIST_FORMS, ANSWER_JSON},
        {TABLE_RANGE, 0, ANSWER_FORM_COUNT},
        {"application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", OFFER_OBJECT_FORMS, ANSWER_METADATA},
        {"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", OFFER_LIST_FORMS, ANSWER_METADATA_LIST},
        {"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", OFFER_WATCH_FORMS, ANSWER_METADATA_LIST},
        {"application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,"
         "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json",
         OFFER_OBJECT_FORMS, ANSWER_METADATA},
        {"application/vnd.kubernetes.protobuf,application/json", OFFER_OBJECT_FORMS, ANSWER_JSON},
        {"application/vnd.kubernetes.protobuf", OFFER_OBJECT_FORMS, ANSWER_FORM_COUNT},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", OFFER_OBJECT_FORMS, ANSWER_JSON},
        {"application/json;q=0.5, " TABLE_RANGE ";q=0.9", OFFER_LIST_FORMS, ANSWER_TABLE},
        {"application/json, " TABLE_RANGE ";q=0.999", OFFER_LIST_FORMS, ANSWER_JSON},
        {"application/json;q=0", OFFER_LIST_FORMS, ANSWER_FORM_COUNT},
        {"application/json;q=0.000", OFFER_LIST_FORMS, ANSWER_FORM_COUNT},
        {"Application/JSON; charset=utf-8", OFFER_LIST_FORMS, ANSWER_JSON},
        {"application/json;stream=watch", OFFER_WATCH_FORMS, ANSWER_JSON},
        {" application/json ; as=Table ; g=meta.k8s.io ; v=v1 ", OFFER_LIST_FORMS, ANSWER_TABLE},
        {"application/json;as=Table", OFFER_LIST_FORMS, ANSWER_FORM_COUNT},
        {"application/json;as=", OFFER_LIST_FORMS, ANSWER_JSON},
        {";;=;,=,", OFFER_LIST_FORMS, ANSWER_FORM_COUNT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum answer_form form = negotiate(bytes_of(cases[i].accept), cases[i].offered);
        if (form != cases[i].form)
            fail_msg("\"%s\": form %d", cases[i].accept, (int)form);
    }
}

static void aggregated_discovery_names_itself_in_the_content_type(void **state)
{
    (void)state;
    assert_string_equal(answer_content_type(ANSWER_DISCOVERY_V2), DISCOVERY);
    assert_string_equal(answer_content_type(ANSWER_DISCOVERY_V2BETA1), DISCOVERY_BETA);
    assert_string_equal(answer_content_type(ANSWER_TABLE), "application/json");
    assert_string_equal(answer_content_type(ANSWER_JSON), "application/json");
}

static void a_tag_follows_the_body_and_is_found_in_a_list(void **state)
{
    (void)state;
    struct entity_tag tag = entity_tag_of(BYTES("{}")), other = entity_tag_of(BYTES("{} "));
    struct entity_tag empty = entity_tag_of(BYTES(""));
    char list[64];
    assert_string_equal(tag.text, entity_tag_of(BYTES("{}")).text);
    assert_string_not_equal(tag.text, other.text);
    assert_string_not_equal(tag.text, empty.text);
    assert_int_equal(strlen(tag.text), 18);
    assert_true(entity_tag_matches(&tag, bytes_of(tag.text)));
    assert_false(entity_tag_matches(&tag, bytes_of(other.text)));
    assert_false(entity_tag_matches(&tag, BYTES("")));
    assert_true(entity_tag_matches(&tag, BYTES("*")));
    snprintf(list, sizeof list, "%s, W/%s", other.text, tag.text);
    assert_true(entity_tag_matches(&tag, bytes_of(list)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_preferred_form_among_the_offered_is_chosen),
        cmocka_unit_test(aggregated_discovery_names_itself_in_the_content_type),
        cmocka_unit_test(a_tag_follows_the_body_and_is_found_in_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
