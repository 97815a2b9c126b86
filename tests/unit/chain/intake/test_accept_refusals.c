/* test_accept_refusals.c - headers and blocks coming in: what is taken, what is refused, and what
 * of a refusal is remembered. */
#include <errno.h>

#include "support/unit.h"
#include "unit/chain/chain_fixture.h"

FIXTURE(fixture_setup, fixture_teardown)

/* -- Headers ----------------------------------------------------------------------------------- */

static enum reject header_verdict(struct fixture *f, struct block_header header)
{
    struct verdict verdict;
    struct block_hash hash = block_header_hash(&header);
    /* Regtest's work: a try or two. */
    while (hash.b[31] >= 0x7f && header.bits == 0x207fffff) {
        header.nonce++;
        hash = block_header_hash(&header);
    }
    const struct block_node *node = chain_accept_header(f->rig.chain, &header, &verdict);
    assert_int_equal(node != NULL, verdict.code == REJECT_NONE);
    return verdict.code;
}

TEST(headers_are_held_to_their_rules, struct fixture *f)
{
    fixture_start_at_base(f);
    const struct block_node *tip = chain_tip(f->rig.chain);
    struct block_header good = builder_block(&f->b, base_tip(f), NULL)->block.header;
    int64_t now_s = core_now_s(core_of(f->rig.chain));
    uint32_t mtp = (uint32_t)block_node_mtp(tip);

    struct block_header header = good;
    header.prev.b[0] ^= 1;
    assert_int_equal(header_verdict(f, header), REJECT_PREV_NOT_FOUND);
    header = good;
    header.bits = 0x207ffffe;
    header.nonce = 0;
    assert_true(header_verdict(f, header) != REJECT_NONE);
    header = good;
    header.bits = 0x03000001; /* work that its hash has not */
    assert_int_equal(header_verdict(f, header), REJECT_HIGH_HASH);
    header = good;
    header.time = mtp;
    assert_int_equal(header_verdict(f, header), REJECT_TIME_TOO_OLD);
    header.time = mtp + 1;
    assert_int_equal(header_verdict(f, header), REJECT_NONE);
    header.time = (uint32_t)(now_s + 2 * 60 * 60 + 1);
    assert_int_equal(header_verdict(f, header), REJECT_TIME_TOO_NEW);
    header.time--;
    assert_int_equal(header_verdict(f, header), REJECT_NONE);
    header = good;
    header.version = 1;
    assert_int_equal(header_verdict(f, header), REJECT_BAD_VERSION);
    assert_int_equal(header_verdict(f, good), REJECT_NONE);
    chain_check(f->rig.chain);
}

TEST(a_known_header_gives_the_same_node, struct fixture *f)
{
    struct verdict verdict;
    fixture_start(f);
    const struct block_node *node =
        chain_accept_header(f->rig.chain, &f->base[1]->block.header, &verdict);
    assert_ptr_equal(chain_accept_header(f->rig.chain, &f->base[1]->block.header, &verdict), node);
    assert_ptr_equal(chain_best_header(f->rig.chain), node);
    assert_true(rig_is_at(&f->rig, f->b.genesis));
}

static void note_best_header(void *ctx, const struct block_node *best_header)
{
    const struct block_node **last = ctx;
    assert_ptr_not_equal(*last, best_header);
    *last = best_header;
}

TEST(the_best_header_is_told_whoever_brings_it, struct fixture *f)
{
    const struct block_node *told = NULL;
    fixture_start(f);
    struct chain_rig *rig = &f->rig;
    core_of(rig->chain)->events =
        (struct chain_events){.ctx = &told, .header_tip_changed = note_best_header};
    rig_announce(rig, f->base[3]);
    assert_true(block_hash_equal(&told->hash, &f->base[3]->block.hash));
    for (int32_t at = 1; at <= 4; at++)
        (void)rig_accept(rig, f->base[at]);
    assert_true(block_hash_equal(&told->hash, &f->base[4]->block.hash)); /* came with its block */
}

