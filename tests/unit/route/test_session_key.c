/* SPDX-License-Identifier: Apache-2.0 */
/* test_session_key.c: where the key of a sticky draw comes from, and who may pin. */
#include "fixture.h"

#include "base/compiler.h"

static const struct stickiness defaults = {.header = {"", 0}, .cookie = {"", 0}, .default_keys = true};

static struct session_key find(struct fixture *fixture, const struct stickiness *stickiness, const struct turn *turn)
{
    struct split_request request = fixture_turn(fixture, turn);
    return session_key_find(stickiness, &request.facts);
}

struct key_case {
    const char *headers[4];
    const char *body;
    const char *key;
    const char *name; /* where it stands */
};

static const struct key_case cases[] = {
    {{0}, "{}", "", ""},
    {{"x-claude-code-session-id=a"}, "{}", "a", "x-claude-code-session-id"},
    {{"session-id=a"}, "{}", "a", "session-id"},
    {{"session_id=a"}, "{}", "a", "session_id"},
    {{"x-session-id=a"}, "{}", "a", "x-session-id"},
    {{"x-session-affinity=a"}, "{}", "a", "x-session-affinity"},
    /* the order of the chain, not that of the fields */
    {{"x-session-id=b", "session-id=a"}, "{}", "a", "session-id"},
    {{"x-session-affinity=b", "x-session-id=a"}, "{\"prompt_cache_key\":\"c\"}", "a", "x-session-id"},
    /* an empty field is none */
    {{"x-session-id=", "x-session-affinity=a"}, "{}", "a", "x-session-affinity"},
    {{"x-session-id="}, "{\"prompt_cache_key\":\"c\"}", "c", "prompt_cache_key"},
    {{0}, "{\"conversation\":\"k\"}", "k", "conversation"},
    {{0}, "{\"conversation\":{\"id\":\"k\"}}", "k", "conversation"},
    {{0}, "{\"conversation\":\"k\",\"prompt_cache_key\":\"c\"}", "c", "prompt_cache_key"},
    {{0}, "{\"previous_response_id\":\"r\",\"conversation\":\"k\"}", "k", "conversation"},
    {{0}, "{\"metadata\":{\"session_id\":\"s\"},\"previous_response_id\":\"r\"}", "r", "previous_response_id"},
    {{0}, "{\"metadata\":{\"session_id\":\"s\"}}", "s", "metadata.session_id"},
    /* names a person, a caller or a text, not a session: only when asked for */
    {{0}, "{\"user\":\"u\",\"safety_identifier\":\"i\"}", "", ""},
    {{"authorization=Bearer x", "cookie=session-id=1", "x-api-key=k"}, "{}", "", ""},
    {{0}, "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}", "", ""},
};

static void the_chain_finds_the_first_explicit_key(void **state)
{
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct turn turn = {.body = cases[i].body};
        memcpy(turn.headers, cases[i].headers, sizeof turn.headers);
        struct session_key key = find(*state, &defaults, &turn);
        if (!bytes_equal_str(key.text, cases[i].key) || (key.reason == DRAW_KEYLESS) != (cases[i].key[0] == '\0') ||
            (key.text.len > 0 && strcmp(key.name, cases[i].name) != 0))
            fail_msg("case %u: %.*s", i, BYTES_ARG(key.text));
    }
}

static void the_operators_header_and_cookie_go_first(void **state)
{
    struct stickiness own = defaults;
    own.header = BYTES("x-user");
    own.cookie = BYTES("sid");
    struct session_key key =
        find(*state, &own, &(struct turn){.headers = {"x-session-id=s", "cookie=a=1; sid=c; b=2", "x-user=u"}});
    assert_int_equal(key.reason, DRAW_HEADER);
    assert_true(bytes_equal_str(key.text, "u"));
    key = find(*state, &own, &(struct turn){.headers = {"x-session-id=s", "cookie=a=1; sid=c; b=2"}});
    assert_int_equal(key.reason, DRAW_COOKIE);
    assert_true(bytes_equal_str(key.text, "c"));
    key = find(*state, &own, &(struct turn){.headers = {"x-session-id=s", "cookie=xsid=c;sid;sidx=1;=2"}});
    assert_true(bytes_equal_str(key.text, "s"));
}

static void default_keys_can_be_left_out(void **state)
{
    struct stickiness own = defaults;
    own.default_keys = false;
    struct turn turn = {.headers = {"x-session-id=s"}, .body = "{\"conversation\":\"k\",\"user\":\"u\"}"};
    assert_int_equal(find(*state, &own, &turn).reason, DRAW_KEYLESS);
    own.user = true;
    assert_true(bytes_equal_str(find(*state, &own, &turn).text, "u"));
    turn.body = "{\"safety_identifier\":\"i\"}";
    assert_true(bytes_equal_str(find(*state, &own, &turn).text, "i"));
}

