/* coin.c - compressing the output scripts that make up nearly all of the set, and amounts. */
#include "chain/coins/coin.h"

/* What surrounds the payload in a script of a class. */
struct script_template {
    uint8_t head[3];
    uint8_t head_len;
    uint8_t payload_len;
    uint8_t tail[2];
    uint8_t tail_len;
};

/* clang-format off */
static const struct script_template templates[COIN_SCRIPT_CLASS_COUNT] = {
    [COIN_SCRIPT_P2PKH]   = {{0x76, 0xa9, 20}, 3, 20, {0x88, 0xac}, 2},
    [COIN_SCRIPT_P2SH]    = {{0xa9, 20},       2, 20, {0x87},       1}, /* BIP-16, Specification */
    [COIN_SCRIPT_P2PK_02] = {{33, 0x02},       2, 32, {0xac},       1},
    [COIN_SCRIPT_P2PK_03] = {{33, 0x03},       2, 32, {0xac},       1},
    [COIN_SCRIPT_P2WPKH]  = {{0x00, 20},       2, 20, {0},          0}, /* BIP-141, P2WPKH */
    [COIN_SCRIPT_P2WSH]   = {{0x00, 32},       2, 32, {0},          0}, /* BIP-141, P2WSH */
    [COIN_SCRIPT_P2TR]    = {{0x51, 32},       2, 32, {0},          0}, /* BIP-341, Design */
};
/* clang-format on */

static bool matches(const struct script_template *t, struct span script)
{
    size_t len = (size_t)t->head_len + t->payload_len + t->tail_len;
    return script.len == len && memcmp(script.p, t->head, t->head_len) == 0 &&
           memcmp(script.p + t->head_len + t->payload_len, t->tail, t->tail_len) == 0;
}

enum coin_script_class coin_script_classify(struct span script, struct span *payload)
{
    *payload = script;
    if (script.len < 22 || script.len > COIN_SCRIPT_EXPANDED_MAX)
        return COIN_SCRIPT_RAW;
    for (int class = COIN_SCRIPT_RAW + 1; class < COIN_SCRIPT_CLASS_COUNT; class ++) {
        const struct script_template *t = &templates[class];
        if (!matches(t, script))
            continue;
        *payload = span_of(script.p + t->head_len, t->payload_len);
        return (enum coin_script_class) class;
    }
    return COIN_SCRIPT_RAW;
}

size_t coin_script_expand(enum coin_script_class class, const uint8_t *payload,
                          uint8_t out[COIN_SCRIPT_EXPANDED_MAX])
{
    ASSERT(class > COIN_SCRIPT_RAW && class < COIN_SCRIPT_CLASS_COUNT);
    const struct script_template *t = &templates[class];
    struct writer w = writer_to_buffer(out, COIN_SCRIPT_EXPANDED_MAX);
    write_bytes(&w, t->head, t->head_len);
    write_bytes(&w, payload, t->payload_len);
    write_bytes(&w, t->tail, t->tail_len);
    return w.len;
}

/* Seven bits a byte, lowest first, the top bit set on all but the last. */
static void write_varint(struct writer *w, uint64_t v)
{
    while (v >= 0x80) {
        write_u8(w, (uint8_t)(v | 0x80));
        v >>= 7;
    }
    write_u8(w, (uint8_t)v);
}

/* The shortest form is the only one accepted, so that one coin has one encoding. */
static uint64_t read_varint(struct reader *r)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        uint8_t b = read_u8(r);
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b & 0x80)
            continue;
        if (b == 0 && shift > 0)
            r->failed = true;
        return r->failed ? 0 : v;
    }
    r->failed = true;
    return 0;
}

/* People pay round amounts: take up to 9 decimal zeros off and say how many. The last remaining
 * digit of a number that had fewer than 9 is not 0, so it needs only 9 values. */
uint64_t coin_amount_compress(uint64_t amount_sat)
{
    uint64_t amount = amount_sat;
    if (amount == 0)
        return 0;
    unsigned zeros = 0;
    while (zeros < 9 && amount % 10 == 0) {
        amount /= 10;
        zeros++;
    }
    if (zeros == 9)
        return 1 + 10 * (amount - 1) + 9;
    return 1 + 10 * (9 * (amount / 10) + amount % 10 - 1) + zeros;
}

uint64_t coin_amount_expand(uint64_t code)
{
    if (code == 0)
        return 0;
    unsigned zeros = (unsigned)((code - 1) % 10);
    uint64_t rest = (code - 1) / 10;
    uint64_t amount = zeros == 9 ? rest + 1 : rest / 9 * 10 + rest % 9 + 1;
    for (; zeros > 0 && amount <= (uint64_t)MAX_MONEY_SAT; zeros--)
        amount *= 10;
    return amount <= (uint64_t)MAX_MONEY_SAT ? amount : UINT64_MAX;
}

void coin_encode(struct writer *w, const struct coin *coin)
{
    ASSERT(coin->height <= COIN_HEIGHT_MAX);
    ASSERT(coin->value_sat >= 0 && coin->value_sat <= MAX_MONEY_SAT);
    struct span payload;
    enum coin_script_class class = coin_script_classify(coin->script_pubkey, &payload);
    write_varint(w, (uint64_t)coin->height * 2 + coin->coinbase);
    write_varint(w, coin_amount_compress((uint64_t)coin->value_sat));
    write_u8(w, (uint8_t) class);
    if (class == COIN_SCRIPT_RAW)
        write_varint(w, payload.len);
    write_span(w, payload);
}

/* The script, in arena; an empty span after a failure. Bounded by what is left in the reader. */
static struct span decode_script(struct reader *r, struct arena *arena)
{
    uint8_t class = read_u8(r);
    if (class >= COIN_SCRIPT_CLASS_COUNT)
        r->failed = true;
    if (r->failed)
        return span_of(NULL, 0);
    if (class == COIN_SCRIPT_RAW) {
        uint64_t len = read_varint(r);
        struct span raw = read_span(r, len > reader_left(r) ? SIZE_MAX : (size_t)len);
        struct span payload;
        /* A script that has a class must be stored by it: one coin, one encoding. */
        if (raw.len > 0 && coin_script_classify(raw, &payload) != COIN_SCRIPT_RAW)
            r->failed = true;
        if (r->failed || raw.len == 0)
            return span_of(NULL, 0);
        uint8_t *copy = arena_alloc(arena, raw.len);
        memcpy(copy, raw.p, raw.len);
        return span_of(copy, raw.len);
    }
    struct span payload = read_span(r, templates[class].payload_len);
    if (r->failed)
        return span_of(NULL, 0);
    uint8_t *script = arena_alloc(arena, COIN_SCRIPT_EXPANDED_MAX);
    return span_of(script, coin_script_expand((enum coin_script_class) class, payload.p, script));
}

bool coin_decode(struct reader *r, struct arena *arena, struct coin *coin)
{
    uint64_t code = read_varint(r);
    uint64_t amount = coin_amount_expand(read_varint(r));
    if (code > (uint64_t)COIN_HEIGHT_MAX * 2 + 1 || amount > (uint64_t)MAX_MONEY_SAT)
        r->failed = true;
    struct span script = decode_script(r, arena);
    if (r->failed)
        return false;
    *coin = (struct coin){
        .value_sat = (int64_t)amount,
        .script_pubkey = script,
        .height = (uint32_t)(code / 2),
        .coinbase = code % 2,
    };
    return true;
}
