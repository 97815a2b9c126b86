/* test_rpc_openrpc.c - the table of methods as a document. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"
#include "util/alloc.h"

TEST(the_document_has_every_method_that_is_shown)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    char *all = xstrdup(rpc_rig_call(&rig, "getopenrpcinfo", "[]"));
    assert_starts(all, "{\"openrpc\":\"1.4.1\",\"info\":{\"title\":\"");
    assert_holds(all, "{\"name\":\"getblock\",\"description\":");
    assert_holds(all, "{\"name\":\"blockhash\",\"description\":");
    assert_holds(all, "\"schema\":{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"boolean\"}],"
                      "\"default\":1}");
    assert_holds(all, "\"schema\":{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}");
    assert_holds(all, "\"result\":{\"name\":\"result\",\"schema\":{\"type\":\"number\"},"
                      "\"description\":\"the height\"}");
    assert_holds(all, "\"schema\":{\"oneOf\":[{\"type\":\"number\"},{\"type\":\"string\"}],"
                      "\"default\":\"0.10\"}"); /* no fraction that a client would round */
    assert_null(strstr(all, "\"name\":\"mockscheduler\""));
    assert_null(strstr(all, "\"name\":\"wait\""));
    assert_string_equal(rpc_rig_call(&rig, "rpc.discover", "[]"), all);
    xfree(all);
    const char *hidden = rpc_rig_call(&rig, "getopenrpcinfo", "[true]");
    assert_holds(hidden, "\"name\":\"mockscheduler\"");
    assert_holds(hidden, "{\"name\":\"wait\",\"description\":");
    rpc_rig_deinit(&rig);
}
