/* SPDX-License-Identifier: Apache-2.0 */
/* Canary objects as texts: a status in, the text out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/canary_text.h"

/* 2026-01-02T03:04:05Z and 4m32s later. */
#define CREATED "2026-01-02T03:04:05Z"
#define NOW_MS  (INT64_C(1767323045000) + 272000)

/* JSON with single quotes for double ones. */
static json_t *tree_of(const char *text)
{
    char copy[8192];
    json_error_t error;
    assert_true(strlen(text) < sizeof copy);
    strcpy(copy, text);
    for (char *c = copy; *c != '\0'; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *tree = json_loads(copy, 0, &error);
    if (tree == NULL)
        print_error("%s\n", error.text);
    assert_non_null(tree);
    return tree;
}

#define HEAD                                                                                                           \
    "{'apiVersion':'serin.dev/v1alpha1','kind':'Canary','metadata':{'name':'chat','namespace':'default',"              \
    "'generation':2,'creationTimestamp':'" CREATED "'},"
#define SPEC(more) "'spec':{'targetRef':{'kind':'HTTPRoute','name':'chat'},'stable':'blue','canary':'green'" more "}"
#define STEPS                                                                                                          \
    ",'steps':[{'weight':5},{'weight':25,'hold':'10m'},{'weight':50,'hold':{'requests':1000}},"                        \
    "{'weight':75,'hold':{'approval':true}}]"

static const char whole[] = HEAD SPEC(
    STEPS) ",'status':{"
           "'observedGeneration':2,'phase':'Progressing','reason':'HoldTime','message':'2m of 10m are left',"
           "'step':{'index':2,'count':4,'weightPercent':25},"
           "'share':{'targetPercent':25,'requestsPercent':24.8,'tokensPercent':23.125},"
           "'arms':[{'role':'stable','name':'blue','weightPercent':75,'inFlight':12,'requests':1234,'requestsPerSecond'"
           ":4.11,"
           "'errorPercent':0.1,'ttftP50Ms':80.25,'ttftP95Ms':412,'tpotMs':12.5,'promptTokens':1234567,'cachedTokens':"
           "45000,"
           "'outputTokens':99999},"
           "{'role':'canary','name':'green','weightPercent':25,'inFlight':3,'requestsPerSecond':120.4,'ttftP95Ms':"
           "12345}],"
           "'verdict':{'result':'inconclusive','guard':'ttft p95','reason':'ttft p95 is not known to be within its "
           "limit'},"
           "'guards':[{'name':'errorRate','severity':'rollback','stable':'0.10 %','canary':'0.00 %','limit':'0.60 %',"
           "'verdict':'pass'},{'name':'ttft p95','severity':'hold','verdict':'inconclusive'}],"
           "'excluded':{'cancelled':3,'clientErrors':2,'retried':1},"
           "'history':[{'time':'2026-01-02T03:05:00Z','event':'StepBegun','message':'step 1','weightPercent':5},"
           "{'time':'2026-01-02T03:06:00Z','event':'StepPassed','message':'within\\nall guards','weightPercent':5}]}}";

static void expect_text(struct buffer *out, const char *text)
{
    buffer_append_char(out, '\0');
    assert_string_equal(buffer_bytes(out).data, text);
    buffer_deinit(out);
}

static void expect_show(const char *object, size_t columns, const char *text)
{
    struct buffer out = {0};
    json_t *canary = tree_of(object);
    canary_text_show(canary, columns, &out);
    json_decref(canary);
    expect_text(&out, text);
}

static void the_whole_picture_has_everything(void **state)
{
    (void)state;
    expect_show(whole, 0,
                "Canary:   default/chat\n"
                "Target:   HTTPRoute/chat\n"
                "Phase:    Progressing, step 2/4\n"
                "Share:    25% wanted; 24.8% of requests, 23.13% of tokens achieved\n"
                "Verdict:  inconclusive: ttft p95 is not known to be within its limit\n"
                "Next:     50% when it was held for 10m and the verdict is pass\n"
                "Waits:    HoldTime: 2m of 10m are left\n"
                "\n"
                "ARM      NAME    WANTED   ACHIEVED   REQ/S   TTFT P50   TTFT P95   TPOT     ERRORS   TOKENS IN   "
                "CACHED   TOKENS OUT   IN FLIGHT\n"
                "stable   blue    75%      75.2%      4.11    80.2ms     412ms      12.5ms   0.1%     1.2M        "
                "45000    99999        12\n"
                "canary   green   25%      24.8%      120     -          12.3s      -        -        -           "
                "-        -            3\n"
                "\n"
                "GUARD       SEVERITY   STABLE   CANARY   LIMIT    VERDICT\n"
                "errorRate   rollback   0.10 %   0.00 %   0.60 %   pass\n"
                "ttft p95    hold       -        -        -        inconclusive\n"
                "\n"
                "Not judged: 3 cancelled, 2 client errors, - without the adapter, - warm-up, 1 retried\n");
}

static void overflow_is_told(void **state)
{
    (void)state;
    struct buffer out = {0};
    json_t *canary = tree_of(HEAD SPEC("") ",'status':{'arms':[{'role':'stable'},{'role':'canary','overflowed':12}]}}");
    canary_text_show(canary, 0, &out);
    json_decref(canary);
    buffer_append_char(&out, '\0');
    assert_non_null(strstr((const char *)buffer_bytes(&out).data,
                           "\nOverflow: 12 requests went to stable: the canary was saturated\n"));
    buffer_deinit(&out);
}

static void prices_make_a_column(void **state)
{
    (void)state;
    struct buffer out = {0};
    json_t *canary = tree_of(HEAD SPEC(",'prices':{}") ",'status':{'arms':[{'role':'stable','costPerAnswer':0.00123},"
                                                       "{'role':'canary'}]}}");
    canary_text_show(canary, 0, &out);
    json_decref(canary);
    buffer_append_char(&out, '\0');
    assert_non_null(strstr((const char *)buffer_bytes(&out).data, "   COST/ANSWER\n"));
    assert_non_null(strstr((const char *)buffer_bytes(&out).data, "   0.001230\n"));
    buffer_deinit(&out);
}

static void pins_are_told_where_somebody_asked_for_them(void **state)
{
    (void)state;
    struct buffer out = {0};
    json_t *canary = tree_of(HEAD SPEC("") ",'status':{'conditions':[{'type':'Healthy','message':'fine'},"
                                           "{'type':'PinsReady','message':'no pin counts: no Secret'}]}}");
    canary_text_show(canary, 0, &out);
    json_decref(canary);
    buffer_append_char(&out, '\0');
    assert_non_null(strstr((const char *)buffer_bytes(&out).data, "\nPins:     no pin counts: no Secret\n"));
    buffer_deinit(&out);
}

static void what_is_not_known_is_a_dash(void **state)
{
    (void)state;
    static const char arms[] = "ARM          stable   canary\nNAME         blue     green\nWANTED       -        -\n";
    struct buffer out = {0};
    json_t *canary = tree_of(HEAD SPEC("") "}");
    canary_text_show(canary, 80, &out);
    json_decref(canary);
    buffer_append_char(&out, '\0');
    assert_non_null(
        strstr(buffer_bytes(&out).data, "Phase:    -\nShare:    -\nVerdict:  -\nNext:     -\nWaits:    -\n"));
    assert_non_null(strstr(buffer_bytes(&out).data, arms));
    buffer_deinit(&out);
    expect_show("{}", 80,
                "Canary:   -\nTarget:   -\nPhase:    -\nShare:    -\nVerdict:  -\nNext:     -\nWaits:    -\n\n"
                "ARM          stable   canary\nNAME         -        -\nWANTED       -        -\n"
                "ACHIEVED     -        -\nREQ/S        -        -\nTTFT P50     -        -\nTTFT P95     -        -\n"
                "TPOT         -        -\nERRORS       -        -\nTOKENS IN    -        -\nCACHED       -        -\n"
                "TOKENS OUT   -        -\nIN FLIGHT    -        -\n");
}

static void expect_next(const char *object, const char *next)
{
    struct buffer out = {0};
    json_t *canary = tree_of(object);
    canary_text_show(canary, 0, &out);
    json_decref(canary);
    buffer_append_char(&out, '\0');
    const char *line = strstr(buffer_bytes(&out).data, "Next:     ");
    assert_non_null(line);
    line += strlen("Next:     ");
    size_t len = strcspn(line, "\n");
    if (len != strlen(next) || strncmp(line, next, len) != 0)
        print_error("%.*s instead of %s\n", (int)len, line, next);
    assert_true(len == strlen(next) && strncmp(line, next, len) == 0);
    buffer_deinit(&out);
}

#define AT(steps, index, phase)                                                                                        \
    HEAD SPEC(steps) ",'status':{'phase':'" phase "','step':{'index':" #index ",'count':4}}}"

static void the_next_step_is_told_with_what_it_takes(void **state)
{
    (void)state;
    expect_next(AT(STEPS, 0, "WarmingUp"), "5% when it is warm");
    expect_next(AT(STEPS, 1, "Progressing"), "25% when it was held for 5m and the verdict is pass");
    expect_next(AT(STEPS, 3, "Progressing"), "75% when 1000 requests were judged and the verdict is pass");
    expect_next(AT(STEPS, 4, "Progressing"), "100% when somebody promotes it and the verdict is pass");
    expect_next(AT(STEPS, 5, "Progressing"), "-");
    expect_next(AT(STEPS, 2, "RollingBack"), "-");
    expect_next(AT(STEPS, 4, "Completed"), "-");
    expect_next(AT(STEPS ",'analysis':{'enabled':false}", 2, "Paused"), "50% when it was held for 10m");
    expect_next(AT("", 1, "Progressing"), "5% when it was held for 5m and the verdict is pass");
    expect_next(AT(",'steps':7", 1, "Progressing"), "-");
}

static void a_list_has_a_line_for_each(void **state)
{
    (void)state;
    struct buffer out = {0};
    json_t *one = tree_of(whole), *two = tree_of("{'metadata':{'name':'b'},'spec':{'targetRef':{'name':'x'}}}");
    json_t *items = json_pack("[o, o]", one, two);
    canary_text_list(items, false, NOW_MS, &out);
    expect_text(&out,
                "NAME   TARGET           PHASE         STEP   WEIGHT   ACHIEVED   VERDICT        REASON     AGE\n"
                "chat   HTTPRoute/chat   Progressing   2/4    25%      24.8%      inconclusive   HoldTime   4m32s\n"
                "b      /x               -             -      -        -          -              -          "
                "<unknown>\n");
    canary_text_list(items, true, NOW_MS, &out);
    assert_true(bytes_starts_with(buffer_bytes(&out), BYTES("NAMESPACE   NAME   TARGET")));
    buffer_deinit(&out);
    json_decref(items);
}

static void history_shows_the_latest(void **state)
{
    (void)state;
    struct buffer out = {0};
    json_t *canary = tree_of(whole);
    canary_text_history(canary, 10, &out);
    expect_text(&out, "TIME                   EVENT        WEIGHT   MESSAGE\n"
                      "2026-01-02T03:05:00Z   StepBegun    5%       step 1\n"
                      "2026-01-02T03:06:00Z   StepPassed   5%       within all guards\n");
    canary_text_history(canary, 1, &out);
    expect_text(&out, "TIME                   EVENT        WEIGHT   MESSAGE\n"
                      "2026-01-02T03:06:00Z   StepPassed   5%       within all guards\n");
    json_decref(canary);
}

static void a_line_says_where_it_is_and_why_it_waits(void **state)
{
    (void)state;
    struct buffer out = {0};
    json_t *canary = tree_of(whole), *empty = json_object();
    canary_text_line(canary, &out);
    expect_text(&out,
                "Progressing step 2/4 weight 25% achieved 24.8% verdict inconclusive | HoldTime: 2m of 10m are left");
    canary_text_line(empty, &out);
    expect_text(&out, "- step - weight - achieved - verdict -");
    json_decref(canary);
    json_decref(empty);
}

static bool is_change(const char *path, const char *member, json_t *value)
{
    struct buffer before = {0}, after = {0};
    json_t *canary = tree_of(whole);
    json_t *status = json_object_get(canary, "status");
    canary_text_key(canary, &before);
    json_object_set_new(path != NULL ? json_object_get(status, path) : status, member, value);
    canary_text_key(canary, &after);
    bool is_same = bytes_equal(buffer_bytes(&before), buffer_bytes(&after));
    buffer_deinit(&before);
    buffer_deinit(&after);
    json_decref(canary);
    return !is_same;
}

static void only_what_happened_counts_as_a_change(void **state)
{
    (void)state;
    assert_true(is_change(NULL, "phase", json_string("Paused")));
    assert_true(is_change(NULL, "reason", json_string("NoData")));
    assert_true(is_change("step", "index", json_integer(3)));
    assert_true(is_change("share", "targetPercent", json_integer(50)));
    assert_true(is_change("verdict", "result", json_string("pass")));
    assert_false(is_change(NULL, "message", json_string("1m of 10m are left")));
    assert_false(is_change("share", "requestsPercent", json_real(25.3)));
}

static void the_end_is_won_or_lost_and_about_this_spec(void **state)
{
    (void)state;
    static const struct {
        const char *phase;
        enum canary_end end;
    } ends[] = {{"Pending", CANARY_RUNS},  {"Paused", CANARY_RUNS},       {"RollingBack", CANARY_RUNS},
                {"Completed", CANARY_WON}, {"RolledBack", CANARY_LOST},   {"Aborted", CANARY_LOST},
                {"Failed", CANARY_LOST},   {"SomethingNew", CANARY_RUNS}, {"", CANARY_RUNS}};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        json_t *canary = tree_of(whole);
        json_t *status = json_object_get(canary, "status");
        json_object_set_new(status, "phase", json_string(ends[i].phase));
        assert_int_equal(canary_text_end(canary), ends[i].end);
        json_object_set_new(status, "observedGeneration", json_integer(1));
        assert_int_equal(canary_text_end(canary), CANARY_RUNS);
        json_object_del(status, "observedGeneration");
        assert_int_equal(canary_text_end(canary), ends[i].end);
        json_decref(canary);
    }
}

