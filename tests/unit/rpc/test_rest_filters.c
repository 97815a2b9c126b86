/* test_rest_filters.c - REST about filters of blocks and their headers. */
#include "rpc/rest.h"

#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

#define UNKNOWN_ID "1111111111111111111111111111111111111111111111111111111111111111"

static const struct rpc_auth_options with_rest = {.user = "u", .password = "p", .rest = true};
static const struct chain_options with_index = {.filter_index = true};

TEST(filters_are_those_of_getblockfilter)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, &with_index, &with_rest);
    rpc_rig_grow(&rig, builder_blocks(&rig.builder, rig.builder.genesis, 3, NULL));
    rpc_rig_run_for(&rig, 5000000);
    const char *id = rpc_rig_id(&rig, rig.builder.genesis);
    const char *got = rpc_rig_callf(&rig, "getblockfilter", "[\"%s\"]", id);
    char *filter = xstrdup(strchr(strchr(got, ':'), '"') + 1);
    char *header = xstrdup(strstr(got, "\"header\":") + 9);
    *strchr(filter, '"') = '\0';
    *strchr(header, '}') = '\0';
    char *want = xasprintf("200 application/json: {\"filter\":\"%s\"}", filter);
    assert_string_equal(rpc_rig_get(&rig, "/rest/blockfilter/basic/%s.json", id), want);
    xfree(want);
    /* Its kind, its block, its length, itself. */
    char wire[65];
    hex_encode(wire, span_of(rig.builder.genesis->block.hash.b, 32));
    want = xasprintf("200 text/plain: 00%s%02zx%s", wire, strlen(filter) / 2, filter);
    assert_string_equal(rpc_rig_get(&rig, "/rest/blockfilter/basic/%s.hex", id), want);
    xfree(want);
    want = xasprintf("200 application/json: [%s]", header);
    assert_string_equal(rpc_rig_get(&rig, "/rest/blockfilterheaders/basic/%s.json?count=1", id),
                        want);
    assert_string_equal(rpc_rig_get(&rig, "/rest/blockfilterheaders/basic/1/%s.json", id), want);
    xfree(want);
    xfree(filter);
    xfree(header);
    /* As many as there are. */
    assert_int_equal(strlen(rpc_rig_get(&rig, "/rest/blockfilterheaders/basic/%s.hex", id)),
                     strlen("200 text/plain: ") + 4 * 64);
    rpc_rig_deinit(&rig);
}

TEST(what_is_wrong_with_a_question_is_told)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, &with_index, &with_rest);
    const char *id = rpc_rig_id(&rig, rig.builder.genesis);
    assert_string_equal(rpc_rig_get(&rig, "/rest/blockfilter/extended/%s.json", id),
                        "400 text/plain: Unknown filtertype extended");
    assert_string_equal(rpc_rig_get(&rig, "/rest/blockfilter/basic/" UNKNOWN_ID ".json"),
                        "404 text/plain: " UNKNOWN_ID " not found");
    assert_string_equal(rpc_rig_get(&rig, "/rest/blockfilterheaders/basic/" UNKNOWN_ID ".json"),
                        "200 application/json: []");
    assert_starts(rpc_rig_get(&rig, "/rest/blockfilter/%s.json", id),
                  "400 text/plain: Invalid URI format.");
    assert_starts(rpc_rig_get(&rig, "/rest/blockfilterheaders/%s.json", id),
                  "400 text/plain: Invalid URI format.");
    rpc_rig_deinit(&rig);
    rpc_rig_init(&rig, NULL, &with_rest);
    id = rpc_rig_id(&rig, rig.builder.genesis);
    assert_string_equal(rpc_rig_get(&rig, "/rest/blockfilter/basic/%s.json", id),
                        "400 text/plain: Index is not enabled for filtertype basic");
    rpc_rig_deinit(&rig);
}
