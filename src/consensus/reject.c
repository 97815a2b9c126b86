/* reject.c - strings and classes of verdicts. */
#include "consensus/reject.h"

#include <stdarg.h>
#include <stdio.h>

#include "consensus/script_error.h"

_Static_assert(REJECT_NONE == 0, "a verdict of zeros refuses nothing");

/* clang-format off */
static const struct {
    const char *string;
    enum reject_class class;
} rows[REJECT_COUNT] = {
#define X(name, string, class, source) {string, REJECT_CLASS_##class},
#include "consensus/reject.def"
#undef X
};
/* clang-format on */

const char *reject_string(enum reject reject)
{
    ASSERT((unsigned)reject < REJECT_COUNT);
    return rows[reject].string;
}

enum reject_class reject_class(enum reject reject)
{
    ASSERT((unsigned)reject < REJECT_COUNT);
    return rows[reject].class;
}

/* All of it is set anew, so nothing of an earlier verdict can remain. */
bool verdict_set(struct verdict *verdict, enum reject code, const char *format, ...)
{
    ASSERT((unsigned)code < REJECT_COUNT);
    *verdict = (struct verdict){.code = code};
    if (format) {
        va_list args;
        va_start(args, format);
        vsnprintf(verdict->detail, sizeof verdict->detail, format, args);
        va_end(args);
    }
    return code == REJECT_NONE;
}

/* Brackets hold what Core puts there: clients cut the string at them. */
char *verdict_reason(const struct verdict *verdict, char out[VERDICT_REASON_BYTES])
{
    ASSERT(verdict);
    const char *string = reject_string(verdict->code);
    if (verdict->code == REJECT_BAD_VERSION)
        snprintf(out, VERDICT_REASON_BYTES, "%s(0x%08x)", string, (unsigned)verdict->version);
    else if (verdict->script_error)
        snprintf(out, VERDICT_REASON_BYTES, "%s (%s)", string,
                 script_error_string((enum script_error)verdict->script_error));
    else
        snprintf(out, VERDICT_REASON_BYTES, "%s", string);
    return out;
}