static void numbers_that_are_none_are_dashes(void **state)
{
    (void)state;
    expect_next(HEAD SPEC(STEPS) ",'status':{'step':{'index':1e99,'count':-4}}}", "-");
    struct buffer out = {0};
    json_t *canary = tree_of(HEAD SPEC("") ",'status':{'share':{'targetPercent':-1,'requestsPercent':1e300},"
                                           "'step':{'index':'1','count':true}}}");
    canary_text_line(canary, &out);
    expect_text(&out, "- step - weight - achieved - verdict -");
    json_decref(canary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_picture_has_everything),
        cmocka_unit_test(overflow_is_told),
        cmocka_unit_test(prices_make_a_column),
        cmocka_unit_test(pins_are_told_where_somebody_asked_for_them),
        cmocka_unit_test(what_is_not_known_is_a_dash),
        cmocka_unit_test(the_next_step_is_told_with_what_it_takes),
        cmocka_unit_test(a_list_has_a_line_for_each),
        cmocka_unit_test(history_shows_the_latest),
        cmocka_unit_test(a_line_says_where_it_is_and_why_it_waits),
        cmocka_unit_test(only_what_happened_counts_as_a_change),
        cmocka_unit_test(the_end_is_won_or_lost_and_about_this_spec),
        cmocka_unit_test(numbers_that_are_none_are_dashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
