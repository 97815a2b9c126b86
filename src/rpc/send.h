/* send.h - what a caller allows for what he sends: rpc_send.c has it, rpc_package.c asks too.
 *
 * Layer: rpc. */
#ifndef RPC_SEND_H
#define RPC_SEND_H

#include "consensus/tx.h"
#include "rpc/rpc_internal.h"

/* Read the highest fee rate that the caller wants to pay, an argument that has a default.
 *
 * Out:      sat_per_kvb  satoshi for 1,000 virtual bytes; 0: any
 * Returns:  false: the call has failed */
bool send_read_max_rate(struct rpc_call *call, size_t index, int64_t *sat_per_kvb);

/* Would more than that be lost in an output that nobody can spend? */
bool send_burns_too_much(const struct tx *tx, int64_t max_burn_sat);

#endif