static void api_keys_and_prompts_are_hashed(void **state)
{
    struct stickiness own = defaults;
    own.api_key = true;
    struct session_key key = find(*state, &own, &(struct turn){.headers = {"authorization=Bearer very-secret"}});
    assert_int_equal(key.reason, DRAW_API_KEY);
    assert_int_equal(key.text.len, 16);
    struct session_key other = find(*state, &own, &(struct turn){.headers = {"x-api-key=very-secret"}});
    assert_int_equal(other.reason, DRAW_API_KEY);
    assert_false(bytes_equal(key.text, other.text));
    own.derived_key = true;
    const char *first = "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}";
    const char *later = "{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"a\"},"
                        "{\"role\":\"assistant\",\"content\":\"b\"},{\"role\":\"user\",\"content\":\"c\"}]}";
    key = find(*state, &own, &(struct turn){.body = first});
    assert_int_equal(key.reason, DRAW_DERIVED);
    assert_true(bytes_equal(key.text, find(*state, &own, &(struct turn){.body = later}).text));
    /* the API key goes first */
    assert_int_equal(find(*state, &own, &(struct turn){.headers = {"x-api-key=k"}, .body = first}).reason,
                     DRAW_API_KEY);
}

static void a_long_key_counts_the_same_in_a_header_and_in_the_body(void **state)
{
    char text[SCAN_KEY_BYTES + 100], body[SCAN_KEY_BYTES + 200], header[SCAN_KEY_BYTES + 200];
    memset(text, 'k', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    snprintf(body, sizeof body, "{\"prompt_cache_key\":\"%s\"}", text);
    snprintf(header, sizeof header, "x-session-id=%s", text);
    struct session_key in_body = find(*state, &defaults, &(struct turn){.body = body});
    struct session_key in_header = find(*state, &defaults, &(struct turn){.headers = {header}});
    assert_true(bytes_equal(in_body.text, in_header.text));
}

static void a_response_is_named_by_the_body_or_the_path(void **state)
{
    static const struct {
        const char *path, *body, *id;
    } named[] = {
        {"/v1/responses", "{}", ""},
        {"/v1/responses/", "{}", ""},
        {"/v1/responses/resp_1", "", "resp_1"},
        {"/v1/responses/resp_1/cancel", "{}", "resp_1"},
        {"/responses/resp_1", "", "resp_1"},
        {"/v1/responsesx/resp_1", "", ""},
        {"/v1/responses", "{\"previous_response_id\":\"resp_2\"}", "resp_2"},
        {"/v1/chat/completions", "", ""},
    };
    for (unsigned i = 0; i < ARRAY_LEN(named); i++) {
        struct split_request request =
            fixture_turn(*state, &(struct turn){.path = named[i].path, .body = named[i].body});
        struct bytes id = session_response_id(&request.facts);
        if (!bytes_equal_str(id, named[i].id))
            fail_msg("%s: %.*s", named[i].path, BYTES_ARG(id));
    }
    assert_true(session_makes_response(BYTES("/v1/responses")));
    assert_false(session_makes_response(BYTES("/v1/responses/resp_1/cancel")));
    assert_false(session_makes_response(BYTES("/v1/chat/completions")));
}

static void a_pin_needs_the_token(void **state)
{
    static const struct {
        const char *value;
        enum arm_role role;
        bool is_refused;
    } pins[] = {
        {"canary s3cret", ARM_CANARY, false},
        {"stable s3cret", ARM_STABLE, false},
        {"Canary  s3cret ", ARM_CANARY, false},
        {"", ARM_ROLES, false},
        {"canary", ARM_ROLES, true},
        {"canary ", ARM_ROLES, true},
        {"canary s3creT", ARM_ROLES, true},
        {"canary s3cret2", ARM_ROLES, true},
        {"s3cret", ARM_ROLES, true},
        {"other s3cret", ARM_ROLES, true},
        {" s3cret", ARM_ROLES, true},
    };
    struct stickiness own = defaults;
    own.pin = (struct pin_rule){.header = {"x-pin", 5}, .token = {"s3cret", 6}};
    for (unsigned i = 0; i < ARRAY_LEN(pins); i++) {
        char header[64];
        bool is_refused = false;
        snprintf(header, sizeof header, "x-pin=%s", pins[i].value);
        struct split_request request = fixture_turn(*state, &(struct turn){.headers = {header}});
        enum arm_role role = session_pin(&own, &request.facts, &is_refused);
        if (role != pins[i].role || is_refused != pins[i].is_refused)
            fail_msg("%s: role %d, refused %d", pins[i].value, role, is_refused);
    }
    /* without a token nobody is let in, not even with none */
    bool is_refused = false;
    own.pin.token = BYTES("");
    struct split_request request = fixture_turn(*state, &(struct turn){.headers = {"x-pin=canary "}});
    assert_int_equal(session_pin(&own, &request.facts, &is_refused), ARM_ROLES);
    assert_true(is_refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(the_chain_finds_the_first_explicit_key),
        FIXTURE_TEST(the_operators_header_and_cookie_go_first),
        FIXTURE_TEST(default_keys_can_be_left_out),
        FIXTURE_TEST(api_keys_and_prompts_are_hashed),
        FIXTURE_TEST(a_long_key_counts_the_same_in_a_header_and_in_the_body),
        FIXTURE_TEST(a_response_is_named_by_the_body_or_the_path),
        FIXTURE_TEST(a_pin_needs_the_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
