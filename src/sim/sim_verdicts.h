/* sim_verdicts.h - results of script checks that the nodes of a world share.
 *
 * Layer: sim. A table with one place for each hash: what comes later takes it. Any thread may ask
 * and tell: who is first to check a script is seen in nothing but how often one was checked
 * twice. See
 * util/env_verdicts.h. */
#ifndef SIM_SIM_VERDICTS_H
#define SIM_SIM_VERDICTS_H

#include "util/env.h"

struct sim_verdicts;

/* An empty table. Owns: the caller. */
struct sim_verdicts *sim_verdicts_new(void);
/* NULL is allowed. */
void sim_verdicts_free(struct sim_verdicts *verdicts);
/* It as a part of a world, valid as long as it. */
struct env_verdicts sim_verdicts_env(struct sim_verdicts *verdicts);
/* Questions so far that it knew the answer to, and that it did not. */
void sim_verdicts_count(const struct sim_verdicts *verdicts, uint64_t *known, uint64_t *unknown);

#endif
