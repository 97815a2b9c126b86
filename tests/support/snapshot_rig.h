/* snapshot_rig.h - a file of coins, a network that vouches for it, and a chain that knows the
 * headers. */
#ifndef TESTS_SUPPORT_SNAPSHOT_RIG_H
#define TESTS_SUPPORT_SNAPSHOT_RIG_H

#include "support/chain_inside.h"
#include "support/chain_rig.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/hex.h"

enum { SNAPSHOT_BASE = 20, SNAPSHOT_TIP = 30, SNAPSHOT_KNOWN = 5 };
#define SNAPSHOT_FILE "regtest/coins"

struct snapshot_rig {
    struct chain_builder b;
    struct chain_rig rig;
    struct chain_options options;
    const struct built_block *base, *tip;
    struct network_snapshot facts;
    char block_hash[HEX_ID_BYTES], coins_hash[HEX_ID_BYTES];
    uint8_t file[20000];
    size_t len;
};

/* The answer of one load. */
struct load_answer {
    bool is_done, may_not;
    int error;
    bool is_head, is_bad_file;
    char why[400];
    uint64_t n_coins;
};

static inline bool snapshot_may_change(void *arg)
{
    return !((struct load_answer *)arg)->may_not;
}

static inline void snapshot_note(void *arg, int error, const struct coin_load *load)
{
    struct load_answer *answer = arg;
    assert_false(answer->is_done);
    answer->is_done = true;
    answer->error = error;
    answer->is_head = load->is_head;
    answer->is_bad_file = load->is_bad_file;
    answer->n_coins = load->n_coins;
    snprintf(answer->why, sizeof answer->why, "%s", load->why ? load->why : "");
}

static inline void snapshot_dumped(void *arg, int error, const struct coin_dump *dump)
{
    struct snapshot_rig *s = arg;
    assert_int_equal(error, 0);
    hex_encode_reversed(s->coins_hash, span_of(dump->coins_hash, 32));
    hex_encode_reversed(s->block_hash, span_of(dump->base->hash.b, 32));
    s->facts = (struct network_snapshot){.height = SNAPSHOT_BASE,
                                         .chain_tx = dump->base->chain_tx,
                                         .block_hash = s->block_hash,
                                         .coins_hash = s->coins_hash};
}

/* Put bytes where the chain will look for them. */
static inline void snapshot_write(struct snapshot_rig *s, const uint8_t *bytes, size_t len)
{
    const struct env *env = sim_env_get(s->rig.sim);
    struct env_file *file;
    assert_int_equal(env_file_open(env, SNAPSHOT_FILE,
                                   ENV_OPEN_WRITE | ENV_OPEN_CREATE | ENV_OPEN_TRUNCATE, &file),
                     0);
    assert_int_equal(env_file_write_at(env, file, 0, bytes, len), 0);
    assert_int_equal(env_file_sync(env, file), 0);
    env_file_close(env, file);
    assert_int_equal(env_sync_dir(env, "regtest"), 0);
}

/* The machine that writes the file; it is gone then. */
static inline void snapshot_make_file(struct snapshot_rig *s)
{
    struct chain_rig rig;
    struct env_file *file;
    rig_start(&rig, 1, &s->b, &s->options);
    rig_accept_chain(&rig, s->base);
    assert_int_equal(chain_dump_coins(rig.chain, SNAPSHOT_FILE, NULL, snapshot_dumped, s), 0);
    rig_settle(&rig);
    const struct env *env = sim_env_get(rig.sim);
    assert_int_equal(env_file_open(env, SNAPSHOT_FILE, ENV_OPEN_READ, &file), 0);
    s->len = (size_t)env_file_read_at(env, file, 0, s->file, sizeof s->file);
    env_file_close(env, file);
    assert_true(s->len > 51 && s->len < sizeof s->file);
    rig_deinit(&rig);
}

/* A chain on a new machine, with some blocks, all headers and the file. */
static inline void snapshot_rig_start(struct snapshot_rig *s, uint64_t seed)
{
    rig_init(&s->rig, sim_env_new(seed), &s->b, &s->options);
    s->rig.network.snapshots = &s->facts;
    s->rig.network.n_snapshots = 1;
    rig_open(&s->rig);
    rig_accept_chain(&s->rig, built_ancestor(s->base, SNAPSHOT_KNOWN));
    rig_announce(&s->rig, s->tip);
    snapshot_write(s, s->file, s->len);
}

/* Go on after a crash of the machine. */
static inline void snapshot_rig_crash(struct snapshot_rig *s, enum sim_crash how, uint64_t seed)
{
    rig_crash(&s->rig, how, seed);
    rig_open(&s->rig);
}

static inline int snapshot_setup(void **state)
{
    struct snapshot_rig *s = xcalloc(1, sizeof *s);
    chain_builder_init(&s->b);
    s->options.check_invariants = true;
    s->base = builder_blocks(&s->b, s->b.genesis, SNAPSHOT_BASE, NULL);
    s->tip = builder_blocks(&s->b, s->base, SNAPSHOT_TIP - SNAPSHOT_BASE, NULL);
    snapshot_make_file(s);
    snapshot_rig_start(s, 2);
    *state = s;
    return 0;
}

static inline int snapshot_teardown(void **state)
{
    struct snapshot_rig *s = *state;
    rig_deinit(&s->rig);
    chain_builder_deinit(&s->b);
    xfree(s);
    return 0;
}

static inline int snapshot_order(struct snapshot_rig *s, const char *path,
                                 const struct coin_vouch *vouch, struct load_answer *answer)
{
    struct coin_load_order order = {.path = path,
                                    .may_change = snapshot_may_change,
                                    .done = snapshot_note,
                                    .arg = answer,
                                    .vouch = vouch};
    return chain_load_coins(s->rig.chain, &order);
}

static inline void snapshot_begin_load(struct snapshot_rig *s, struct load_answer *answer)
{
    assert_int_equal(snapshot_order(s, SNAPSHOT_FILE, NULL, answer), 0);
}

static inline struct load_answer snapshot_load_now(struct snapshot_rig *s)
{
    struct load_answer answer = {0};
    snapshot_begin_load(s, &answer);
    rig_wait(&s->rig, &answer.is_done);
    return answer;
}

/* Give the blocks of these heights. */
static inline void snapshot_give(struct snapshot_rig *s, int32_t from, int32_t to)
{
    for (int32_t height = from; height <= to; height++)
        (void)rig_accept(&s->rig, built_ancestor(s->tip, height));
    rig_settle(&s->rig);
    chain_check(s->rig.chain);
}

#endif
