/* scan_orders.h - what scantxoutset and scanblocks look for: descriptors and their scripts.
 *
 * Layer: rpc. */
#ifndef RPC_SCAN_ORDERS_H
#define RPC_SCAN_ORDERS_H

#include "rpc/rpc_internal.h"
#include "spend/descriptor/desc.h"

/* Indexes of all descriptors of a call: bounds the memory of a scan. */
#define SCAN_INDEXES_MAX 1000000
/* Keys that are derived for them: bounds its time. Three keys at each of a million indexes. */
#define SCAN_KEYS_MAX 4000000

struct scan_order {
    struct desc_list list;
    uint32_t first, last; /* of the range */
};

struct scan_orders {
    struct arena arena; /* descriptors and scripts */
    const struct ec_context *ec;
    struct scan_order *at;
    size_t n;
    uint64_t n_indexes; /* of all variants: each makes DESC_SCRIPTS_MAX scripts at most */
    uint64_t n_keys;    /* derived for these; kilobytes of text are counted in */
};

/* A script, and where it comes from. */
struct scan_script {
    struct span script; /* in the orders' arena */
    const struct desc *desc;
    uint32_t index, at;
};
typedef void scan_script_fn(void *arg, const struct scan_script *made);

/* What a call of these methods is for. */
enum scan_action { SCAN_START, SCAN_ABORT, SCAN_STATUS };

/* Read the argument action, which both have first. False, with an error, for any other. */
NODISCARD bool scan_read_action(struct rpc_call *call, enum scan_action *action);

/* Nothing is looked for. ec is borrowed. */
void scan_orders_init(struct scan_orders *orders, const struct ec_context *ec);
/* Free descriptors and scripts. */
void scan_orders_deinit(struct scan_orders *orders);
/* Read the argument scanobjects; NULL: an error, as all that is no descriptor. Any thread. */
NODISCARD bool scan_orders_read(struct rpc_call *call, const struct json_value *objects,
                                struct scan_orders *orders);
/* Make all scripts. Takes a while for large ranges. Any thread. */
void scan_orders_derive(struct scan_orders *orders, scan_script_fn *fn, void *arg);
/* An order of scripts: the shorter first. */
int scan_compare_scripts(struct span a, struct span b);

/* The scripts alone, in that order; their bytes are the orders'. */
struct scan_scripts {
    struct span *at;
    size_t n, capacity;
};

/* Make them, in the place of none. Any thread. */
void scan_scripts_make(struct scan_orders *orders, struct scan_scripts *out);
bool scan_scripts_have(const struct scan_scripts *scripts, struct span script);
void scan_scripts_deinit(struct scan_scripts *scripts);

#endif
