/* coin_scan.h - every coin of the committed tip shown to somebody, off the loop.
 *
 * Layer: chain. Loop thread only. A full set takes long: it is read last among all reads, and the
 * job ends early when the chain is being closed. */
#ifndef CHAIN_ASK_COIN_SCAN_H
#define CHAIN_ASK_COIN_SCAN_H

#include "chain/upkeep/flush.h"

/* Flush, then show every coin of the committed tip; see chain_scan_coins().
 *
 * Out:  visit(arg, outpoint, coin)  on another thread, until it returns false
 *       done(arg, error, tip)       once */
void coin_scan(struct flush *flush, chain_coin_fn *visit,
               void (*done)(void *arg, int error, const struct block_node *tip), void *arg);

#endif
