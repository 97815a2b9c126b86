/* test_messages.c - the table is sorted, complete and found by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "p2p/core/frame.h"
#include "p2p/core/wire.h"
#include "p2p/session/messages.h"
#include "util/assert.h"

static void the_table_is_sorted_and_each_row_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < MESSAGES_COUNT; i++) {
        const struct message *message = message_at(i);
        assert_non_null(message->name);
        assert_non_null(message->handler);
        assert_in_range(strlen(message->name), 1, FRAME_NAME_BYTES);
        assert_true(message->min <= message->max && message->max <= FRAME_PAYLOAD_MAX);
        if (i > 0)
            assert_true(strcmp(message_at(i - 1)->name, message->name) < 0);
        assert_ptr_equal(message_find(message->name), message);
        assert_int_equal(message_index(message), i);
    }
}

static void unknown_names_are_not_found(void **state)
{
    (void)state;
    static const char *const names[] = {"", "a", "zzz", "PING", "pin", "pingg", "xversion"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_null(message_find(names[i]));
}

static void the_handshake_has_its_own_phases(void **state)
{
    (void)state;
    assert_int_equal(message_find("version")->phase, MESSAGE_VERSION);
    assert_int_equal(message_find("verack")->phase, MESSAGE_HANDSHAKE);
    assert_int_equal(message_find("wtxidrelay")->phase, MESSAGE_HANDSHAKE);
    assert_int_equal(message_find("ping")->phase, MESSAGE_READY);
}

/* Each with the BIP that brought it in; all others are older than any peer, or negotiated. */
static void messages_name_the_version_that_knows_them(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int32_t since;
    } rows[] = {{"pong", 60001},       {"sendheaders", 70012}, {"feefilter", 70013},
                {"sendcmpct", 70014},  {"wtxidrelay", 70016},  {"sendaddrv2", 70016},
                {"sendtxrcncl", 70016}};
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(message_find(rows[i].name)->since, rows[i].since);
    for (size_t i = 0; i < MESSAGES_COUNT; i++)
        n += message_at(i)->since != 0;
    assert_int_equal(n, COUNT_OF(rows));
    assert_int_equal(message_find("wtxidrelay")->since, WIRE_VERSION_WTXID);
    assert_int_equal(message_find("pong")->since, WIRE_VERSION_BIP31);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_sorted_and_each_row_is_whole),
        cmocka_unit_test(unknown_names_are_not_found),
        cmocka_unit_test(the_handshake_has_its_own_phases),
        cmocka_unit_test(messages_name_the_version_that_knows_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
