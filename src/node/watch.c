/* watch.c - see watch.h */
#include "node/watch.h"

#include <stdio.h>

#include "consensus/pow.h"

_Static_assert(VERSIONBITS_RULE_BITS <= 8 * sizeof(uint32_t), "a bit for each rule");

/* Ahead, by work: fewer may be chance, or somebody's mistake. Core: CheckForkWarningConditions() */
#define FORK_BLOCKS 6

char *watch_rules(struct versionbits_unknown *unknown, const struct chain *chain, char *line)
{
    chain_update_unknown_rules(chain, chain_tip(chain), unknown);
    *line = '\0';
    for (int bit = 0; bit < VERSIONBITS_RULE_BITS && !*line; bit++)
        if (unknown->active >> bit & 1)
            snprintf(line, WATCH_LINE_BYTES, "Unknown new rules activated (versionbit %d)", bit);
    return line;
}

const char *watch_forks(const struct chain *chain)
{
    const struct block_node *failed = chain_best_failed(chain), *tip = chain_tip(chain);
    if (!failed)
        return "";
    struct u256 ahead = tip->chain_work, block = pow_block_work(tip->bits);
    for (int i = 0; i < FORK_BLOCKS; i++)
        ahead = u256_add(ahead, block);
    if (u256_compare(failed->chain_work, ahead) <= 0)
        return "";
    return "Warning: Found invalid chain more than 6 blocks longer than our best chain. This could "
           "be due to database corruption or consensus incompatibility with peers.";
}
