/* SPDX-License-Identifier: Apache-2.0 */
/* Which templates are the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "control/workloads/template_form.h"

static json_t *form_of_text(const char *text)
{
    json_t *template = json_loads(text, 0, NULL);
    assert_non_null(template);
    json_t *form = template_form(template, "hash");
    json_decref(template);
    return form;
}

static bool are_same(const char *a, const char *b)
{
    json_t *form_a = form_of_text(a), *form_b = form_of_text(b);
    bool is_same = json_equal(form_a, form_b) == 1;
    assert_int_equal(is_same, template_form_hash(form_a, 0) == template_form_hash(form_b, 0));
    json_decref(form_a);
    json_decref(form_b);
    return is_same;
}

static void templates_that_a_go_client_has_written_back_are_the_same(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"{}", "{\"metadata\":{},\"spec\":{}}"},
        {"{\"spec\":{\"containers\":[{\"name\":\"c\"}]}}",
         "{\"spec\":{\"containers\":[{\"name\":\"c\",\"resources\":{},\"command\":[],\"env\":null}]}}"},
        {"{\"spec\":{\"containers\":[{\"env\":[{\"name\":\"A\",\"value\":\"\"}]}]}}",
         "{\"spec\":{\"containers\":[{\"env\":[{\"name\":\"A\"}]}]}}"},
        {"{\"spec\":{\"hostNetwork\":false,\"volumes\":[{\"emptyDir\":{\"sizeLimit\":\"1Gi\"}}]}}",
         "{\"spec\":{\"volumes\":[{\"emptyDir\":{\"sizeLimit\":\"1024Mi\"}}]}}"},
        {"{\"spec\":{\"containers\":[{\"resources\":{\"limits\":{\"cpu\":2,\"x/gpu\":\"1\"}}}]}}",
         "{\"spec\":{\"containers\":[{\"resources\":{\"limits\":{\"cpu\":\"2000m\",\"x/gpu\":1}}}]}}"},
        {"{\"metadata\":{\"labels\":{\"a\":\"b\",\"hash\":\"x\"}}}",
         "{\"metadata\":{\"labels\":{\"a\":\"b\"},\"creationTimestamp\":null,\"annotations\":{}}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        if (!are_same(pairs[i][0], pairs[i][1]))
            fail_msg("%s and %s", pairs[i][0], pairs[i][1]);
}

static void templates_that_differ_are_not(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"{\"metadata\":{\"annotations\":{\"a\":\"\"}}}", "{}"},
        {"{\"metadata\":{\"labels\":{\"a\":\"b\"}}}", "{\"metadata\":{\"labels\":{\"a\":\"c\"}}}"},
        {"{\"spec\":{\"containers\":[{\"image\":\"a\"}]}}", "{\"spec\":{\"containers\":[{\"image\":\"b\"}]}}"},
        {"{\"spec\":{\"containers\":[{\"args\":[\"\",\"a\"]}]}}", "{\"spec\":{\"containers\":[{\"args\":[\"a\"]}]}}"},
        {"{\"spec\":{\"terminationGracePeriodSeconds\":30}}", "{\"spec\":{\"terminationGracePeriodSeconds\":0}}"},
        {"{\"spec\":{\"containers\":[{\"resources\":{\"limits\":{\"cpu\":\"500m\"}}}]}}",
         "{\"spec\":{\"containers\":[{\"resources\":{\"limits\":{\"cpu\":\"400m\"}}}]}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        if (are_same(pairs[i][0], pairs[i][1]))
            fail_msg("%s and %s", pairs[i][0], pairs[i][1]);
}

static void another_seed_gives_another_hash(void **state)
{
    (void)state;
    json_t *form = form_of_text("{}");
    assert_int_equal(template_form_hash(form, 1), template_form_hash(form, 1));
    assert_int_not_equal(template_form_hash(form, 1), template_form_hash(form, 2));
    json_decref(form);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates_that_a_go_client_has_written_back_are_the_same),
        cmocka_unit_test(templates_that_differ_are_not),
        cmocka_unit_test(another_seed_gives_another_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
