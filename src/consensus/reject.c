/* reject.c - strings and classes of verdicts. */
#include "consensus/reject.h"

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
