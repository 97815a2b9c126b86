/* test_rpc_message.c - texts signed and checked. */
#include "rpc/methods.h"
#include "support/rpc_rig.h"
#include "support/unit.h"

/* A key of test networks, its address, and what it makes of the text, as known from Core. */
#define KEY     "cUeKHd5orzT3mz8P9pxyREHfsWtVfgsfDjiZZBcjUBAaGk1BTj7N"
#define ADDRESS "mpLQjfK79b7CCV4VMJWEWAj5Mpx8Up5zxB"
#define TEXT    "This is just a test message"
#define SIGNATURE                                                                                  \
    "INbVnW4e6PeRmsv2Qgu8NuopvrVjkcxob+sX8OcZG0SALhWybUjzMLPdAsXI46YZGb0KQTRii+wWIQzRpG/U+S0="

TEST(a_signed_text_is_told_from_any_other)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_call(&rig, "signmessagewithprivkey", "[\"" KEY "\",\"" TEXT "\"]", "\"" SIGNATURE "\"");
    assert_call(&rig, "verifymessage", "[\"" ADDRESS "\",\"" SIGNATURE "\",\"" TEXT "\"]", "true");
    assert_call(&rig, "verifymessage", "[\"" ADDRESS "\",\"" SIGNATURE "\",\"" TEXT ".\"]",
                "false");
    assert_call(&rig, "verifymessage",
                "[\"mneYUmWYsuk7kySiURxCi3AGxrAqZxLgPZ\",\"" SIGNATURE "\",\"" TEXT "\"]", "false");
    /* well-formed, but no signature: 3 bytes, 65 zeros */
    assert_call(&rig, "verifymessage", "[\"" ADDRESS "\",\"AAAA\",\"" TEXT "\"]", "false");
    assert_call(&rig, "verifymessage",
                "[\"" ADDRESS "\",\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"" TEXT "\"]",
                "false");
    rpc_rig_deinit(&rig);
}

TEST(a_text_of_any_length_and_bytes_is_signed)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    char sig[100];
    static const char *const texts[] = {"", "a\\u0000b", "\xc3\xa9\\n"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const char *got =
            rpc_rig_callf(&rig, "signmessagewithprivkey", "[\"" KEY "\",\"%s\"]", texts[i]);
        assert_int_equal(strlen(got), 90);
        strcpy(sig, got);
        got = rpc_rig_callf(&rig, "verifymessage", "[\"" ADDRESS "\",%s,\"%s\"]", sig, texts[i]);
        assert_string_equal(got, "true");
        got = rpc_rig_callf(&rig, "verifymessage", "[\"" ADDRESS "\",%s,\"a\"]", sig);
        assert_string_equal(got, "false");
    }
    rpc_rig_deinit(&rig);
}

TEST(what_names_no_key_is_refused)
{
    struct rpc_rig rig;
    rpc_rig_init(&rig, NULL, NULL);
    assert_call(&rig, "signmessagewithprivkey", "[\"invalid_key\",\"\"]",
                "-5: Invalid private key");
    assert_call(&rig, "verifymessage", "[\"invalid_addr\",\"" SIGNATURE "\",\"\"]",
                "-5: Invalid address");
    assert_call(&rig, "verifymessage",
                "[\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\",\"" SIGNATURE "\",\"\"]",
                "-3: Address does not refer to key");
    assert_call(&rig, "verifymessage", "[\"" ADDRESS "\",\"invalid_sig\",\"\"]",
                "-3: Malformed base64 encoding");
    assert_starts(rpc_rig_call(&rig, "verifymessage", "[\"a\",\"b\"]"), "-1: verifymessage ");
    rpc_rig_deinit(&rig);
}
