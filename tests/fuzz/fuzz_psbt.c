/* fuzz_psbt.c - whatever reads as a PSBT is written and read as the same, and can be worked on:
 * looked at, pretended to be signed, combined with itself, made final. */
#include <stddef.h>
#include <stdint.h>

#include "spend/sign/sign_psbt.h"

static void check_again(const struct psbt *psbt, struct arena *arena)
{
    struct buffer first, second;
    struct psbt both[2], *again = both;
    const char *error;
    buffer_init(&first);
    buffer_init(&second);
    psbt_write(psbt, &first);
    ASSERT(psbt_read(buffer_span(&first), arena, again, &error));
    psbt_write(again, &second);
    ASSERT(span_equal(buffer_span(&first), buffer_span(&second)));
    both[1] = *psbt;
    ASSERT(psbt_combine(both, COUNT_OF(both)));
    second.len = 0;
    psbt_write(again, &second);
    ASSERT(span_equal(buffer_span(&first), buffer_span(&second)));
    buffer_deinit(&first);
    buffer_deinit(&second);
}

static void work_on(struct psbt *psbt, enum solve_mode mode)
{
    struct key_book nothing;
    struct sign_session session;
    struct solve_result missing;
    const struct sign_order order = {.mode = mode, .finalize = true};
    key_book_init(&nothing, NULL, psbt->arena);
    sign_session_init(&session, psbt, &nothing);
    for (size_t i = 0; i < psbt->n_inputs; i++) {
        (void)sign_psbt_input(&session, i, &order, &missing);
        solve_result_deinit(&missing);
    }
    for (size_t i = 0; i < psbt->n_outputs; i++)
        sign_psbt_output(&session, i);
    sign_psbt_drop_previous(psbt);
    sign_session_deinit(&session);
    key_book_deinit(&nothing);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct psbt psbt;
    struct tx tx;
    const char *error = NULL;
    arena_init(&arena, 1 << 16);
    if (psbt_read(span_of(data, size), &arena, &psbt, &error)) {
        check_again(&psbt, &arena);
        work_on(&psbt, SOLVE_LOOK);
        work_on(&psbt, SOLVE_PRETEND);
        psbt_extract(&psbt, &tx);
        ASSERT(tx.n_in == psbt.n_inputs);
    } else {
        ASSERT(error);
    }
    arena_deinit(&arena);
    return 0;
}
