/* test_messages.c - the table is sorted and complete. */
#include "p2p/core/frame.h"
#include "p2p/core/wire.h"
#include "p2p/session/messages.h"
#include "support/unit.h"
#include "util/assert.h"

TEST(the_table_is_sorted_and_each_row_is_whole)
{
    for (size_t i = 0; i < MESSAGES_COUNT; i++) {
        const struct message *message = &messages[i];
        assert_non_null(message->name);
        assert_true(message->handler || message->flags == MESSAGE_UNREAD);
        assert_in_range(strlen(message->name), 1, FRAME_NAME_BYTES);
        assert_true(message->min <= message->max && message->max <= FRAME_PAYLOAD_MAX);
        if (i > 0)
            assert_true(strcmp(messages[i - 1].name, message->name) < 0);
    }
}

TEST(the_handshake_has_its_own_phases)
{
    assert_int_equal(message_find(messages, "version")->phase, MESSAGE_VERSION);
    assert_int_equal(message_find(messages, "verack")->phase, MESSAGE_HANDSHAKE);
    assert_int_equal(message_find(messages, "wtxidrelay")->phase, MESSAGE_HANDSHAKE);
    assert_int_equal(message_find(messages, "ping")->phase, MESSAGE_READY);
}

/* Each with the BIP that brought it in; all others are older than any peer, or negotiated. */
TEST(messages_name_the_version_that_knows_them)
{
    static const struct {
        const char *name;
        int32_t since;
    } rows[] = {{"pong", 60001},        {"sendheaders", 70012}, {"feefilter", 70013},
                {"sendcmpct", 70014},   {"wtxidrelay", 70016},  {"sendaddrv2", 70016},
                {"sendtxrcncl", 70016}, {"cmpctblock", 70014},  {"getblocktxn", 70014},
                {"blocktxn", 70014},    {"feature", 70017}};
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(message_find(messages, rows[i].name)->since, rows[i].since);
    for (size_t i = 0; i < MESSAGES_COUNT; i++)
        n += messages[i].since != 0;
    assert_int_equal(n, COUNT_OF(rows));
    assert_int_equal(message_find(messages, "wtxidrelay")->since, WIRE_VERSION_WTXID);
    assert_int_equal(message_find(messages, "pong")->since, WIRE_VERSION_BIP31);
}

/* What negotiates has a column for those who are late; an answer has one for who has asked. */
TEST(columns_say_what_is_special)
{
    size_t n_in_time = 0, n_answers = 0, n_heard = 0;
    for (size_t i = 0; i < MESSAGES_COUNT; i++) {
        n_in_time += (messages[i].flags & MESSAGE_IN_TIME) != 0;
        n_answers += messages[i].is_asked != NULL;
        n_heard += messages[i].heard != NULL;
    }
    assert_int_equal(n_in_time, 4); /* BIP155, BIP330, BIP339, BIP434 */
    assert_int_equal(n_answers, 8);
    assert_int_equal(n_heard, 3);
    assert_non_null(message_find(messages, "block")->heard);
    assert_non_null(message_find(messages, "cmpctblock")->heard);
    assert_non_null(message_find(messages, "blocktxn")->heard);
}
