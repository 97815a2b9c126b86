/* test_messages.c - the table is sorted, complete and found by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "p2p/frame.h"
#include "p2p/messages.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_sorted_and_each_row_is_whole),
        cmocka_unit_test(unknown_names_are_not_found),
        cmocka_unit_test(the_handshake_has_its_own_phases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
