/* snapshot_reader.c - see snapshot_reader.h */
#include "chain/coins/snapshot_reader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "crypto/pubkey.h"
#include "util/alloc.h"

#define MAGIC_BYTES     5
#define SIZE_MAX_CORE   0x02000000 /* no count or length is larger. Core: MAX_SIZE */
#define SCRIPT_CLASSES  6          /* lengths of other scripts are given with this on top */
#define OP_RETURN       0x6a
#define KEY_XONLY_BYTES 32

/* -- The head ---------------------------------------------------------------------------------- */

static int say(char why[SNAPSHOT_WHY_BYTES], const char *text)
{
    snprintf(why, SNAPSHOT_WHY_BYTES, "%s", text);
    return -EBADMSG;
}

static const struct network *network_of_magic(const uint8_t magic[4])
{
    for (int kind = 0; kind < NETWORK_COUNT; kind++)
        if (memcmp(network_get((enum network_kind)kind)->magic, magic, 4) == 0)
            return network_get((enum network_kind)kind);
    return NULL;
}

static int check_network(const struct network *network, const uint8_t magic[4],
                         char why[SNAPSHOT_WHY_BYTES])
{
    if (memcmp(magic, network->magic, sizeof network->magic) == 0)
        return 0;
    const struct network *other = network_of_magic(magic);
    if (!other)
        return say(why, "This snapshot has been created for an unrecognized network. This could be "
                        "a custom signet, a new testnet or possibly caused by data corruption.");
    snprintf(why, SNAPSHOT_WHY_BYTES,
             "The network of the snapshot (%s) does not match the network of this node (%s).",
             other->name, network->name);
    return -EBADMSG;
}

int snapshot_head_read(const struct env *env, struct env_file *file, const struct network *network,
                       struct snapshot_head *head, char why[SNAPSHOT_WHY_BYTES])
{
    uint8_t raw[SNAPSHOT_HEADER_BYTES];
    ASSERT(file && network);
    int64_t n = env_file_read_at(env, file, 0, raw, sizeof raw);
    if (n < 0)
        return (int)n;
    if (n < (int64_t)sizeof raw)
        return say(why, "AutoFile::read: end of file");
    struct reader r = reader_of(span_of(raw, sizeof raw));
    struct span magic = read_span(&r, MAGIC_BYTES);
    unsigned version = read_u16(&r);
    struct span network_magic = read_span(&r, sizeof network->magic);
    if (memcmp(magic.p, SNAPSHOT_FILE_MAGIC, MAGIC_BYTES) != 0)
        return say(why, "Invalid UTXO set snapshot magic bytes. Please check if this is indeed a "
                        "snapshot file or if you are using an outdated snapshot format.");
    if (version != SNAPSHOT_FILE_VERSION) {
        snprintf(why, SNAPSHOT_WHY_BYTES,
                 "Version of snapshot %u does not match any of the supported versions.", version);
        return -EBADMSG;
    }
    memcpy(head->base.b, read_span(&r, sizeof head->base.b).p, sizeof head->base.b);
    head->n_coins = read_u64(&r);
    ASSERT(reader_finish(&r));
    return check_network(network, network_magic.p, why);
}

/* -- Bytes ------------------------------------------------------------------------------------- */

void snapshot_reader_init(struct snapshot_reader *reader, const struct env *env,
                          struct env_file *file, const struct snapshot_head *head, int32_t height)
{
    ASSERT(file && head && height >= 0);
    *reader = (struct snapshot_reader){.env = env,
                                       .file = file,
                                       .head = *head,
                                       .height = height,
                                       .offset = SNAPSHOT_HEADER_BYTES};
    reader->buffer = xmalloc(SNAPSHOT_BUFFER_BYTES);
}

void snapshot_reader_deinit(struct snapshot_reader *reader)
{
    xfree(reader->buffer);
    reader->buffer = NULL;
}

/* False at the end of the file, or if it cannot be read. */
static bool fill(struct snapshot_reader *reader)
{
    if (reader->error)
        return false;
    int64_t n = env_file_read_at(reader->env, reader->file, reader->offset, reader->buffer,
                                 SNAPSHOT_BUFFER_BYTES);
    if (n <= 0)
        reader->error = n < 0 ? (int)n : -ENODATA;
    reader->at = 0;
    reader->len = n > 0 ? (size_t)n : 0;
    reader->offset += reader->len;
    return n > 0;
}

/* out NULL: they are passed over. */
static bool take(struct snapshot_reader *reader, uint8_t *out, size_t n)
{
    while (n > 0) {
        if (reader->at == reader->len && !fill(reader))
            return false;
        size_t some = MIN_OF(n, reader->len - reader->at);
        if (out)
            memcpy(out, reader->buffer + reader->at, some);
        reader->at += some;
        out = out ? out + some : NULL;
        n -= some;
    }
    return true;
}

/* What is malformed is as if the file had ended: nobody could tell where the next coin is. */
static bool malformed(struct snapshot_reader *reader)
{
    if (!reader->error)
        reader->error = -ENODATA;
    return false;
}

static bool take_compact_size(struct snapshot_reader *reader, uint64_t *out)
{
    uint8_t raw[9];
    if (!take(reader, raw, 1))
        return false;
    size_t more = raw[0] < 0xfd ? 0 : (size_t)2 << (raw[0] - 0xfd);
    if (!take(reader, raw + 1, more))
        return false;
    struct reader r = reader_of(span_of(raw, 1 + more));
    *out = read_compact_size(&r);
    return reader_finish(&r) && *out <= SIZE_MAX_CORE ? true : malformed(reader);
}

