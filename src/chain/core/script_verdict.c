/* script_verdict.c - see script_verdict.h */
#include "chain/core/script_verdict.h"

enum script_error script_verdict(const struct env *env, const struct script_check *check,
                                 struct script_scratch *scratch)
{
    ASSERT(env && check);
    const struct env_verdicts *verdicts = &env->verdicts;
    if (!verdicts->find)
        return script_verify(check, scratch);
    uint64_t of = (uint64_t)check->input << 32 | check->flags;
    int known;
    if (verdicts->find(verdicts->ctx, check->tx->wtxid.b, of, &known))
        return (enum script_error)known;
    enum script_error error = script_verify(check, scratch);
    verdicts->keep(verdicts->ctx, check->tx->wtxid.b, of, (int)error);
    return error;
}