/* Hazard 28: miners extended headers that nobody had validated. */
TEST(headers_on_an_invalid_block_do_not_move_the_tip, struct fixture *f)
{
    fixture_start_at_base(f);
    const struct built_block *bad = block_spending(f, base_tip(f), 2, BUILDER_TRUE);
    const struct built_block *top = builder_blocks(&f->b, bad, 6, NULL);
    rig_announce(&f->rig, top);
    assert_int_equal(chain_best_header(f->rig.chain)->height, top->height);
    assert_int_equal(rig_accept(&f->rig, bad).verdict.code, REJECT_SCRIPT_FAILED);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    assert_ptr_equal(chain_best_header(f->rig.chain), chain_tip(f->rig.chain));
    struct verdict verdict;
    assert_null(chain_accept_header(f->rig.chain, &top->block.header, &verdict));
    assert_int_equal(verdict.code, REJECT_DUPLICATE_INVALID);
    const struct built_block *more = builder_block(&f->b, top, NULL);
    assert_null(chain_accept_header(f->rig.chain, &more->block.header, &verdict));
    assert_int_equal(verdict.code, REJECT_PREV_INVALID);
}

/* -- Mangled copies: hazards 5 and 7 ----------------------------------------------------------- */

enum mangling {
    FLIPPED_BYTE,  /* in a transaction */
    DOUBLED_TX,    /* CVE-2012-2459 */
    NO_WITNESS,    /* stripped by a peer that does not know it */
    OTHER_WITNESS, /* more items than were signed for */
    CUT_SHORT,
    MANGLING_COUNT,
};

/* A block of three transactions and the coinbase's fourth, one of them with witness. */
static const struct built_block *block_to_mangle(struct fixture *f)
{
    struct tx tx[3] = {spend_base(f, 4, 1, 0, BUILDER_WSH_TRUE)};
    for (size_t i = 1; i < COUNT_OF(tx); i++) {
        struct builder_coin coin = builder_coin_of(&tx[i - 1], 0, BUILDER_WSH_TRUE);
        tx[i] = builder_spend(&f->b, &coin, 1, 1, 10, BUILDER_WSH_TRUE);
    }
    return block_with(f, base_tip(f), tx, 2 + f->b.salt % 2);
}

static struct built_block mangled(struct fixture *f, const struct built_block *of,
                                  enum mangling mangling)
{
    struct built_block copy = *of;
    struct arena *arena = &f->b.arena;
    struct block *block = &copy.block;
    uint8_t *raw = arena_alloc(arena, block->raw.len + 1);
    memcpy(raw, block->raw.p, block->raw.len);
    raw[block->raw.len] = 0;
    struct tx *tx = arena_calloc(arena, block->n_tx + 1, sizeof *tx);
    memcpy(tx, block->tx, block->n_tx * sizeof *tx);
    struct span items[2] = {builder_script_bytes(BUILDER_TRUE), builder_script_bytes(BUILDER_TRUE)};
    size_t len = block->raw.len;
    switch (mangling) {
    case FLIPPED_BYTE:
        raw[len - 7] ^= 1;
        block->raw = span_of(raw, len);
        return copy;
    case CUT_SHORT:
        block->raw = span_of(raw, len - 1);
        return copy;
    case DOUBLED_TX:
        /* Three become four with the same root. */
        tx[block->n_tx] = tx[block->n_tx - 1];
        block->n_tx++;
        break;
    case NO_WITNESS:
        for (uint32_t i = 0; i < block->n_tx; i++) {
            tx[i].in = xmemdup(tx[i].in, tx[i].n_in * sizeof *tx[i].in);
            for (uint32_t k = 0; k < tx[i].n_in; k++)
                tx[i].in[k].witness = span_of(NULL, 0);
        }
        break;
    case OTHER_WITNESS:
        tx[block->n_tx - 1].in = xmemdup(tx[block->n_tx - 1].in, sizeof *tx[0].in);
        tx[block->n_tx - 1].in[0].witness = build_witness(arena, items, 2);
        break;
    case MANGLING_COUNT:
        break;
    }
    struct tx_in *own[4] = {0};
    size_t n_own = 0;
    for (uint32_t i = 0; i < block->n_tx && i < COUNT_OF(own); i++)
        if (i < of->block.n_tx && tx[i].in != of->block.tx[i].in)
            own[n_own++] = tx[i].in;
    block->tx = tx;
    build_block_again(arena, block);
    while (n_own > 0)
        xfree(own[--n_own]);
    return copy;
}

