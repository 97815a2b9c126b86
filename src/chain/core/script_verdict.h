/* script_verdict.h - script_verify(), unless another node of this process has asked before.
 *
 * Layer: chain. For jobs: any thread. */
#ifndef CHAIN_CORE_SCRIPT_VERDICT_H
#define CHAIN_CORE_SCRIPT_VERDICT_H

#include "consensus/script_verify.h"
#include "util/env.h"

/* script_verify(), by way of env->verdicts where there are any. Nothing but the wtxid, the input
 * and the flags has a part in the result: see script_cache.h. */
NODISCARD enum script_error script_verdict(const struct env *env, const struct script_check *check,
                                           struct script_scratch *scratch);

#endif
