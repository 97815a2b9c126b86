/* test_message.c - rows are found by name. */
#include "p2p/session/messages.h"
#include "support/unit.h"
#include "util/assert.h"

TEST(unknown_names_are_not_found)
{
    static const char *const names[] = {"", "a", "zzz", "PING", "pin", "pingg", "xversion"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_null(message_find(messages, names[i]));
}

TEST(each_row_is_found)
{
    for (size_t i = 0; i < MESSAGES_COUNT; i++)
        assert_ptr_equal(message_find(messages, messages[i].name), &messages[i]);
}
