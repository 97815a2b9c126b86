/* psbt_fixture.h - PSBTs from base64, and those that BIPs list. */
#ifndef TESTS_UNIT_SPEND_PSBT_FIXTURE_H
#define TESTS_UNIT_SPEND_PSBT_FIXTURE_H

#include "spend/psbt/psbt.h"
#include "support/unit.h"
#include "support/vectors.h"
#include "util/alloc.h"
#include "util/base64.h"

struct fixture {
    struct arena arena;
    struct psbt psbt;
    const char *error;
};

static inline int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    arena_init(&f->arena, 1 << 16);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    arena_deinit(&f->arena);
    xfree(f);
    return 0;
}

static inline bool read_base64(struct fixture *f, struct span text, struct psbt *out)
{
    size_t room = text.len, len;
    uint8_t *bytes = arena_alloc(&f->arena, room + 1);
    f->error = "base64";
    return base64_decode(text, bytes, room, &len) &&
           psbt_read(span_of(bytes, len), &f->arena, out, &f->error);
}

/* What a section of a BIP says of the PSBTs in it. */
enum bip_section { BIP_NONE, BIP_INVALID, BIP_VALID, BIP_LOCK_TIME, BIP_NO_LOCK_TIME };

struct bip_psbt {
    enum bip_section section;
    uint32_t lock_time; /* in that section */
    struct span base64;
};

/* The next PSBT of a BIP's text; *at goes on. False at the end. */
static inline bool bip_next_psbt(const char **at, struct bip_psbt *out)
{
    static const char mark[] = "Base64 String: <pre>";
    while (**at) {
        const char *line = *at, *end = strchr(line, '\n');
        end = end ? end : line + strlen(line);
        *at = *end ? end + 1 : end;
        if (strncmp(line, "The following are invalid PSBTs", 31) == 0)
            out->section = BIP_INVALID;
        else if (strncmp(line, "The following are valid PSBTs", 29) == 0)
            out->section = BIP_VALID;
        else if (strncmp(line, "The timelock for the following PSBTs cannot", 43) == 0)
            out->section = BIP_NO_LOCK_TIME;
        else if (strncmp(line, "The timelock for", 16) == 0)
            out->section = BIP_LOCK_TIME;
        else if (line[0] == '=' || strncmp(line, "Fails ", 6) == 0 ||
                 strncmp(line, "A creator", 9) == 0)
            out->section = BIP_NONE;
        if (out->section == BIP_LOCK_TIME && strncmp(line, "The timelock", 12) == 0)
            out->lock_time = (uint32_t)strtoul(strstr(line, "to be ") + 6, NULL, 10);
        const char *found = strstr(line, mark), *close = found ? strstr(found, "</pre>") : NULL;
        if (!close || found > end || close > end)
            continue;
        out->base64 = span_of(found + sizeof mark - 1, (size_t)(close - found) - (sizeof mark - 1));
        return true;
    }
    return false;
}

static const char *const bip_files[] = {
    "bips/text/bip-0174.mediawiki", "bips/text/bip-0370.mediawiki", "bips/text/bip-0371.mediawiki"};

/* The text of a BIP from its vectors on; free *text with xfree(). Skips the test without it. */
static inline const char *bip_vectors(const char *file, char **text)
{
    *text = vectors_read(file, NULL);
    if (!*text)
        skip();
    const char *at = strstr(*text, "Test Vectors==");
    assert_non_null(at);
    return at;
}

#endif
