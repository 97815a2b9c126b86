/* mempool_file.c - see mempool_file.h.
 *
 * Format, little-endian: version (8 bytes); in version 2 a key of 8 bytes, with its length before
 * it, that all bytes behind it are combined with by exclusive or, by their offset in the file;
 * number of transactions (8); each transaction, its time (8) and its delta (8); deltas of others: a
 * count and pairs of id and delta; ids of those not broadcast yet: a count and the ids. */
#include "mempool/mempool_file.h"

#include <errno.h>

#include "consensus/block.h"
#include "mempool/accept.h"
#include "mempool/blocks.h"
#include "mempool/check.h"
#include "mempool/graph.h"
#include "mempool/mempool_internal.h"
#include "util/alloc.h"
#include "util/buffer.h"
#include "util/read_file.h"
#include "util/replace_file.h"

#define VERSION_PLAIN    1
#define VERSION_WITH_KEY 2
#define KEY_BYTES        MEMPOOL_FILE_KEY_BYTES
#define KEYED_FROM       (8 + 1 + KEY_BYTES) /* version, the key's length, the key */
#define LOAD_AT_ONCE     64
#define FILE_BYTES_MAX   (INT64_C(2) << 30)
#define TX_ARENA_BYTES   4096
#define HOLD_US          100000 /* until the next look at whether a reorganisation is over */

/* Combine what stands behind the key with it: the same does and undoes it. */
static void combine(uint8_t *bytes, size_t len, const uint8_t key[KEY_BYTES])
{
    for (size_t at = KEYED_FROM; at < len; at++)
        bytes[at] ^= key[at % KEY_BYTES];
}

/* -- Saving ------------------------------------------------------------------------------------ */

static void encode_deltas(const struct mempool *mempool, struct writer *w)
{
    const struct mempool_delta *delta;
    uint64_t n = 0;
    for (size_t at = 0; (delta = mempool_next_delta(mempool, &at));)
        n += !pool_find(mempool, &delta->txid);
    write_compact_size(w, n);
    for (size_t at = 0; (delta = mempool_next_delta(mempool, &at));) {
        if (pool_find(mempool, &delta->txid))
            continue;
        write_bytes(w, delta->txid.b, 32);
        write_u64(w, (uint64_t)delta->delta_sat);
    }
}

static void encode_tx(struct writer *w, struct span raw, int64_t time_s, int64_t delta_sat)
{
    write_span(w, raw);
    write_u64(w, (uint64_t)time_s);
    write_u64(w, (uint64_t)delta_sat);
}

/* What a reorganisation took out belongs to the mempool as well: what is being put back, and what
 * waits for it. Parents come first: entries spend none of these, and these in their order. */
struct absent {
    const struct pool_putback **waiting;
    size_t n_waiting, n_under_way, n_unbroadcast;
};

static struct absent find_absent(const struct mempool *mempool)
{
    struct absent absent = {0};
    absent.n_waiting = pool_putbacks_list(mempool, &absent.waiting);
    for (size_t i = 0; i < absent.n_waiting; i++)
        absent.n_unbroadcast += absent.waiting[i]->is_unbroadcast;
    LIST_EACH (struct pool_check, at, &mempool->under_way, link) {
        absent.n_under_way += at->is_putback;
        absent.n_unbroadcast += at->is_putback && (at->flags & MEMPOOL_LOCAL);
    }
    return absent;
}

static void encode_absent(const struct mempool *mempool, const struct absent *absent,
                          struct writer *w)
{
    LIST_EACH (struct pool_check, at, &mempool->under_way, link)
        if (at->is_putback)
            encode_tx(w, span_of(at->raw, at->len), at->time_s, 0);
    for (size_t i = 0; i < absent->n_waiting; i++) {
        const struct pool_putback *at = absent->waiting[i];
        encode_tx(w, span_of(at->raw, at->len), at->time_s, 0);
    }
}

