/* script_error.c - messages of script errors, from script_error.def. */
#include "consensus/script_error.h"

#include "util/assert.h"

static const char *const messages[] = {
#define X(code, test_name, text) text,
#include "consensus/script_error.def"
#undef X
};

_Static_assert(COUNT_OF(messages) == SCRIPT_ERROR_COUNT, "one row for each error");
_Static_assert(SCRIPT_OK == 0, "no error is zero, so that errors test as true");

const char *script_error_string(enum script_error error)
{
    ASSERT((unsigned)error < SCRIPT_ERROR_COUNT);
    return messages[error];
}
