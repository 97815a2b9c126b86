/* assert_wrap.c - lets a test prove that an assertion fires.
 *
 * Every unit test is linked with --wrap=assert_fail, so ASSERT ends here. Inside cmocka's
 * expect_assert_failure() that is the expected result; anywhere else it fails the test. */
#include "support/unit.h"

void __wrap_assert_fail(const char *condition, const char *file, int line);

void __wrap_assert_fail(const char *condition, const char *file, int line)
{
    mock_assert(0, condition, file, line);
    abort(); /* mock_assert does not come back */
}