TEST(a_mangled_copy_does_not_keep_the_honest_block_out, struct fixture *f)
{
    for (int announced = 0; announced < 2; announced++)
        for (int kind = 0; kind < MANGLING_COUNT; kind++) {
            fixture_start_at_base(f);
            const struct built_block *honest = block_to_mangle(f);
            while (honest->block.n_tx != 3) /* an odd number, so that the last can be doubled */
                honest = block_to_mangle(f);
            struct built_block copy = mangled(f, honest, (enum mangling)kind);
            if (announced)
                rig_announce(&f->rig, honest);
            uint64_t bytes = chain_disk_bytes(f->rig.chain);
            struct chain_block_result result = rig_accept(&f->rig, &copy);
            enum reject_class class = reject_class(result.verdict.code);
            assert_true(class == REJECT_CLASS_MUTATED || class == REJECT_CLASS_PROTOCOL);
            assert_int_equal(chain_disk_bytes(f->rig.chain), bytes);
            result = rig_accept(&f->rig, honest);
            assert_int_equal(result.verdict.code, REJECT_NONE);
            assert_true(result.is_connected);
            /* And a copy that comes late changes nothing. */
            (void)rig_accept(&f->rig, &copy);
            assert_true(rig_is_at(&f->rig, honest));
            rig_deinit(&f->rig);
        }
}

TEST(copies_and_the_honest_block_may_be_checked_at_once, struct fixture *f)
{
    fixture_start_at_base(f);
    const struct built_block *honest = block_to_mangle(f);
    while (honest->block.n_tx != 3)
        honest = block_to_mangle(f);
    struct answer answers[2 * MANGLING_COUNT] = {0};
    for (int kind = 0; kind < MANGLING_COUNT; kind++) {
        struct built_block copy = mangled(f, honest, (enum mangling)kind);
        submit_block(f, &copy, 0, &answers[2 * kind]);
        submit_block(f, honest, 0, &answers[2 * kind + 1]);
    }
    rig_settle(&f->rig);
    int n_new = 0;
    for (int kind = 0; kind < MANGLING_COUNT; kind++) {
        assert_true(answers[2 * kind].is_done && answers[2 * kind + 1].is_done);
        assert_int_equal(answers[2 * kind + 1].verdict.code, REJECT_NONE);
        assert_true(answers[2 * kind + 1].result.is_connected);
        n_new += answers[2 * kind + 1].result.is_new;
    }
    assert_int_equal(n_new, 1);
    assert_true(rig_is_at(&f->rig, honest));
}

TEST(a_block_from_the_future_is_taken_when_its_time_has_come, struct fixture *f)
{
    fixture_start_at_base(f);
    int64_t now_s = core_now_s(core_of(f->rig.chain));
    struct builder_spec spec = {.time = (uint32_t)now_s + 7200 + 60};
    const struct built_block *early = builder_block(&f->b, base_tip(f), &spec);
    assert_int_equal(rig_accept(&f->rig, early).verdict.code, REJECT_TIME_TOO_NEW);
    assert_null(chain_find(f->rig.chain, &early->block.hash));
    sim_env_run_for(f->rig.sim, INT64_C(61) * 1000000);
    assert_true(rig_accept(&f->rig, early).is_connected);
}

/* -- Invalid for good -------------------------------------------------------------------------- */

TEST(a_block_that_breaks_a_rule_for_good_is_remembered, struct fixture *f)
{
    fixture_start_at_base(f);
    struct built_block *bad = arena_calloc(&f->b.arena, 1, sizeof *bad);
    *bad = *builder_block(&f->b, base_tip(f), NULL);
    bad->block.tx[0] = f->base[7]->block.tx[0]; /* names another height */
    fixture_seal(f, bad);
    uint64_t bytes = chain_disk_bytes(f->rig.chain);
    assert_int_equal(rig_accept(&f->rig, bad).verdict.code, REJECT_CB_HEIGHT);
    assert_int_equal(chain_disk_bytes(f->rig.chain), bytes);
    assert_int_equal(f->rig.n_invalid, 1);
    const struct built_block *child = builder_block(&f->b, bad, NULL);
    assert_int_equal(rig_accept(&f->rig, child).verdict.code, REJECT_PREV_INVALID);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
    chain_check(f->rig.chain);
}

TEST(a_block_known_to_be_invalid_stays_so_over_a_restart, struct fixture *f)
{
    fixture_start_at_base(f);
    const struct built_block *bad = block_spending(f, base_tip(f), 2, BUILDER_TRUE);
    assert_int_equal(rig_accept(&f->rig, bad).verdict.code, REJECT_SCRIPT_FAILED);
    assert_int_equal(rig_close(&f->rig), 0);
    rig_open(&f->rig);
    rig_settle(&f->rig);
    assert_int_equal(rig_accept(&f->rig, bad).verdict.code, REJECT_DUPLICATE_INVALID);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
}

