/* chain_fields.c - see chain_fields.h. */
#include "node/chain_fields.h"

#include <stdio.h>
#include <string.h>

#include "consensus/script_iter.h"
#include "node/chain_file.h"
#include "p2p/connect/dns_seed.h"
#include "p2p/connect/named_node.h"
#include "rpc/json_in.h"
#include "rpc/json_write.h"
#include "util/alloc.h"
#include "util/hex.h"
#include "util/near_name.h"
#include "util/parse.h"

#define HRP_CHARS_MAX     16 /* an address has 90 characters at most, and 72 behind this */
#define SPACING_MAX_S     86400
#define INTERVAL_MIN      4 /* a quarter of the timespan must be a second at least */
#define INTERVAL_MAX      1000000
#define MATURITY_MAX      1000000
#define VALUE_SHOWN_BYTES 80
/* A block's time is later than that of those before it, and has 32 bits. */
#define GENESIS_TIME_MAX_S (UINT32_MAX - INT64_C(1))

enum field_kind {
    FIELD_INTEGER,
    FIELD_INTERVAL, /* the same, or null */
    FIELD_BOOL,
    FIELD_TEXT,
    FIELD_BYTES, /* so many of them, in hex */
    FIELD_BITS,
    FIELD_COINS,
    FIELD_SCRIPT,
    FIELD_SEEDS,
    FIELD_GROUP,   /* an object of fields */
    FIELD_GENESIS, /* the same, or "regtest" */
};

struct field {
    const char *group, *name;
    enum field_kind kind;
    size_t at, size;     /* of its place in struct chain_given */
    int64_t least, most; /* of a number; characters of a text */
    bool is_needed;
};

#define INTO(member)                                                                               \
    .at = offsetof(struct chain_given, member), .size = sizeof(((struct chain_given *)NULL)->member)
#define LIMITS(lowest, highest) .least = (lowest), .most = (highest)
#define HEIGHT(deployment)                                                                         \
    FIELD_INTEGER, INTO(network.buried_height[deployment]), LIMITS(0, INT32_MAX - 1)

/* clang-format off */
static const struct field fields[] = {
    {"", "name", FIELD_TEXT, INTO(network.name), LIMITS(1, CHAIN_FILE_NAME_MAX), .is_needed = true},
    {"", "magic", FIELD_BYTES, INTO(network.magic)},
    {"", "p2p_port", FIELD_INTEGER, INTO(network.p2p_port), LIMITS(1, UINT16_MAX),
     .is_needed = true},
    {"", "rpc_port", FIELD_INTEGER, INTO(network.rpc_port), LIMITS(1, UINT16_MAX),
     .is_needed = true},
    {.group = "", .name = "addresses", .kind = FIELD_GROUP},
    {"addresses", "pubkey", FIELD_INTEGER, INTO(network.base58_pubkey), LIMITS(0, UINT8_MAX)},
    {"addresses", "script", FIELD_INTEGER, INTO(network.base58_script), LIMITS(0, UINT8_MAX)},
    {"addresses", "secret", FIELD_INTEGER, INTO(network.base58_secret), LIMITS(0, UINT8_MAX)},
    {"addresses", "xpub", FIELD_BYTES, INTO(network.base58_xpub)},
    {"addresses", "xprv", FIELD_BYTES, INTO(network.base58_xprv)},
    {"addresses", "hrp", FIELD_TEXT, INTO(network.bech32_hrp), LIMITS(1, HRP_CHARS_MAX)},
    {.group = "", .name = "genesis", .kind = FIELD_GENESIS, .is_needed = true},
    {"genesis", "message", FIELD_TEXT, INTO(genesis.message), LIMITS(1, GENESIS_MESSAGE_BYTES_MAX),
     .is_needed = true},
    {"genesis", "time", FIELD_INTEGER, INTO(genesis.time), LIMITS(1, GENESIS_TIME_MAX_S),
     .is_needed = true},
    {"genesis", "bits", FIELD_BITS, INTO(genesis.bits), .is_needed = true},
    {"genesis", "nonce", FIELD_INTEGER, INTO(genesis.nonce), LIMITS(0, UINT32_MAX),
     .is_needed = true},
    {"genesis", "hash", FIELD_BYTES, INTO(genesis_hash)},
    {"", "pow_limit", FIELD_BITS, INTO(limit_bits)},
    {"", "block_spacing_s", FIELD_INTEGER, INTO(network.pow_target_spacing_s),
     LIMITS(1, SPACING_MAX_S)},
    {"", "retarget_interval", FIELD_INTERVAL, INTO(interval), LIMITS(INTERVAL_MIN, INTERVAL_MAX)},
    {"", "min_difficulty", FIELD_BOOL, INTO(network.pow_allow_min_difficulty)},
    {"", "bip94", FIELD_BOOL, INTO(network.enforce_bip94)},
    {"", "subsidy", FIELD_COINS, INTO(network.subsidy_first_sat), LIMITS(1, MAX_MONEY_SAT)},
    {"", "halving_interval", FIELD_INTEGER, INTO(network.subsidy_halving_interval),
     LIMITS(1, INT32_MAX)},
    {"", "coinbase_maturity", FIELD_INTEGER, INTO(network.coinbase_maturity),
     LIMITS(1, MATURITY_MAX)},
    {.group = "", .name = "activation_heights", .kind = FIELD_GROUP},
    {"activation_heights", "bip34", HEIGHT(BURIED_HEIGHTINCB)},
    {"activation_heights", "dersig", HEIGHT(BURIED_DERSIG)},
    {"activation_heights", "cltv", HEIGHT(BURIED_CLTV)},
    {"activation_heights", "csv", HEIGHT(BURIED_CSV)},
    {"activation_heights", "segwit", HEIGHT(BURIED_SEGWIT)},
    {"", "signet_challenge", FIELD_SCRIPT, INTO(network.signet_challenge)},
    {"", "seeds", FIELD_SEEDS, INTO(network.dns_seeds)},
};
/* clang-format on */

