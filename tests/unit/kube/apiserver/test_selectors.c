/* SPDX-License-Identifier: Apache-2.0 */
/* test_selectors.c: which objects a label or field selector takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_read.h"
#include "kube/apiserver/selectors.h"

static struct arena *arena;
static struct kube_object *pod;

static int make_pod(void **state)
{
    (void)state;
    char error[200];
    struct problems problems;
    arena = arena_new(0);
    problems_init(&problems, arena);
    json_t *tree = json_read(
        BYTES("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"namespace\":\"n\",\"labels\":{"
              "\"app\":\"chat\",\"tier\":\"gpu\",\"empty\":\"\",\"example.com/"
              "x\":\"1\"}},\"spec\":{\"nodeName\":\"here\","
              "\"containers\":[{\"name\":\"c\",\"image\":\"i\"}]},\"status\":{\"phase\":\"Running\"}}"),
        error);
    pod = kube_object_decode(tree, &problems);
    json_decref(tree);
    return pod != NULL ? 0 : -1;
}

static int free_pod(void **state)
{
    (void)state;
    kube_object_give_back(pod);
    arena_free(arena);
    return 0;
}

static void label_selectors_take_what_they_describe(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool matches;
    } cases[] = {
        {"", true},
        {" ", true},
        {"app=chat", true},
        {"app==chat", true},
        {"app = chat , tier = gpu", true},
        {"app=other", false},
        {"app!=other", true},
        {"missing!=x", true},
        {"app in (chat,other)", true},
        {"app in (other)", false},
        {"app notin (chat)", false},
        {"missing notin (chat)", true},
        {"app", true},
        {"missing", false},
        {"!missing", true},
        {"!app", false},
        {"empty=", true},
        {"empty in (,x)", true},
        {"example.com/x=1", true},
        {"app=chat,tier in (cpu,gpu),!old", true},
        {"app=chat,tier in (cpu),!old", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct selection selection = {0};
        const char *why = NULL;
        if (!label_selector_parse(cases[i].text, arena, &selection.labels, &why))
            fail_msg("\"%s\": %s", cases[i].text, why);
        if (selection_matches(&selection, pod) != cases[i].matches)
            fail_msg("\"%s\"", cases[i].text);
    }
}

static void broken_label_selectors_are_refused_with_a_sentence(void **state)
{
    (void)state;
    static const char *const texts[] = {"=x",           "app=a b", "app in chat", "app in (chat",
                                        "app in (a;b)", "a,,b",    "!",           "a=b=c"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct selection selection = {0};
        const char *why = NULL;
        if (label_selector_parse(texts[i], arena, &selection.labels, &why))
            fail_msg("\"%s\" was taken", texts[i]);
        assert_non_null(strstr(why, "unable to parse"));
    }
}

static void field_selectors_take_what_they_describe(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool matches;
    } cases[] = {
        {"", true},
        {"metadata.name=p", true},
        {"metadata.name==p,metadata.namespace=n", true},
        {"metadata.name!=p", false},
        {"metadata.name=q", false},
        {"status.phase=Running,spec.nodeName=here", true},
        {"status.phase!=Running", false},
        {"status.podIP=", true},
        {"metadata.name=a\\,b", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct selection selection = {0};
        const char *why = NULL;
        if (!field_selector_parse(cases[i].text, KUBE_POD, arena, &selection, &why))
            fail_msg("\"%s\": %s", cases[i].text, why);
        if (selection_matches(&selection, pod) != cases[i].matches)
            fail_msg("\"%s\"", cases[i].text);
    }
}

static void fields_that_a_kind_has_not_are_refused(void **state)
{
    (void)state;
    struct selection selection = {0};
    const char *why = NULL;
    assert_false(field_selector_parse("spec.bogus=1", KUBE_POD, arena, &selection, &why));
    assert_string_equal(why, "field label not supported: spec.bogus");
    assert_false(field_selector_parse("metadata.namespace=x", KUBE_NAMESPACE, arena, &selection, &why));
    assert_false(field_selector_parse("metadata.name", KUBE_POD, arena, &selection, &why));
    assert_true(field_selector_parse("regarding.name=x", KUBE_EVENT, arena, &selection, &why));
    assert_string_equal(selection.fields[0].path, "involvedObject.name");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(label_selectors_take_what_they_describe),
        cmocka_unit_test(broken_label_selectors_are_refused_with_a_sentence),
        cmocka_unit_test(field_selectors_take_what_they_describe),
        cmocka_unit_test(fields_that_a_kind_has_not_are_refused),
    };
    return cmocka_run_group_tests(tests, make_pod, free_pod);
}
