/* test_study_load.c - transactions whose scripts hold, the oldest coin first. */
#include "sim/study/study_load.h"

#include "consensus/script_verify.h"
#include "support/unit.h"
#include "util/alloc.h"
#include "util/arena.h"

static void check_scripts(const struct study_load *load, const struct study_tx *made,
                          int64_t value_sat)
{
    struct arena arena;
    struct tx tx;
    arena_init(&arena, 4096);
    size_t n = strlen(made->hex) / 2;
    uint8_t *raw = xmalloc(n);
    assert_true(hex_decode(raw, n, made->hex, 2 * n));
    struct reader r = reader_of(span_of(raw, n));
    assert_true(tx_decode(&r, &arena, true, &tx));
    struct tx_out spent[STUDY_LOAD_INPUTS];
    for (size_t i = 0; i < STUDY_LOAD_INPUTS; i++)
        spent[i] =
            (struct tx_out){.value_sat = value_sat, .script_pubkey = study_load_script(load)};
    struct script_scratch *scratch = script_scratch_new();
    for (uint32_t i = 0; i < tx.n_in; i++) {
        const struct script_check check = {
            .tx = &tx, .input = i, .flags = SCRIPT_VERIFY_STANDARD, .spent = spent};
        assert_int_equal(script_verify(&check, scratch), SCRIPT_OK);
    }
    script_scratch_free(scratch);
    xfree(raw);
    arena_deinit(&arena);
}

TEST(scripts_hold_and_fees_are_paid)
{
    struct study_load *load = study_load_new(sim_random_of(1, 1));
    struct study_tx made;
    assert_false(study_load_make(load, &made));
    for (uint32_t i = 0; i < 20; i++) {
        struct sim_coin coin = {.outpoint = {.vout = i}, .value_sat = 1000000};
        study_load_add(load, &coin);
    }
    size_t n = 0;
    while (study_load_make(load, &made)) {
        int64_t paid = made.coin[0].value_sat + made.coin[1].value_sat;
        assert_true((paid > 990000 && paid < 1000000) || (paid > 1990000 && paid < 2000000));
        check_scripts(load, &made, 1000000);
        xfree(made.hex);
        n++;
    }
    assert_in_range(n, 10, 20);
    study_load_free(load);
}