static void encode_unbroadcast(const struct mempool *mempool, const struct absent *absent,
                               struct writer *w)
{
    write_compact_size(w, mempool->n_unbroadcast + absent->n_unbroadcast);
    for (const struct pool_entry *entry = mempool->oldest; entry; entry = entry->newer)
        if (entry->pub.is_unbroadcast)
            write_bytes(w, entry->pub.tx.txid.b, 32);
    LIST_EACH (struct pool_check, at, &mempool->under_way, link)
        if (at->is_putback && (at->flags & MEMPOOL_LOCAL))
            write_bytes(w, at->tx.txid.b, 32);
    for (size_t i = 0; i < absent->n_waiting; i++)
        if (absent->waiting[i]->is_unbroadcast)
            write_bytes(w, absent->waiting[i]->txid.b, 32);
}

/* All of the file, not combined with the key yet. */
static void encode(const struct mempool *mempool, const uint8_t *key, struct buffer *out)
{
    struct writer w = writer_to_growing(out);
    struct absent absent = find_absent(mempool);
    write_u64(&w, key ? VERSION_WITH_KEY : VERSION_PLAIN);
    if (key)
        write_var_span(&w, span_of(key, KEY_BYTES));
    write_u64(&w, mempool->count + absent.n_under_way + absent.n_waiting);
    for (const struct pool_entry *entry = mempool->oldest; entry; entry = entry->newer)
        encode_tx(&w, entry->pub.tx.raw, entry->pub.time_s,
                  entry->pub.modified_fee_sat - entry->pub.fee_sat);
    encode_absent(mempool, &absent, &w);
    encode_deltas(mempool, &w);
    encode_unbroadcast(mempool, &absent, &w);
    xfree(absent.waiting);
}

void mempool_file_encode(const struct mempool *mempool, const uint8_t key[MEMPOOL_FILE_KEY_BYTES],
                         struct buffer *out)
{
    ASSERT(out->len == 0);
    encode(mempool, key, out);
    if (key)
        combine(out->p, out->len, key);
}

/* A file on its way to the disk. It does not know the mempool, which may go meanwhile. */
struct save {
    struct env_job job; /* first */
    const struct env *env;
    char *path;          /* owned */
    struct buffer bytes; /* all that is to be in it, not combined with the key yet */
    uint8_t key[KEY_BYTES];
    bool has_key;
    int error; /* of the blocks' sync, or else of the job; 0 or a negative errno */
    void (*done)(void *arg, int error);
    void *arg;
};

static void run_save(struct env_job *job)
{
    struct save *save = (struct save *)job;
    if (!save->error && save->has_key)
        combine(save->bytes.p, save->bytes.len, save->key);
    if (!save->error)
        save->error = replace_file(save->env, save->path, buffer_span(&save->bytes));
}

static void save_done(struct env_job *job)
{
    struct save *save = (struct save *)job;
    save->done(save->arg, job->cancelled ? -ECANCELED : save->error);
    buffer_deinit(&save->bytes);
    xfree(save->path);
    xfree(save);
}

static void blocks_synced(void *arg, const struct verdict *verdict)
{
    struct save *save = arg;
    save->error = verdict->code == REJECT_NONE ? 0 : -EIO;
    save->job = (struct env_job){.run = run_save, .done = save_done};
    env_job_submit(save->env, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &save->job);
}

/* What is absent because it is in a block must not be lost with that block: the file before has it,
 * and somebody was told so. Hence the blocks are made durable first. */
void mempool_file_save(const struct mempool *mempool, const char *path,
                       void (*done)(void *arg, int error), void *arg)
{
    ASSERT(path && done);
    struct save *save = xcalloc(1, sizeof *save);
    save->env = mempool->env;
    save->path = xstrdup(path);
    save->done = done;
    save->arg = arg;
    buffer_init(&save->bytes);
    save->has_key = !mempool->options.persist_without_key;
    if (save->has_key)
        env_random(mempool->env, save->key, sizeof save->key);
    encode(mempool, save->has_key ? save->key : NULL, &save->bytes);
    chain_sync_blocks(mempool->chain, blocks_synced, save);
}

/* -- Loading ----------------------------------------------------------------------------------- */

/* A transaction that was handed in. */
struct load_tx {
    struct list_link link; /* of those that are to be tried again */
    struct load *load;
    struct span raw; /* in the load's bytes */
    int64_t time_s;
};

