/* descriptor.c - output descriptors: the ones inferred from scripts, and the simple ones read. */
#include "rpc/descriptor.h"

#include <string.h>

#include "consensus/key_io.h"
#include "consensus/script_type.h"
#include "crypto/hash.h"
#include "crypto/pubkey.h"
#include "util/hex.h"

/* -- Checksum ----------------------------------------------------------------------------- */

enum {
    NONE = 255, /* not a character of descriptors */
};

/* clang-format off */
/* BIP380's INPUT_CHARSET the other way round: the place of each ASCII character in it. */
static const uint8_t input_place[128] = {
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
    NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE,
      94,   59,   92,   91,   28,   29,   50,   15,   10,   11,   17,   51,   14,   52,   53,   16,
       0,    1,    2,    3,    4,    5,    6,    7,    8,    9,   27,   54,   55,   56,   57,   58,
      26,   82,   83,   84,   85,   86,   87,   88,   89,   32,   33,   34,   35,   36,   37,   38,
      39,   40,   41,   42,   43,   44,   45,   46,   47,   48,   49,   12,   93,   13,   60,   61,
      90,   18,   19,   20,   21,   22,   23,   24,   25,   64,   65,   66,   67,   68,   69,   70,
      71,   72,   73,   74,   75,   76,   77,   78,   79,   80,   81,   30,   62,   31,   63, NONE
};

/* BIP380's generators, combined: what the five bits shifted out at the top add. A getblock shows
 * thousands of descriptors of a hundred characters, so this is done by table. */
static const uint64_t generators[32] = {
    0x0000000000, 0xf5dee51989, 0xa9fdca3312, 0x5c232f2a9b,
    0x1bab10e32d, 0xee75f5faa4, 0xb256dad03f, 0x47883fc9b6,
    0x3706b1677a, 0xc2d8547ef3, 0x9efb7b5468, 0x6b259e4de1,
    0x2cada18457, 0xd973449dde, 0x85506bb745, 0x708e8eaecc,
    0x644d626ffd, 0x9193877674, 0xcdb0a85cef, 0x386e4d4566,
    0x7fe6728cd0, 0x8a38979559, 0xd61bb8bfc2, 0x23c55da64b,
    0x534bd30887, 0xa69536110e, 0xfab6193b95, 0x0f68fc221c,
    0x48e0c3ebaa, 0xbd3e26f223, 0xe11d09d8b8, 0x14c3ecc131
};
/* clang-format on */

static const char checksum_charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static inline uint64_t poly_mod(uint64_t c, uint64_t value)
{
    return ((c & 0x7ffffffff) << 5 ^ value) ^ generators[c >> 35];
}

bool descriptor_checksum(struct span text, char out[DESCRIPTOR_CHECKSUM_CHARS + 1])
{
    uint64_t c = 1, class = 0;
    unsigned n_classes = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t at = text.p[i] < sizeof input_place ? input_place[text.p[i]] : NONE;
        if (at == NONE)
            return false;
        c = poly_mod(c, at & 31);
        class = class * 3 + (at >> 5);
        if (++n_classes == 3) {
            c = poly_mod(c, class);
            class = 0;
            n_classes = 0;
        }
    }
    if (n_classes > 0)
        c = poly_mod(c, class);
    for (int i = 0; i < DESCRIPTOR_CHECKSUM_CHARS; i++)
        c = poly_mod(c, 0);
    c ^= 1;
    for (int i = 0; i < DESCRIPTOR_CHECKSUM_CHARS; i++)
        out[i] = checksum_charset[c >> (5 * (DESCRIPTOR_CHECKSUM_CHARS - 1 - i)) & 31];
    out[DESCRIPTOR_CHECKSUM_CHARS] = 0;
    return true;
}

/* -- Inference ---------------------------------------------------------------------------- */

static void append_hex(struct buffer *buffer, struct span bytes)
{
    uint8_t *to = buffer_reserve(buffer, 2 * bytes.len + 1);
    hex_encode((char *)to, bytes);
    buffer->len += 2 * bytes.len;
}

/* Keys that a descriptor can name: no hybrid forms; segwit knows compressed ones only. */
static bool is_nameable_key(struct span key, bool compressed_only)
{
    return pubkey_has_valid_size(key) &&
           (key.p[0] == 2 || key.p[0] == 3 || (key.p[0] == 4 && !compressed_only));
}

/* pk() and multi(): what shows its keys. */
static bool infer_keys(struct buffer *buffer, const struct script_solution *solution,
                       bool compressed_only)
{
    if (solution->type != SCRIPT_TYPE_PUBKEY && solution->type != SCRIPT_TYPE_MULTISIG)
        return false;
    for (uint32_t i = 0; i < solution->n_items; i++) {
        if (!is_nameable_key(solution->item[i], compressed_only))
            return false;
    }
    if (solution->type == SCRIPT_TYPE_PUBKEY)
        buffer_append_string(buffer, "pk(");
    else
        buffer_append_format(buffer, "multi(%d,", solution->required);
    for (uint32_t i = 0; i < solution->n_items; i++) {
        if (i > 0)
            buffer_append(buffer, ",", 1);
        append_hex(buffer, solution->item[i]);
    }
    buffer_append(buffer, ")", 1);
    return true;
}

