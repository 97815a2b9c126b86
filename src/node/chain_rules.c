/* chain_rules.c - see chain_rules.h. */
#include "node/chain_rules.h"

#include <inttypes.h>

#include "consensus/pow.h"
#include "crypto/hash.h"
#include "util/alloc.h"
#include "util/buffer.h"
#include "util/hex.h"
#include "util/parse.h"

#define VALUE_BYTES_MAX 60 /* of a value that a message shows */

/* -- Text -------------------------------------------------------------------------------------- */

static void put_work(struct buffer *out, const struct network *network)
{
    char hash[HEX_ID_BYTES];
    buffer_append_format(out, "genesis %s\n",
                         hex_encode_reversed(hash, span_of(network->genesis_hash.b, 32)));
    buffer_append_format(out, "pow_limit %08x\n",
                         (unsigned)pow_target_to_bits(u256_from_le(network->pow_limit)));
    buffer_append_format(out, "block_spacing_s %" PRId64 "\n", network->pow_target_spacing_s);
    if (network->pow_no_retargeting)
        buffer_append_string(out, "retarget_interval null\n");
    else
        buffer_append_format(out, "retarget_interval %d\n", (int)pow_retarget_interval(network));
    buffer_append_format(out, "min_difficulty %s\nbip94 %s\n",
                         network->pow_allow_min_difficulty ? "true" : "false",
                         network->enforce_bip94 ? "true" : "false");
}

static void put_coins(struct buffer *out, const struct network *network)
{
    char amount[AMOUNT_STRING_BYTES];
    buffer_append_format(out, "subsidy %s\nhalving_interval %u\ncoinbase_maturity %d\n",
                         format_money(network->subsidy_first_sat, amount),
                         (unsigned)network->subsidy_halving_interval,
                         (int)network->coinbase_maturity);
}

static void put_heights(struct buffer *out, const struct network *network)
{
    for (int i = 0; i < BURIED_COUNT; i++)
        buffer_append_format(out, "%s %d\n", network_buried_name((enum buried_deployment)i),
                             (int)network->buried_height[i]);
}

static void put_challenge(struct buffer *out, const struct network *network, struct arena *arena)
{
    char *hex = arena_alloc(arena, 2 * network->signet_challenge.len + 1);
    if (network->signet_blocks)
        buffer_append_format(out, "signet_challenge %s\n",
                             hex_encode(hex, network->signet_challenge));
    else
        buffer_append_string(out, "signet_challenge null\n");
}

/* The magic is no rule of blocks, yet block files are made of it. */
static void put_magic(struct buffer *out, const struct network *network)
{
    char magic[2 * sizeof network->magic + 1];
    hex_encode(magic, span_of(network->magic, sizeof network->magic));
    buffer_append_format(out, "magic %s\n", magic);
}

void chain_rules_settle(struct network *network, bool has_magic, struct arena *arena)
{
    ASSERT(network && arena);
    struct buffer text;
    uint8_t digest[32];
    buffer_init(&text);
    put_work(&text, network);
    put_coins(&text, network);
    put_heights(&text, network);
    put_challenge(&text, network, arena);
    sha256d(buffer_span(&text), digest);
    if (!has_magic)
        memcpy(network->magic, digest, sizeof network->magic);
    hex_encode(network->rules_tag, span_of(digest + sizeof network->magic, NETWORK_TAG_CHARS / 2));
    put_magic(&text, network);
    char *rules = arena_alloc(arena, text.len + 1);
    memcpy(rules, text.p, text.len);
    rules[text.len] = '\0';
    network->rules = rules;
    buffer_deinit(&text);
}

/* -- Comparing --------------------------------------------------------------------------------- */

/* The value in a line that begins with name; "" if there is none. */
static struct span value_in(const char *text, struct span name)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        if (len > name.len && memcmp(text, name.p, name.len) == 0 && text[name.len] == ' ')
            return span_of(text + name.len + 1, len - name.len - 1);
        text += len + (text[len] == '\n');
    }
    return span_of("", 0);
}

static int shown_bytes(struct span value)
{
    return (int)MIN_OF(value.len, VALUE_BYTES_MAX);
}

char *chain_rules_difference(const char *was, const char *is)
{
    ASSERT(was && is);
    if (strcmp(was, is) == 0)
        return NULL;
    for (const char *at = is; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        struct span name = span_of(at, strcspn(at, " \n"));
        struct span before = value_in(was, name), now = value_in(is, name);
        if (!span_equal(before, now))
            return xasprintf("%.*s was %.*s, and is %.*s now", (int)name.len, (const char *)name.p,
                             shown_bytes(before), (const char *)before.p, shown_bytes(now),
                             (const char *)now.p);
    }
    return xstrdup("the record of its rules is not one that this version wrote");
}