/* A file being loaded: read by a job, then handed in bit by bit on the loop. */
struct load {
    struct env_job job; /* first */
    struct mempool *mempool;
    struct mempool_load_options options;
    char *path;          /* owned */
    struct buffer bytes; /* the whole file */
    struct reader r;     /* at the next transaction, then at what comes behind them */
    uint64_t n_left;     /* transactions not handed in yet */
    size_t under_way;    /* handed in and not decided, at most LOAD_AT_ONCE */
    struct list again;   /* of struct load_tx */
    uint64_t hold_timer; /* 0: none */
    bool has_begun;      /* the head was read: the rest may be looked at in the end */
    struct mempool_load result;
    void (*done)(void *arg, const struct mempool_load *load);
    void *arg;
};

/* The whole file at once, as far as FILE_BYTES_MAX: transactions are spans into it until they have
 * been handed in. */
static void run_load(struct env_job *job)
{
    struct load *load = (struct load *)job;
    load->result.error = read_file(load->mempool->env, load->path, FILE_BYTES_MAX, &load->bytes);
}

/* Version and key. The bytes are put in plain; false if they are of another format. */
static bool read_head(struct load *load)
{
    load->r = reader_of(buffer_span(&load->bytes));
    uint64_t version = read_u64(&load->r);
    if (version == VERSION_WITH_KEY) {
        uint8_t key[KEY_BYTES];
        if (read_compact_size(&load->r) != KEY_BYTES)
            return false;
        read_bytes(&load->r, key, sizeof key);
        if (!load->r.failed)
            combine(load->bytes.p, load->bytes.len, key);
    } else if (version != VERSION_PLAIN) {
        return false;
    }
    load->n_left = read_u64(&load->r);
    return !load->r.failed;
}

/* A count that is damaged ends with the bytes: nothing is allocated by it (hazard 79). */
static void read_deltas(struct load *load)
{
    uint64_t n = read_compact_size(&load->r);
    for (uint64_t i = 0; i < n && !load->r.failed; i++) {
        struct txid txid;
        read_bytes(&load->r, txid.b, sizeof txid.b);
        int64_t delta_sat = (int64_t)read_u64(&load->r);
        if (!load->r.failed && !load->options.leaves_deltas)
            mempool_prioritise(load->mempool, &txid, delta_sat);
    }
}

static void read_unbroadcast(struct load *load)
{
    uint64_t n = read_compact_size(&load->r);
    for (uint64_t i = 0; i < n && !load->r.failed; i++) {
        struct txid txid;
        read_bytes(&load->r, txid.b, sizeof txid.b);
        bool is_asked = !load->r.failed && !load->options.leaves_unbroadcast;
        struct pool_entry *entry = is_asked ? pool_find(load->mempool, &txid) : NULL;
        if (entry && !entry->pub.is_unbroadcast) {
            entry->pub.is_unbroadcast = true;
            load->mempool->n_unbroadcast++;
        }
    }
}

/* Deltas and marks come last in the file, so they are read when all transactions have been decided.
 * A load that was cut short never comes to them. */
static void end(struct load *load)
{
    struct mempool *mempool = load->mempool;
    if (!load->result.error && load->has_begun) {
        read_deltas(load);
        read_unbroadcast(load);
        if (load->r.failed)
            load->result.error = -EUCLEAN;
    }
    ASSERT(load->under_way == 0 && mempool->n_loads > 0);
    if (load->options.is_expected && load->result.error != -ECANCELED)
        mempool->is_load_expected = false;
    load->done(load->arg, &load->result);
    LIST_EACH_REMOVING (struct load_tx, tx, &load->again, link)
        xfree(tx);
    buffer_deinit(&load->bytes);
    xfree(load->path);
    xfree(load);
    mempool->n_loads--;
    pool_close_continue(mempool);
}

static void pump(struct load *load);

/* What it spends may wait to be put back itself, after a reorganisation that came meanwhile: then
 * the verdict is not the last one. */
static void taken(void *arg, const struct mempool_result *result)
{
    struct load_tx *tx = arg;
    struct load *load = tx->load;
    ASSERT(load->under_way > 0);
    bool is_in = result->verdict.code == REJECT_NONE || result->was_known;
    load->under_way--;
    if (!is_in && !load->mempool->closing && !pool_is_settled(load->mempool)) {
        list_add(&load->again, &tx->link);
    } else {
        load->result.n_taken += is_in;
        load->result.n_refused += !is_in;
        load->result.n_run += result->scripts_ran;
        xfree(tx);
    }
    pump(load);
}