#define FIELDS COUNT_OF(fields)
_Static_assert(FIELDS <= CHAIN_FIELDS_MAX, "each field has its place");

/* -- Messages ---------------------------------------------------------------------------------- */

static size_t line_at(const struct chain_reading *reading, size_t at)
{
    size_t line = 1;
    for (size_t i = 0; i < at && i < reading->text.len; i++)
        line += reading->text.p[i] == '\n';
    return line;
}

bool chain_fields_refuse(const struct chain_reading *reading, size_t at, char *what)
{
    ASSERT(reading && what && !*reading->error);
    *reading->error = xasprintf("%s:%zu: %s", reading->path, line_at(reading, at), what);
    xfree(what);
    return false;
}

/* As it stands in the file; what is long is cut. Owns: the caller */
static char *shown(const struct json_value *value)
{
    struct buffer text;
    buffer_init(&text);
    json_write(&text, value, 0);
    bool is_long = text.len > VALUE_SHOWN_BYTES;
    char *s = xasprintf("%.*s%s", is_long ? VALUE_SHOWN_BYTES : (int)text.len, (const char *)text.p,
                        is_long ? "..." : "");
    buffer_deinit(&text);
    return s;
}

/* "genesis.bits" */
static const char *name_of(const struct chain_reading *reading, const struct field *field)
{
    size_t size = strlen(field->group) + strlen(field->name) + 2;
    char *name = arena_alloc(reading->arena, size);
    snprintf(name, size, "%s%s%s", field->group, *field->group ? "." : "", field->name);
    return name;
}

/* What may stand there. Owns: the caller */
static char *wanted(const struct field *field)
{
    switch (field->kind) {
    case FIELD_INTEGER:
    case FIELD_INTERVAL:
        return xasprintf("a whole number from %lld to %lld%s", (long long)field->least,
                         (long long)field->most,
                         field->kind == FIELD_INTERVAL ? ", or null for none" : "");
    case FIELD_BOOL:
        return xstrdup("true or false");
    case FIELD_TEXT:
        return xasprintf("a text of 1 to %lld bytes without control characters",
                         (long long)field->most);
    case FIELD_BYTES:
        return xasprintf("%zu hex digits in quotes", 2 * field->size);
    case FIELD_BITS:
        return xstrdup("8 hex digits in quotes, a target as blocks have it");
    case FIELD_COINS:
        return xstrdup("an amount from 0.00000001 to 21000000 coins");
    case FIELD_SCRIPT:
        return xasprintf("a script of 1 to %d bytes, in hex and quotes", SCRIPT_MAX_BYTES);
    case FIELD_SEEDS:
        return xasprintf("a list of %d names at most, \"host\" or \"host:port\"",
                         DNS_SEED_LOOKUPS_MAX);
    case FIELD_GROUP:
        return xstrdup("an object, {...}");
    case FIELD_GENESIS:
        return xstrdup("\"regtest\" or an object, {...}");
    }
    return NULL;
}