/* The opposite of varint_of() in snapshot_file.c, of numbers up to max. */
static bool take_varint(struct snapshot_reader *reader, uint64_t max, uint64_t *out)
{
    uint8_t byte = 0;
    *out = 0;
    for (;;) {
        if (!take(reader, &byte, 1))
            return false;
        if (*out > max >> 7)
            return malformed(reader);
        *out = *out << 7 | (byte & 0x7f);
        if (!(byte & 0x80))
            return true;
        if (*out == max)
            return malformed(reader);
        ++*out;
    }
}

/* -- Coins ------------------------------------------------------------------------------------- */

/* The key of which x and y's parity are given, whole; none that is on the curve: no script. */
static size_t expand_long_pubkey(uint8_t *script, uint64_t class, const uint8_t x[KEY_XONLY_BYTES])
{
    uint8_t raw[33], whole[65];
    struct ec_pubkey pubkey;
    raw[0] = (uint8_t)(class - 2);
    memcpy(raw + 1, x, KEY_XONLY_BYTES);
    if (!ec_pubkey_parse(&pubkey, span_of(raw, sizeof raw)))
        return 0;
    size_t len = ec_pubkey_serialize(&pubkey, false, whole);
    script[0] = (uint8_t)len;
    memcpy(script + 1, whole, len);
    script[len + 1] = 0xac; /* OP_CHECKSIG */
    return len + 2;
}

static bool take_short_script(struct snapshot_reader *reader, uint64_t class, struct coin *coin)
{
    static const enum coin_script_class classes[] = {COIN_SCRIPT_P2PKH, COIN_SCRIPT_P2SH,
                                                     COIN_SCRIPT_P2PK_02, COIN_SCRIPT_P2PK_03};
    uint8_t payload[KEY_XONLY_BYTES];
    size_t len;
    if (!take(reader, payload, class < 2 ? 20 : KEY_XONLY_BYTES))
        return false;
    if (class < COUNT_OF(classes))
        len = coin_script_expand(classes[class], payload, reader->script);
    else
        len = expand_long_pubkey(reader->script, class, payload);
    coin->script_pubkey = span_of(reader->script, len);
    return true;
}

/* Core: ScriptCompression */
static bool take_script(struct snapshot_reader *reader, struct coin *coin)
{
    uint64_t code;
    if (!take_varint(reader, UINT32_MAX, &code))
        return false;
    if (code < SCRIPT_CLASSES)
        return take_short_script(reader, code, coin);
    size_t len = (size_t)(code - SCRIPT_CLASSES);
    bool is_long = len > SNAPSHOT_SCRIPT_MAX;
    if (!take(reader, is_long ? NULL : reader->script, len))
        return false;
    if (is_long)
        reader->script[0] = OP_RETURN;
    coin->script_pubkey = span_of(reader->script, is_long ? 1 : len);
    return true;
}

static int bad(struct snapshot_reader *reader, const char *what, uint64_t n, const char *more)
{
    snprintf(reader->why, sizeof reader->why, "%s after deserializing %llu coins%s", what,
             (unsigned long long)n, more);
    return -EBADMSG;
}

static int cut_short(struct snapshot_reader *reader)
{
    if (reader->error != -ENODATA)
        return reader->error;
    return bad(reader, "Bad snapshot format or truncated snapshot", reader->n_read, "");
}

static int take_coin(struct snapshot_reader *reader, struct outpoint *outpoint, struct coin *coin)
{
    uint64_t vout, code, amount;
    if (!take_compact_size(reader, &vout) || !take_varint(reader, UINT32_MAX, &code) ||
        !take_varint(reader, UINT64_MAX, &amount) || !take_script(reader, coin))
        return cut_short(reader);
    *outpoint = (struct outpoint){.txid = reader->txid, .vout = (uint32_t)vout};
    coin->height = (uint32_t)(code / 2);
    coin->coinbase = code % 2;
    if (code / 2 > (uint64_t)reader->height)
        return bad(reader, "Bad snapshot data", reader->n_read, "");
    amount = coin_amount_expand(amount);
    if (amount > (uint64_t)MAX_MONEY_SAT)
        return bad(reader, "Bad snapshot data", reader->n_read, " - bad tx out value");
    coin->value_sat = (int64_t)amount;
    reader->n_of_txid--;
    reader->n_read++;
    return 1;
}

int snapshot_reader_next(struct snapshot_reader *reader, struct outpoint *outpoint,
                         struct coin *coin)
{
    uint8_t byte;
    ASSERT(reader->buffer && reader->n_read <= reader->head.n_coins);
    if (reader->n_of_txid == 0 && reader->n_read < reader->head.n_coins) {
        if (!take(reader, reader->txid.b, sizeof reader->txid.b) ||
            !take_compact_size(reader, &reader->n_of_txid) ||
            (reader->n_of_txid == 0 && !malformed(reader)))
            return cut_short(reader);
        if (reader->n_of_txid > reader->head.n_coins - reader->n_read)
            return say(reader->why,
                       "Mismatch in coins count in snapshot metadata and actual snapshot data");
    }
    if (reader->n_of_txid > 0)
        return take_coin(reader, outpoint, coin);
    if (take(reader, &byte, 1))
        return bad(reader, "Bad snapshot - coins left over", reader->head.n_coins, "");
    return reader->error == -ENODATA ? 0 : reader->error;
}
