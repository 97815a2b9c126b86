/* run_reach.h - whom a block has reached, and how long that took.
 *
 * Layer: sim. Counted are the honest nodes but its miner that were up when it was mined; one that
 * goes down before it has the block is not waited for. A node has a block once it was on the way to
 * a tip of it: a stale block reaches only those that went for it. */
#ifndef SIM_REPORT_RUN_REACH_H
#define SIM_REPORT_RUN_REACH_H

#include "sim/report/run.h"

/* A block was mined now (run.t_us), by block->miner.
 *
 * Returns: false if RUN_REACH_BYTES_MAX are in use */
NODISCARD bool run_reach_mined(struct run *run, struct run_block *block);

/* A node has a new tip; NULL: one from before the trace. Counts reorganisations as well. */
void run_reach_tip(struct run *run, uint32_t node, struct run_block *tip);

/* A node went down. */
void run_reach_down(struct run *run, uint32_t node);

#endif