static bool infer_wsh(struct buffer *buffer, const struct script_solution *solution,
                      const struct span *inside)
{
    if (solution->type != SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH || !inside)
        return false;
    struct script_solution inner = script_solve(*inside);
    size_t start = buffer->len;
    buffer_append_string(buffer, "wsh(");
    if (infer_keys(buffer, &inner, true)) {
        buffer_append(buffer, ")", 1);
        return true;
    }
    buffer->len = start;
    return false;
}

static bool infer_rawtr(struct buffer *buffer, const struct script_solution *solution)
{
    if (solution->type != SCRIPT_TYPE_WITNESS_V1_TAPROOT || !xonly_is_valid(solution->item[0].p))
        return false;
    buffer_append_string(buffer, "rawtr(");
    append_hex(buffer, solution->item[0]);
    buffer_append(buffer, ")", 1);
    return true;
}

void descriptor_append(struct buffer *buffer, const struct script_solution *solution,
                       struct span script_pubkey, const char *address, const struct span *inside)
{
    char checksum[DESCRIPTOR_CHECKSUM_CHARS + 1];
    size_t start = buffer->len;
    if (!infer_keys(buffer, solution, false) && !infer_wsh(buffer, solution, inside) &&
        !infer_rawtr(buffer, solution)) {
        buffer_append_string(buffer, *address ? "addr(" : "raw(");
        if (*address)
            buffer_append_string(buffer, address);
        else
            append_hex(buffer, script_pubkey);
        buffer_append(buffer, ")", 1);
    }
    bool valid = descriptor_checksum(span_of(buffer->p + start, buffer->len - start), checksum);
    ASSERT(valid);
    buffer_append(buffer, "#", 1);
    buffer_append(buffer, checksum, DESCRIPTOR_CHECKSUM_CHARS);
}

void descriptor_infer(struct buffer *buffer, const struct network *network,
                      struct span script_pubkey, const struct span *inside)
{
    struct script_solution solution = script_solve(script_pubkey);
    char address[ADDRESS_SIZE];
    (void)address_encode(network, script_pubkey, address);
    descriptor_append(buffer, &solution, script_pubkey, address, inside);
}

/* -- Reading ------------------------------------------------------------------------------ */

enum { SCRIPT_ROOM = 10001 };

/* A descriptor's script while it is put together, from the innermost expression outwards. */
struct build {
    const struct network *network;
    struct arena *arena;
    struct span script;
    bool has_witness_key; /* a compressed key: may go into a witness program */
};

static void set_script(struct build *build, const void *prefix, size_t prefix_len, struct span body,
                       struct span suffix)
{
    uint8_t *p = arena_alloc(build->arena, prefix_len + body.len + suffix.len + 1);
    memcpy(p, prefix, prefix_len);
    memcpy(p + prefix_len, body.p, body.len);
    if (suffix.len)
        memcpy(p + prefix_len + body.len, suffix.p, suffix.len);
    build->script = span_of(p, prefix_len + body.len + suffix.len);
}

static void set_hash160_script(struct build *build, const char *prefix, size_t prefix_len,
                               struct span what, struct span suffix)
{
    uint8_t hash[20];
    hash160(what, hash);
    set_script(build, prefix, prefix_len, span_of(hash, sizeof hash), suffix);
}

/* BIP341: a key without scripts is tweaked by its own hash. */
static bool set_tr_script(struct build *build, const uint8_t key[32], bool tweaked)
{
    uint8_t output[32];
    memcpy(output, key, 32);
    if (!tweaked) {
        struct sha256 h;
        uint8_t tweak[32];
        tagged_hash_init(&h, HASH_TAG_TAP_TWEAK);
        sha256_update(&h, key, 32);
        sha256_final(&h, tweak);
        if (!xonly_tweak_add(output, NULL, key, tweak))
            return false;
    }
    set_script(build, "\x51\x20", 2, span_of(output, 32), span_of(NULL, 0));
    return xonly_is_valid(key);
}

/* A key expression as hex, 32, 33 or 65 bytes. Returns its length, 0 if it is none. */
static size_t read_key(struct span text, uint8_t key[65])
{
    struct ec_pubkey parsed;
    size_t len = text.len / 2;
    if (len > 65 || !hex_decode(key, len, (const char *)text.p, text.len))
        return 0;
    if (len == 32)
        return xonly_is_valid(key) ? 32 : 0;
    bool plain =
        (len == 33 || len == 65) && key[0] <= 4 && ec_pubkey_parse(&parsed, span_of(key, len));
    return plain ? len : 0;
}

