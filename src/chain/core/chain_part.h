/* chain_part.h - a part of the chain, as the chain's turn and its end see it.
 *
 * Layer: chain. A part that has news calls core_wake() and knows nobody else: the turn asks each
 * part in the order of one table (chain/turn.c) what it can do now. A part never calls another
 * one's step: that would be a turn within a turn, and its own state would change under its feet. */
#ifndef CHAIN_CORE_CHAIN_PART_H
#define CHAIN_CORE_CHAIN_PART_H

#include <stdbool.h>

struct chain_part {
    /* Do what can be done now, without waiting. Called in every turn, so it looks first whether
     * there is anything. NULL: never has anything to do. */
    void (*step)(void *part);
    /* Jobs of its own are under way, beyond those that core_begin() counts: closing waits. NULL:
     * never. */
    bool (*is_busy)(const void *part);
    /* The chain is being closed: answer those who wait for something that will not be, and start
     * nothing any more. NULL: nobody waits here. */
    void (*cancel)(void *part);
};

#endif
