/* desc_fixture.h - descriptors being read, and keys for them. For the tests of desc*.c. */
#ifndef TESTS_UNIT_SPEND_DESC_FIXTURE_H
#define TESTS_UNIT_SPEND_DESC_FIXTURE_H

#include "crypto/key.h"
#include "spend/descriptor/desc.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

#define TPRV                                                                                       \
    "tprv8ZgxMBicQKsPd7Uf69XL1XwhmjHopUGep8GuEiJDZmbQz6o58LninorQAfcKZWARbtRtfnLcJ5MQ2AtHcQJCCRUc" \
    "M"                                                                                            \
    "RvmDUjyEmNUWwx8UbK"
#define TPUB                                                                                       \
    "tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZ" \
    "P"                                                                                            \
    "StJRJCTKvosUCJZL5B"
/* The generator, and twice and three times it. */
#define K1      "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define K2      "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
#define K3      "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
#define X1      "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define K1_LONG "04" X1 "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"

struct fixture {
    struct ec_context *ec;
    struct network network;
    struct arena arena;
    const char *error;
    struct desc_list list;
};

static inline int setup(void **state)
{
    static const uint8_t seed[32] = {1};
    struct fixture *f = xcalloc(1, sizeof *f);
    f->ec = ec_context_new(seed);
    f->network = *network_find("regtest");
    arena_init(&f->arena, 4096);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    arena_deinit(&f->arena);
    ec_context_free(f->ec);
    xfree(f);
    return 0;
}

static inline bool parse(struct fixture *f, const char *text)
{
    bool ok = desc_parse(f->ec, &f->network, span_of_string(text), &f->arena, &f->list);
    f->error = f->list.error;
    return ok;
}

/* The scripts of the first variant at an index, as hex with spaces between. */
static inline const char *scripts_at(struct fixture *f, const char *text, uint32_t index)
{
    struct span scripts[DESC_SCRIPTS_MAX];
    struct buffer hex;
    if (!parse(f, text))
        fail_msg("%s: %s", text, f->error);
    size_t n = desc_scripts(f->ec, f->list.variant[0], index, &f->arena, scripts);
    buffer_init(&hex);
    for (size_t i = 0; i < n; i++) {
        char *part = arena_alloc(&f->arena, 2 * scripts[i].len + 1);
        hex_encode(part, scripts[i]);
        buffer_append_format(&hex, "%s%s", i ? " " : "", part);
    }
    buffer_append(&hex, "", 1);
    char *copy = arena_alloc(&f->arena, hex.len);
    memcpy(copy, hex.p, hex.len);
    buffer_deinit(&hex);
    return copy;
}

#endif