TEST(bytes_that_are_no_block_are_refused, struct fixture *f)
{
    struct answer answer = {0};
    fixture_start(f);
    for (size_t len = 0; len < 100; len++) {
        answer = (struct answer){0};
        chain_accept_block(f->rig.chain, xcalloc(1, len ? len : 1), len, 0, note_block, &answer);
        rig_wait(&f->rig, &answer.is_done);
        assert_int_not_equal(answer.verdict.code, REJECT_NONE);
        assert_null(answer.result.node);
    }
    assert_int_equal(tree_of(f->rig.chain)->count, 1);
}

/* -- Unasked: hazard 49 ------------------------------------------------------------------------ */

struct unasked {
    const struct built_block *block;
    int flags;
    bool is_stored;
};

static void assert_stored(struct fixture *f, const struct unasked *row)
{
    uint64_t bytes = chain_disk_bytes(f->rig.chain);
    uint64_t changes = sim_disk_changes(sim_env_disk(f->rig.sim));
    struct chain_block_result result = accept_with(f, row->block, row->flags);
    rig_settle(&f->rig);
    assert_int_equal(result.verdict.code, REJECT_NONE);
    assert_int_equal(result.is_new, row->is_stored);
    assert_int_equal((result.node->status & BLOCK_HAVE_DATA) != 0, row->is_stored);
    assert_int_equal(chain_disk_bytes(f->rig.chain) > bytes, row->is_stored);
    if (!row->is_stored)
        assert_int_equal(sim_disk_changes(sim_env_disk(f->rig.sim)), changes);
}

TEST(unasked_blocks_of_little_work_or_far_ahead_leave_the_disk_alone, struct fixture *f)
{
    fixture_start_at_base(f);
    const struct built_block *low = builder_block(&f->b, f->base[BASE_HEIGHT - 2], NULL);
    const struct built_block *equal = builder_block(&f->b, f->base[BASE_HEIGHT - 1], NULL);
    const struct built_block *far = builder_blocks(&f->b, base_tip(f), 290, NULL);
    rig_announce(&f->rig, far);
    rig_settle(&f->rig);
    const struct unasked rows[] = {
        {low, 0, false},
        {equal, 0, true}, /* as much as the tip */
        {built_ancestor(far, BASE_HEIGHT + 288), 0, true},
        {built_ancestor(far, BASE_HEIGHT + 289), 0, false},
        {built_ancestor(far, BASE_HEIGHT + 290), CHAIN_ACCEPT_FORCE, true},
        {low, CHAIN_ACCEPT_FORCE, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_stored(f, &rows[i]);
    assert_true(rig_is_at(&f->rig, base_tip(f)));
}

TEST(blocks_below_the_least_work_are_stored_only_if_asked_for, struct fixture *f)
{
    struct u256 work = u256_of(2 * 5); /* genesis and four blocks */
    f->options.min_chain_work = &work;
    fixture_start(f);
    for (int32_t at = 1; at <= 3; at++) {
        assert_stored(f, &(struct unasked){f->base[at], 0, false});
        assert_stored(f, &(struct unasked){f->base[at], CHAIN_ACCEPT_FORCE, true});
    }
    assert_stored(f, &(struct unasked){f->base[4], 0, true});
}

/* -- Answers ----------------------------------------------------------------------------------- */

TEST(the_same_block_many_times_at_once_is_stored_once, struct fixture *f)
{
    struct answer answers[20] = {0};
    fixture_start(f);
    uint64_t bytes = chain_disk_bytes(f->rig.chain);
    for (size_t i = 0; i < COUNT_OF(answers); i++)
        submit_block(f, f->base[1], 0, &answers[i]);
    rig_settle(&f->rig);
    int n_new = 0;
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        assert_true(answers[i].is_done);
        assert_true(answers[i].result.is_connected);
        n_new += answers[i].result.is_new;
    }
    assert_int_equal(n_new, 1);
    assert_int_equal(chain_disk_bytes(f->rig.chain),
                     bytes + f->base[1]->block.raw.len + BLOCK_RECORD_HEADER_BYTES +
                         block_files_info(files_of(f->rig.chain), 0)->undo_bytes);
}

TEST(after_a_fault_no_block_is_taken_and_none_is_blamed, struct fixture *f)
{
    struct answer before = {0}, after = {0};
    fixture_start(f);
    submit_block(f, f->base[1], 0, &before);
    core_fault(core_of(f->rig.chain), -EIO, "a test");
    submit_block(f, f->base[2], 0, &after);
    rig_settle(&f->rig);
    assert_int_equal(before.verdict.code, REJECT_FAULT);
    assert_int_equal(after.verdict.code, REJECT_FAULT);
    assert_int_equal(f->rig.n_invalid, 0);
    assert_true(rig_is_at(&f->rig, f->b.genesis));
}