/* The next transaction with its time and delta. False: there is none, or the file is damaged. The
 * delta goes before the transaction: it may be what it gets in by. */
static bool read_next(struct load *load, struct span *raw, int64_t *time_s)
{
    struct arena arena;
    struct tx tx;
    arena_init(&arena, TX_ARENA_BYTES);
    bool ok = tx_decode(&load->r, &arena, true, &tx);
    if (ok)
        *raw = tx.raw;
    *time_s = (int64_t)read_u64(&load->r);
    if (load->options.uses_current_time)
        *time_s = pool_now_s(load->mempool);
    int64_t delta_sat = (int64_t)read_u64(&load->r);
    ok = ok && !load->r.failed;
    if (ok && delta_sat != 0 && !load->options.leaves_deltas)
        mempool_prioritise(load->mempool, &tx.txid, delta_sat);
    arena_deinit(&arena);
    if (!ok)
        load->result.error = -EUCLEAN;
    return ok;
}

static void hand_in(struct load *load, struct load_tx *tx)
{
    load->under_way++;
    pool_accept_loaded(load->mempool, tx->raw, tx->time_s, load->options.was_here, taken, tx);
}

/* Hand in the next transaction of the file. */
static void hand_in_next(struct load *load)
{
    struct mempool *mempool = load->mempool;
    struct load_tx with = {.load = load};
    if (!read_next(load, &with.raw, &with.time_s))
        return;
    ASSERT(load->n_left > 0);
    load->n_left--;
    if (with.time_s <= pool_now_s(mempool) - mempool->options.expiry_s)
        load->result.n_expired++;
    else
        hand_in(load, xmemdup(&with, sizeof with));
}

static void on_hold_timer(void *arg)
{
    struct load *load = arg;
    load->hold_timer = 0;
    pump(load);
}

static bool has_left(const struct load *load)
{
    return !load->mempool->closing && !load->result.error &&
           (load->n_left > 0 || load->again.count > 0);
}

/* Among what is being checked for our user. Whatever he sends meanwhile, one of the file has its
 * place always: none is lost for want of room, and he cannot keep it from ending. */
static bool has_room(const struct load *load)
{
    return load->under_way == 0 || (load->under_way < LOAD_AT_ONCE &&
                                    pool_has_room(load->mempool, 0, 1, BLOCK_WEIGHT_MAX_WU));
}

/* Hand in what there is room for. While a reorganisation's transactions wait to be put back,
 * nothing: those of the file may spend them. */
static void pump(struct load *load)
{
    struct mempool *mempool = load->mempool;
    const struct env *env = mempool->env;
    while (has_left(load) && pool_is_settled(mempool) && has_room(load)) {
        /* What was refused amid a reorganisation comes first: others may spend it. */
        struct load_tx *again = LIST_POP(struct load_tx, &load->again, link);
        if (again)
            hand_in(load, again);
        else
            hand_in_next(load);
    }
    if (mempool->closing)
        load->result.error = -ECANCELED;
    if (load->under_way > 0 || load->hold_timer)
        return;
    if (has_left(load))
        load->hold_timer = env_timer_start(env, HOLD_US, on_hold_timer, load);
    else
        end(load);
}

static void load_done(struct env_job *job)
{
    struct load *load = (struct load *)job;
    if (job->cancelled)
        load->result.error = -ECANCELED;
    if (!load->result.error && !read_head(load))
        load->result.error = -EUCLEAN;
    load->has_begun = load->result.error == 0;
    pump(load);
}

void mempool_file_load(struct mempool *mempool, const char *path,
                       const struct mempool_load_options *options,
                       void (*done)(void *arg, const struct mempool_load *load), void *arg)
{
    ASSERT(path && options && done);
    struct load *load = xcalloc(1, sizeof *load);
    load->mempool = mempool;
    load->options = *options;
    load->path = xstrdup(path);
    buffer_init(&load->bytes);
    load->done = done;
    load->arg = arg;
    load->job = (struct env_job){.run = run_load, .done = load_done};
    mempool->n_loads++;
    env_job_submit(mempool->env, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &load->job);
}

void mempool_file_expect(struct mempool *mempool)
{
    mempool->is_load_expected = true;
}

bool mempool_file_is_expected(const struct mempool *mempool)
{
    return mempool->is_load_expected;
}
