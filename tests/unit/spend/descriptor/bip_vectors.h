/* bip_vectors.h - the descriptors that BIPs list, read from their texts. */
#ifndef TESTS_UNIT_SPEND_BIP_VECTORS_H
#define TESTS_UNIT_SPEND_BIP_VECTORS_H

#include "support/vectors.h"
#include "util/alloc.h"
#include "util/span.h"

/* A line of a list: how deep, and what stands in its last pair of marks. */
struct bip_line {
    int depth; /* 1 or 2 stars; 0: none */
    struct span text;
    bool has_words; /* before it: what is wrong with it */
};

/* Take the next line. False at the end. */
static inline bool bip_next_line(const char **at, struct bip_line *line)
{
    const char *start = *at, *end = strchr(start, '\n'), *open = NULL;
    if (*start == 0)
        return false;
    end = end ? end : start + strlen(start);
    *at = *end ? end + 1 : end;
    *line = (struct bip_line){.depth = start[0] != '*' ? 0 : start[1] == '*' ? 2 : 1};
    const char *first = NULL;
    for (const char *p = start; p + 4 < end; p++) {
        if (memcmp(p, "<tt>", 4) == 0) {
            open = p + 4;
            first = first ? first : p;
        }
    }
    if (!open || line->depth == 0) {
        line->depth = 0;
        return true;
    }
    const char *close = strstr(open, "</tt>");
    line->text = span_of(open, (size_t)((close && close < end ? close : end) - open));
    line->has_words = first != start + line->depth + 1 || open - 4 != first;
    return true;
}

#endif
