/* address_orders.h - the scripts that the methods of the address index are asked about.
 *
 * Layer: rpc. */
#ifndef RPC_ADDRESS_ORDERS_H
#define RPC_ADDRESS_ORDERS_H

#include "chain/ask/address_history.h"
#include "rpc/scan_orders.h"

/* A script, or only its hash. */
struct address_script {
    struct script_hash hash;
    struct span script; /* empty: not known */
    const struct desc *desc;
    uint32_t index, at; /* in the descriptor: see scan_script */
};

/* In the order of their scripts, those whose scripts are not known first. */
struct address_orders {
    struct scan_orders orders;
    ARRAY(struct address_script) scripts;
    size_t n_unknown; /* of which only the hash is known */
};

/* Nothing is asked about. ec is borrowed. */
void address_orders_init(struct address_orders *orders, const struct ec_context *ec);
/* Free scripts and descriptors. */
void address_orders_deinit(struct address_orders *orders);
/* Read the first argument: an address, a descriptor, {"desc", "range"}, {"scripthash"}, or an array
 * of these; and make all scripts. False, with an error. Any thread. */
NODISCARD bool address_orders_read(struct rpc_call *call, struct address_orders *orders);
/* The script among them, or NULL. */
const struct address_script *address_orders_find(const struct address_orders *orders,
                                                 struct span script);

#endif
