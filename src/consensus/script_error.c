/* script_error.c - names and messages of script errors, from script_error.def. */
#include "consensus/script_error.h"

#include "util/assert.h"

static const struct {
    const char *name;
    const char *message;
} errors[] = {
#define X(code, test_name, text) {test_name, text},
#include "consensus/script_error.def"
#undef X
};

_Static_assert(COUNT_OF(errors) == SCRIPT_ERROR_COUNT, "one row for each error");
_Static_assert(SCRIPT_OK == 0, "no error is zero, so that errors test as true");

const char *script_error_string(enum script_error error)
{
    ASSERT((unsigned)error < SCRIPT_ERROR_COUNT);
    return errors[error].message;
}

const char *script_error_name(enum script_error error)
{
    ASSERT((unsigned)error < SCRIPT_ERROR_COUNT);
    return errors[error].name;
}