static bool refuse_value(const struct chain_reading *reading, const struct field *field,
                         const struct json_value *value)
{
    char *want = wanted(field), *is = shown(value);
    ASSERT(want);
    char *what = xasprintf("\"%s\" must be %s, not %s", name_of(reading, field), want, is);
    xfree(want);
    xfree(is);
    return chain_fields_refuse(reading, value->at, what);
}

const struct json_value *chain_fields_value(const struct chain_reading *reading, const char *group,
                                            const char *name)
{
    ASSERT(reading && group && name);
    for (size_t i = 0; i < FIELDS; i++)
        if (strcmp(fields[i].group, group) == 0 && strcmp(fields[i].name, name) == 0)
            return reading->value[i];
    ASSERT(false);
    return NULL;
}

size_t chain_fields_place(const struct chain_reading *reading, const char *group, const char *name)
{
    ASSERT(reading && group);
    const struct json_value *value = chain_fields_value(reading, group, name);
    if (!value && *group)
        value = chain_fields_value(reading, "", group);
    return value ? value->at : 0;
}

/* -- Values ------------------------------------------------------------------------------------ */

static void store(const struct field *field, void *to, int64_t number)
{
    const uint64_t bits = (uint64_t)number;
    ASSERT(field->size == 1 || field->size == 2 || field->size == 4 || field->size == 8);
    if (field->size == 1)
        *(uint8_t *)to = (uint8_t)bits;
    else if (field->size == 2)
        *(uint16_t *)to = (uint16_t)bits;
    else if (field->size == 4)
        *(uint32_t *)to = (uint32_t)bits;
    else
        *(uint64_t *)to = bits;
}

static bool take_integer(const struct field *field, const struct json_value *value, void *to)
{
    int64_t number = 0; /* no retarget */
    bool is_none = field->kind == FIELD_INTERVAL && value->kind == JSON_KIND_NULL;
    if (!is_none && !json_integer_in(value, field->least, field->most, &number))
        return false;
    store(field, to, number);
    return true;
}

static bool take_text(const struct field *field, const struct json_value *value, void *to)
{
    if (value->kind != JSON_KIND_STRING || value->text.len < (size_t)field->least ||
        value->text.len > (size_t)field->most)
        return false;
    for (size_t i = 0; i < value->text.len; i++)
        if (value->text.p[i] < 0x20 || value->text.p[i] == 0x7f)
            return false;
    *(const char **)to = (const char *)value->text.p;
    return true;
}

static bool take_bytes(const struct json_value *value, void *to, size_t size)
{
    return value->kind == JSON_KIND_STRING &&
           hex_decode(to, size, (const char *)value->text.p, value->text.len);
}

