/* sign_fixture.h - a PSBT that spends an output of a descriptor. */
#ifndef TESTS_UNIT_SPEND_SIGN_FIXTURE_H
#define TESTS_UNIT_SPEND_SIGN_FIXTURE_H

#include "spend/descriptor/desc.h"
#include "spend/sign/sign_psbt.h"
#include "support/unit.h"
#include "util/alloc.h"

/* The secret keys 1 and 2, the public key of 3, and an x whose secret nobody knows. */
#define W1   "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA"
#define W2   "cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87K7XCyj5v"
#define K1   "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define K3   "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"
#define NUMS "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0"
#define TPRV                                                                                       \
    "tprv8ZgxMBicQKsPd7Uf69XL1XwhmjHopUGep8GuEiJDZmbQz6o58LninorQAfcKZWARbtRtfnLcJ5MQ2AtHcQJCCRUc" \
    "MRvmDUjyEmNUWwx8UbK"

enum { COIN_SAT_HERE = 100000 };

struct fixture {
    struct ec_context *ec;
    struct arena arena;
    struct key_book book;
    struct psbt psbt;
    struct tx previous;
    struct sign_session session;
    bool is_in_session;
};

static inline int setup(void **state)
{
    static const uint8_t seed[32] = {4};
    struct fixture *f = xcalloc(1, sizeof *f);
    f->ec = ec_context_new(seed);
    arena_init(&f->arena, 1 << 16);
    key_book_init(&f->book, f->ec, &f->arena);
    *state = f;
    return 0;
}

static inline void end_session(struct fixture *f)
{
    if (f->is_in_session)
        sign_session_deinit(&f->session);
    f->is_in_session = false;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    end_session(f);
    key_book_deinit(&f->book);
    arena_deinit(&f->arena);
    ec_context_free(f->ec);
    xfree(f);
    return 0;
}

/* Put what a descriptor tells into the book. Returns: its (last) script. */
static inline struct span learn(struct fixture *f, const char *text, enum desc_expand_mode mode)
{
    struct desc_list list;
    struct span scripts[DESC_SCRIPTS_MAX];
    const struct network *network = network_find("regtest");
    if (!desc_parse(f->ec, network, span_of_string(text), &f->arena, &list))
        fail_msg("%s: %s", text, list.error);
    assert_true(desc_expand(list.variant[0], 0, mode, &f->book));
    size_t n = desc_scripts(f->ec, list.variant[0], 0, &f->arena, scripts);
    assert_true(n > 0);
    return scripts[n - 1];
}

static inline void forget(struct fixture *f)
{
    key_book_deinit(&f->book);
    key_book_init(&f->book, f->ec, &f->arena);
}

/* A PSBT of version 2 that spends an output of script to itself; with the whole previous
 * transaction, or only with the output. */
static inline void begin(struct fixture *f, struct span script, bool is_whole)
{
    struct tx tx = {.version = 2, .lock_time = 100, .n_in = 1, .n_out = 1};
    end_session(f);
    f->previous = (struct tx){.version = 1, .n_in = 1, .n_out = 1};
    f->previous.in = arena_calloc(&f->arena, 1, sizeof *tx.in);
    f->previous.out = arena_calloc(&f->arena, 1, sizeof *tx.out);
    f->previous.out[0] = (struct tx_out){.value_sat = COIN_SAT_HERE, .script_pubkey = script};
    tx_finish(&f->previous, &f->arena);
    tx.in = arena_calloc(&f->arena, 1, sizeof *tx.in);
    tx.out = arena_calloc(&f->arena, 1, sizeof *tx.out);
    tx.in[0] = (struct tx_in){.prevout = {f->previous.txid, 0}, .sequence = 10};
    tx.out[0] = (struct tx_out){.value_sat = COIN_SAT_HERE - 1000, .script_pubkey = script};
    psbt_from_tx(&tx, PSBT_VERSION_2, &f->arena, &f->psbt);
    uint8_t *coin = arena_alloc(&f->arena, 20 + script.len);
    struct writer w = writer_to_buffer(coin, 20 + script.len);
    tx_out_encode(&w, &f->previous.out[0]);
    if (is_whole)
        psbt_put(&f->psbt, &f->psbt.inputs[0], PSBT_IN_NON_WITNESS_UTXO, span_of("", 0),
                 f->previous.raw);
    else
        psbt_put(&f->psbt, &f->psbt.inputs[0], PSBT_IN_WITNESS_UTXO, span_of("", 0),
                 span_of(coin, w.len));
}

/* Sign with what the book has now. */
static inline enum sign_outcome sign(struct fixture *f, enum solve_mode mode, bool finalize)
{
    const struct sign_order order = {.mode = mode, .finalize = finalize};
    end_session(f);
    sign_session_init(&f->session, &f->psbt, &f->book);
    f->is_in_session = true;
    return sign_psbt_input(&f->session, 0, &order, NULL);
}

#endif
