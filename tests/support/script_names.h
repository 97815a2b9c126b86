/* script_names.h - script errors as Core's script_tests.json names them. */
#ifndef TESTS_SUPPORT_SCRIPT_NAMES_H
#define TESTS_SUPPORT_SCRIPT_NAMES_H

#include "consensus/script_error.h"
#include "util/assert.h"

/* The name of an error: "EVAL_FALSE". */
static inline const char *script_error_name(enum script_error error)
{
    static const char *const names[] = {
#define X(code, name, message) name,
#include "consensus/script_error.def"
#undef X
    };
    ASSERT((unsigned)error < COUNT_OF(names));
    return names[error];
}

#endif