static bool take_bits(const struct json_value *value, void *to)
{
    uint8_t b[4];
    if (!take_bytes(value, b, sizeof b))
        return false;
    *(uint32_t *)to =
        (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | (uint32_t)b[3];
    return true;
}

static bool take_coins(const struct field *field, const struct json_value *value, int64_t *to)
{
    return json_fixed_point(value, 8, to) && *to >= field->least && *to <= field->most;
}

static bool take_script(const struct chain_reading *reading, const struct json_value *value,
                        struct span *to)
{
    size_t len = value->text.len / 2;
    if (value->kind != JSON_KIND_STRING || len < 1 || len > SCRIPT_MAX_BYTES)
        return false;
    uint8_t *script = arena_alloc(reading->arena, len);
    *to = span_of(script, len);
    return hex_decode(script, len, (const char *)value->text.p, value->text.len);
}

/* "host" or "host:port"; with more than one colon it is an IPv6 address. */
static bool is_seed(const char *text)
{
    const char *colon = strchr(text, ':');
    int64_t port;
    if (!colon || strchr(colon + 1, ':'))
        return true;
    return colon > text && parse_int64(colon + 1, &port) && port >= 1 && port <= UINT16_MAX;
}

static bool take_seeds(struct chain_reading *reading, const struct json_value *value)
{
    static const struct field name = {.least = 1, .most = NAMED_TEXT_MAX};
    if (value->kind != JSON_KIND_ARRAY || value->n > DNS_SEED_LOOKUPS_MAX)
        return false;
    const char **seeds = arena_calloc(reading->arena, value->n + 1, sizeof *seeds);
    uint32_t n = 0;
    for (const struct json_value *v = value->first; v; v = v->next)
        if (!take_text(&name, v, &seeds[n]) || !is_seed(seeds[n++]))
            return false;
    reading->given.network.dns_seeds = seeds;
    reading->given.network.n_dns_seeds = n;
    return true;
}

static bool take_value(struct chain_reading *reading, const struct field *field,
                       const struct json_value *value)
{
    void *to = (char *)&reading->given + field->at;
    switch (field->kind) {
    case FIELD_INTEGER:
    case FIELD_INTERVAL:
        return take_integer(field, value, to);
    case FIELD_BOOL:
        *(bool *)to = value->boolean;
        return value->kind == JSON_KIND_BOOL;
    case FIELD_TEXT:
        return take_text(field, value, to);
    case FIELD_BYTES:
        return take_bytes(value, to, field->size);
    case FIELD_BITS:
        return take_bits(value, to);
    case FIELD_COINS:
        return take_coins(field, value, to);
    case FIELD_SCRIPT:
        return take_script(reading, value, to);
    case FIELD_SEEDS:
        return take_seeds(reading, value);
    case FIELD_GROUP:
        return value->kind == JSON_KIND_OBJECT;
    case FIELD_GENESIS:
        return value->kind == JSON_KIND_OBJECT || json_text_is(value, "regtest");
    }
    return false;
}

/* -- Objects ----------------------------------------------------------------------------------- */

/* The row of a name, which need not be zero-terminated; FIELDS if there is none. */
static size_t find(const char *group, const char *name)
{
    size_t i = 0;
    while (i < FIELDS && (strcmp(fields[i].group, group) != 0 || strcmp(fields[i].name, name) != 0))
        i++;
    return i;
}

/* A name of that group that is like it, or a field of it that stands elsewhere. Owns: the caller */
static char *advice(const char *group, const char *name)
{
    for (size_t i = 0; i < FIELDS; i++) {
        if (strcmp(fields[i].group, group) == 0 && near_name_is_near(name, fields[i].name))
            return xasprintf(": did you mean \"%s\"?", fields[i].name);
        if (strcmp(fields[i].name, name) == 0)
            return *fields[i].group ? xasprintf(": it belongs in \"%s\"", fields[i].group)
                                    : xstrdup(": it belongs outside of this object");
    }
    return xstrdup("");
}

static bool refuse_unknown(const struct chain_reading *reading, const char *group,
                           const struct json_value *value)
{
    const struct json_value name = {.kind = JSON_KIND_STRING, .text = value->name};
    char *hint = advice(group, (const char *)value->name.p), *is = shown(&name);
    char *what = xasprintf("there is no field %s%s", is, hint);
    xfree(hint);
    xfree(is);
    return chain_fields_refuse(reading, value->at, what);
}

static bool take_members(struct chain_reading *reading, const char *group,
                         const struct json_value *object)
{
    for (const struct json_value *v = object->first; v; v = v->next) {
        size_t i = find(group, (const char *)v->name.p);
        if (i == FIELDS || strlen((const char *)v->name.p) != v->name.len)
            return refuse_unknown(reading, group, v);
        if (reading->value[i])
            return chain_fields_refuse(
                reading, v->at, xasprintf("\"%s\" is given twice", name_of(reading, &fields[i])));
        reading->value[i] = v;
        if (!take_value(reading, &fields[i], v))
            return refuse_value(reading, &fields[i], v);
    }
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].is_needed && strcmp(fields[i].group, group) == 0 && !reading->value[i])
            return chain_fields_refuse(
                reading, object->at, xasprintf("\"%s\" is missing", name_of(reading, &fields[i])));
    return true;
}

bool chain_fields_read(struct chain_reading *reading, const struct json_value *root)
{
    ASSERT(reading && root);
    if (root->kind != JSON_KIND_OBJECT)
        return chain_fields_refuse(reading, root->at,
                                   xstrdup("a chain is described by an object, {...}"));
    if (!take_members(reading, "", root))
        return false;
    for (size_t i = 0; i < FIELDS; i++) {
        const struct json_value *value = reading->value[i];
        bool is_group = fields[i].kind == FIELD_GROUP || fields[i].kind == FIELD_GENESIS;
        if (is_group && value && value->kind == JSON_KIND_OBJECT &&
            !take_members(reading, fields[i].name, value))
            return false;
    }
    return true;
}
