/* test_message.c - rows are found by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "p2p/session/messages.h"
#include "util/assert.h"
static void unknown_names_are_not_found(void **state)
{
    (void)state;
    static const char *const names[] = {"", "a", "zzz", "PING", "pin", "pingg", "xversion"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_null(message_find(messages, names[i]));
}

static void each_row_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < MESSAGES_COUNT; i++)
        assert_ptr_equal(message_find(messages, messages[i].name), &messages[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_names_are_not_found),
        cmocka_unit_test(each_row_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