static const char *read_key_function(struct build *build, struct span name, struct span arg)
{
    uint8_t key[65];
    size_t len = read_key(arg, key);
    if (len == 0)
        return "key is not a public key in hex";
    struct span bytes = span_of(key, len);
    build->has_witness_key = len == 33;
    bool is_tr = span_equal(name, span_of_string("tr"));
    if (is_tr || span_equal(name, span_of_string("rawtr"))) {
        const uint8_t *x = len == 32 ? key : key + 1;
        return len != 65 && set_tr_script(build, x, !is_tr) ? NULL : "key cannot be used in tr()";
    }
    if (len == 32)
        return "x-only key is for tr() only";
    if (span_equal(name, span_of_string("pk"))) {
        uint8_t push = (uint8_t)len;
        set_script(build, &push, 1, bytes, span_of("\xac", 1));
    } else if (span_equal(name, span_of_string("pkh"))) {
        set_hash160_script(build, "\x76\xa9\x14", 3, bytes, span_of("\x88\xac", 2));
    } else if (len == 33) { /* wpkh(), and what combo() mines to */
        set_hash160_script(build, "\x00\x14", 2, bytes, span_of(NULL, 0));
    } else if (span_equal(name, span_of_string("combo"))) {
        set_hash160_script(build, "\x76\xa9\x14", 3, bytes, span_of("\x88\xac", 2));
    } else {
        return "uncompressed key is not allowed in wpkh()";
    }
    return NULL;
}

static const char *read_raw(struct build *build, struct span arg)
{
    size_t len = arg.len / 2;
    uint8_t *bytes = arena_alloc(build->arena, len + 1);
    if (len >= SCRIPT_ROOM || !hex_decode(bytes, len, (const char *)arg.p, arg.len))
        return "raw script is not hex";
    build->script = span_of(bytes, len);
    return NULL;
}

static const char *read_addr(struct build *build, struct span arg)
{
    char text[256];
    uint8_t *script = arena_alloc(build->arena, ADDRESS_SCRIPT_MAX);
    size_t len;
    if (arg.len >= sizeof text)
        return "address is not valid";
    memcpy(text, arg.p, arg.len);
    text[arg.len] = 0;
    if (!address_decode(build->network, text, script, &len, NULL))
        return "address is not valid";
    build->script = span_of(script, len);
    return NULL;
}

/* The innermost expression: name(arg). */
static const char *read_inner(struct build *build, struct span name, struct span arg)
{
    static const char *const key_functions[] = {"pk", "pkh", "wpkh", "combo", "tr", "rawtr"};
    if (span_equal(name, span_of_string("raw")))
        return read_raw(build, arg);
    if (span_equal(name, span_of_string("addr")))
        return read_addr(build, arg);
    for (size_t i = 0; i < COUNT_OF(key_functions); i++) {
        if (span_equal(name, span_of_string(key_functions[i])))
            return read_key_function(build, name, arg);
    }
    return "is not a valid descriptor function";
}

static const char *wrap_wsh(struct build *build)
{
    uint8_t hash[32];
    sha256(build->script, hash);
    if (!build->has_witness_key)
        return "uncompressed keys and addresses are not allowed in wsh()";
    set_script(build, "\x00\x20", 2, span_of(hash, sizeof hash), span_of(NULL, 0));
    return NULL;
}

static bool starts_with(struct span s, const char *prefix)
{
    size_t len = strlen(prefix);
    return s.len >= len && memcmp(s.p, prefix, len) == 0;
}

/* Take "prefix" and the closing bracket off. */
static bool unwrap(struct span *s, const char *prefix)
{
    if (!starts_with(*s, prefix) || s->p[s->len - 1] != ')')
        return false;
    size_t len = strlen(prefix);
    *s = span_of(s->p + len, s->len - len - 1);
    return true;
}

static const char *check_checksum(struct span *s)
{
    const uint8_t *hash = s->len ? memchr(s->p, '#', s->len) : NULL;
    char checksum[DESCRIPTOR_CHECKSUM_CHARS + 1];
    struct span body = hash ? span_of(s->p, (size_t)(hash - s->p)) : *s;
    if (!descriptor_checksum(body, checksum))
        return "invalid characters in payload";
    if (hash && !span_equal(span_of(hash + 1, s->len - body.len - 1), span_of_string(checksum)))
        return "provided checksum does not match computed checksum";
    *s = body;
    return NULL;
}

const char *descriptor_read(const struct network *network, const char *text, struct arena *arena,
                            struct span *script)
{
    struct build build = {.network = network, .arena = arena};
    struct span s = span_of_string(text);
    const char *error = check_checksum(&s);
    if (error)
        return error;
    bool is_sh = unwrap(&s, "sh("), is_wsh = unwrap(&s, "wsh(");
    const uint8_t *open = s.len ? memchr(s.p, '(', s.len) : NULL;
    if (!open || s.p[s.len - 1] != ')')
        return "is not a valid descriptor function";
    struct span name = span_of(s.p, (size_t)(open - s.p));
    if ((is_sh || is_wsh) && !starts_with(name, "pk") &&
        !(is_sh && !is_wsh && starts_with(name, "wpkh")))
        return "can only have pk(), pkh() or wpkh() inside sh() or wsh()";
    error = read_inner(&build, name, span_of(open + 1, s.len - name.len - 2));
    if (!error && is_wsh)
        error = wrap_wsh(&build);
    if (error)
        return error;
    if (is_sh)
        set_hash160_script(&build, "\xa9\x14", 2, build.script, span_of("\x87", 1));
    *script = build.script;
    return NULL;
}
