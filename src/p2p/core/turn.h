/* turn.h - what time it is, chance, and the next turn of the mesh.
 *
 * Layer: p2p, internal. The lowest part: whoever has news asks for a turn, in which all are looked
 * at, and need not know who they are. What each transaction needs a dozen of are turns of some
 * parts alone: the others have nothing to do with it. */
#ifndef P2P_CORE_TURN_H
#define P2P_CORE_TURN_H

#include <stdint.h>

struct p2p;

/* Who has turns of his own; p2p.c says which parts of the mesh they are. */
enum turn_part {
    TURN_PEERS,  /* what peers have sent or asked for, and what had to wait */
    TURN_TXS,    /* transactions to ask for and to try again */
    TURN_TELL,   /* blocks and transactions that peers are to be told of */
    TURN_OTHERS, /* all that is done seldom */
    TURN_PARTS
};

/* The monotonic clock. Units: microseconds */
int64_t p2p_now_us(const struct p2p *p2p);
/* The wall clock, which may jump. Units: seconds since 1970 */
int64_t p2p_now_s(const struct p2p *p2p);
/* A random number. Returns: 0 .. below - 1; below is not 0 */
uint64_t p2p_random(const struct p2p *p2p, uint64_t below);
/* A waiting time of a Poisson process. Returns: 0 or more, mean_us in the mean */
int64_t p2p_random_wait_us(const struct p2p *p2p, int64_t mean_us);

/* Have everything looked at no later than that.
 *
 * In:       at_us  what is over counts as now; INT64_MAX: never. Nothing happens before p2p_start()
 *                  and after p2p_stop() */
void p2p_schedule(struct p2p *p2p, int64_t at_us);
/* The same at once, but from a turn of its own. */
void p2p_schedule_now(struct p2p *p2p);
/* As p2p_schedule(), of one part alone. */
void p2p_schedule_part(struct p2p *p2p, enum turn_part part, int64_t at_us);
/* As p2p_schedule_now(), of one part alone. */
void p2p_schedule_part_now(struct p2p *p2p, enum turn_part part);

#endif
