/* snapshot_file.c - see snapshot_file.h */
#include "chain/coins/snapshot_file.h"

#include <stdlib.h>
#include <string.h>

#include "chain/coins/coin_hash.h"
#include "crypto/pubkey.h"
#include "util/alloc.h"

#define WRITE_BYTES     (4 << 20) /* at once */
#define VARINT_MAX      10        /* bytes */
#define PUBKEY_BYTES    65
#define RAW_CLASS_FIRST 6 /* scripts without a class: their length plus this */

/* -- Core's forms ------------------------------------------------------------------------------ */

/* Seven bits a byte, highest first, the top bit set on all but the last; one is taken off what
 * stands before each byte, so that a number has one form. Returns how many bytes. Core: VARINT */
static size_t varint_of(uint64_t v, uint8_t out[VARINT_MAX])
{
    uint8_t reversed[VARINT_MAX];
    size_t n = 0;
    for (;;) {
        reversed[n] = (uint8_t)((v & 0x7f) | (n > 0 ? 0x80 : 0));
        n++;
        if (v <= 0x7f)
            break;
        v = (v >> 7) - 1;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = reversed[n - 1 - i];
    return n;
}

static void write_varint(struct writer *w, uint64_t v)
{
    uint8_t bytes[VARINT_MAX];
    write_bytes(w, bytes, varint_of(v, bytes));
}

/* Pay to an uncompressed key that is on the curve: x alone is kept. */
static bool is_long_pubkey(struct span script)
{
    struct ec_pubkey pubkey;
    return script.len == PUBKEY_BYTES + 2 && script.p[0] == PUBKEY_BYTES && script.p[1] == 0x04 &&
           script.p[script.len - 1] == 0xac &&
           ec_pubkey_parse(&pubkey, span_of(script.p + 1, PUBKEY_BYTES));
}

/* Core: ScriptCompression. Witness programs have no class there. */
static void write_script(struct writer *w, struct span script)
{
    static const uint8_t classes[COIN_SCRIPT_CLASS_COUNT] = {[COIN_SCRIPT_P2PKH] = 0,
                                                             [COIN_SCRIPT_P2SH] = 1,
                                                             [COIN_SCRIPT_P2PK_02] = 2,
                                                             [COIN_SCRIPT_P2PK_03] = 3};
    struct span payload;
    enum coin_script_class class = coin_script_classify(script, &payload);
    if (class == COIN_SCRIPT_P2PKH || classes[class] > 0) {
        write_u8(w, classes[class]);
        write_span(w, payload);
    } else if (is_long_pubkey(script)) {
        write_u8(w, (uint8_t)(4 | (script.p[PUBKEY_BYTES] & 1)));
        write_bytes(w, script.p + 2, 32);
    } else {
        write_varint(w, script.len + RAW_CLASS_FIRST);
        write_span(w, script);
    }
}

void snapshot_coin_encode(struct writer *w, const struct coin *coin)
{
    ASSERT(coin->value_sat >= 0 && coin->value_sat <= MAX_MONEY_SAT);
    write_varint(w, (uint64_t)coin->height * 2 + coin->coinbase);
    write_varint(w, coin_amount_compress((uint64_t)coin->value_sat));
    write_script(w, coin->script_pubkey);
}

/* -- Writing ----------------------------------------------------------------------------------- */

int snapshot_writer_open(struct snapshot_writer *writer, const struct env *env, const char *path)
{
    *writer = (struct snapshot_writer){.env = env, .offset = SNAPSHOT_HEADER_BYTES};
    buffer_init(&writer->out);
    buffer_init(&writer->outs_raw);
    sha256_init(&writer->hash);
    return env_file_open(env, path, ENV_OPEN_WRITE | ENV_OPEN_CREATE | ENV_OPEN_TRUNCATE,
                         &writer->file);
}

static void flush(struct snapshot_writer *writer)
{
    if (!writer->error && writer->out.len > 0)
        writer->error = env_file_write_at(writer->env, writer->file, writer->offset, writer->out.p,
                                          writer->out.len);
    writer->offset += writer->out.len;
    writer->out.len = 0;
}

/* In the order of the bytes that stand for their numbers in the keys of Core's store. */
static int compare_outs(const void *a, const void *b)
{
    uint8_t x[VARINT_MAX] = {0}, y[VARINT_MAX] = {0};
    varint_of(((const struct snapshot_out *)a)->vout, x);
    varint_of(((const struct snapshot_out *)b)->vout, y);
    return memcmp(x, y, sizeof x);
}

static void write_tx(struct snapshot_writer *writer)
{
    struct writer w = writer_to_growing(&writer->out);
    if (writer->outs.n == 0)
        return;
    qsort(writer->outs.at, writer->outs.n, sizeof writer->outs.at[0], compare_outs);
    write_bytes(&w, writer->txid.b, sizeof writer->txid.b);
    write_compact_size(&w, writer->outs.n);
    for (size_t i = 0; i < writer->outs.n; i++) {
        const struct snapshot_out *out = &writer->outs.at[i];
        write_compact_size(&w, out->vout);
        write_bytes(&w, writer->outs_raw.p + out->at, out->len);
    }
    writer->outs.n = 0;
    writer->outs_raw.len = 0;
    if (writer->out.len >= WRITE_BYTES)
        flush(writer);
}

void snapshot_writer_add(struct snapshot_writer *writer, const struct outpoint *outpoint,
                         const struct coin *coin)
{
    struct writer w = writer_to_sha256(&writer->hash);
    ASSERT(writer->file);
    coin_hash_encode(&w, outpoint, coin);
    if (writer->outs.n > 0 && !txid_equal(&writer->txid, &outpoint->txid))
        write_tx(writer);
    writer->txid = outpoint->txid;
    struct snapshot_out *out = ARRAY_ADD(&writer->outs);
    *out = (struct snapshot_out){.vout = outpoint->vout, .at = writer->outs_raw.len};
    w = writer_to_growing(&writer->outs_raw);
    snapshot_coin_encode(&w, coin);
    out->len = writer->outs_raw.len - out->at;
    writer->n_coins++;
}

int snapshot_writer_finish(struct snapshot_writer *writer, const uint8_t magic[4],
                           const struct block_hash *base, uint8_t hash[32])
{
    uint8_t head[SNAPSHOT_HEADER_BYTES];
    struct writer w = writer_to_buffer(head, sizeof head);
    write_bytes(&w, (const uint8_t *)SNAPSHOT_FILE_MAGIC, strlen(SNAPSHOT_FILE_MAGIC));
    write_u16(&w, SNAPSHOT_FILE_VERSION);
    write_bytes(&w, magic, 4);
    write_bytes(&w, base->b, sizeof base->b);
    write_u64(&w, writer->n_coins);
    ASSERT(w.len == SNAPSHOT_HEADER_BYTES);
    write_tx(writer);
    flush(writer);
    sha256d_final(&writer->hash, hash);
    if (!writer->error)
        writer->error = env_file_write_at(writer->env, writer->file, 0, head, sizeof head);
    if (!writer->error)
        writer->error = env_file_sync(writer->env, writer->file);
    return writer->error;
}

void snapshot_writer_close(struct snapshot_writer *writer)
{
    if (writer->file)
        env_file_close(writer->env, writer->file);
    writer->file = NULL;
    buffer_deinit(&writer->out);
    buffer_deinit(&writer->outs_raw);
    ARRAY_FREE(&writer->outs);
}
