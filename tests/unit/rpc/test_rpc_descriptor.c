/* test_rpc_descriptor.c - deriveaddresses. */
#include "rpc/methods.h"
#include "spend/descriptor/desc_infer.h"
#include "support/rpc_rig.h"
#include "support/unit.h"

#define TPUB                                                                                       \
    "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZ" \
    "P"                                                                                            \
    "StJRJCTKvosUCJZL5B"
#define K1 "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"

/* Call with the checksum put behind the text. */
static const char *derive(struct rpc_rig *rig, const char *text, const char *more)
{
    char checksum[DESC_CHECKSUM_CHARS + 1];
    assert_true(desc_checksum(span_of_string(text), checksum));
    return rpc_rig_callf(rig, "deriveaddresses", "[\"%s#%s\"%s]", text, checksum, more);
}

TEST(addresses_of_each_function)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    static const char own[] = "[\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\"]";
    assert_string_equal(derive(&rig, "wpkh(" K1 ")", ""), own);
    assert_string_equal(derive(&rig, "addr(bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080)", ""),
                        own);
    /* A bare key has no address; of combo the others are shown. */
    assert_string_equal(derive(&rig, "pk(" K1 ")", ""),
                        "-5: Descriptor does not have a corresponding address");
    assert_string_equal(derive(&rig, "combo(" K1 ")", ""),
                        "[\"mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r\","
                        "\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\","
                        "\"2NAUYAHhujozruyzpsFRP63mbrdaU5wnEpN\"]");
    rpc_rig_deinit(&rig);
}

TEST(ranges_and_choices)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_string_equal(derive(&rig, "wpkh(" TPUB "/1/1/*)", ",[1,2]"),
                        "[\"bcrt1qhku5rq7jz8ulufe2y6fkcpnlvpsta7rq4442dy\","
                        "\"bcrt1qpgptk2gvshyl0s9lqshsmx932l9ccsv265tvaq\"]");
    assert_string_equal(derive(&rig, "wpkh(" TPUB "/1/<0;1>/*)", ",[1,1]"),
                        "[[\"bcrt1q7c8mdmdktrzs8xgpjmqw90tjn65j5a3yj04m3n\"],"
                        "[\"bcrt1qhku5rq7jz8ulufe2y6fkcpnlvpsta7rq4442dy\"]]");
    assert_string_equal(derive(&rig, "wpkh(" TPUB "/1/1/*)", ",[2147483647,2147483647]"),
                        "[\"bcrt1qtzs23vgzpreks5gtygwxf8tv5rldxvvsyfpdkg\"]");
    assert_string_equal(derive(&rig, "wpkh(" TPUB "/1/1/*)", ""),
                        "-8: Range must be specified for a ranged descriptor");
    assert_string_equal(derive(&rig, "wpkh(" TPUB "/1/1/*)", ",null"),
                        "-8: Range must be specified for a ranged descriptor");
    assert_string_equal(derive(&rig, "wpkh(" TPUB "/1/1)", ",2"),
                        "-8: Range should not be specified for an un-ranged descriptor");
    assert_string_equal(derive(&rig, "wpkh(" TPUB "/1/1/*)", ",[-1,0]"),
                        "-8: Range should be greater or equal than 0");
    assert_string_equal(derive(&rig, "wpkh(" TPUB "/1')", ""),
                        "-5: Cannot derive script without private keys");
    assert_call(&rig, "deriveaddresses", "[\"raw(51)\"]", "-5: Missing checksum");
    assert_call(&rig, "deriveaddresses", "[\"a\"]", "-5: Missing checksum");
    assert_call(&rig, "deriveaddresses", "[\"\"]", "-5: Missing checksum");
    rpc_rig_deinit(&rig);
}

/* Checksums worked out with the reference code of BIP380. */
TEST(a_descriptor_is_described)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_call(&rig, "getdescriptorinfo", "[\"raw(deadbeef)\"]",
                "{\"descriptor\":\"raw(deadbeef)#89f8spxm\",\"checksum\":\"89f8spxm\","
                "\"isrange\":false,\"issolvable\":false,\"hasprivatekeys\":false}");
    assert_call(&rig, "getdescriptorinfo", "[\"raw(deadbeef)#89f8spxm\"]",
                "{\"descriptor\":\"raw(deadbeef)#89f8spxm\",\"checksum\":\"89f8spxm\","
                "\"isrange\":false,\"issolvable\":false,\"hasprivatekeys\":false}");
    const char *got = rpc_rig_call(&rig, "getdescriptorinfo", "[\"pkh(" TPUB "/<0;1>/*)\"]");
    assert_starts(got, "{\"descriptor\":\"pkh(" TPUB "/0/*)#");
    assert_holds(got, "\",\"multipath_expansion\":[\"pkh(" TPUB "/0/*)#");
    assert_holds(got, "\",\"pkh(" TPUB "/1/*)#");
    assert_holds(got, "\"isrange\":true,\"issolvable\":true,\"hasprivatekeys\":false}");
    /* A secret key is not shown, yet the checksum is that of what was given. */
    got = rpc_rig_call(&rig, "getdescriptorinfo",
                       "[\"wpkh(cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA)\"]");
    assert_starts(got, "{\"descriptor\":\"wpkh(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959"
                       "f2815b16f81798)#");
    assert_holds(got, "\"checksum\":\"4wpu93nd\",");
    assert_holds(got, "\"hasprivatekeys\":true}");
    assert_null(strstr(got, "cMahea"));
    assert_call(&rig, "getdescriptorinfo", "[\"\"]", "-5: '' is not a valid descriptor function");
    rpc_rig_deinit(&rig);
}
