/* rpc_rig.h - calls to a chain on a simulated machine, answered as text.
 *
 * For tests of rpc/. The chain is regtest; its blocks come from the builder, or are mined by the
 * methods themselves. */
#ifndef TESTS_SUPPORT_RPC_RIG_H
#define TESTS_SUPPORT_RPC_RIG_H

#include "mempool/mempool.h"
#include "rpc/rpc.h"
#include "support/chain_rig.h"

/* The login of the one user: "Authorization: Basic ..." of u:p. */
#define RPC_RIG_LOGIN "Basic dTpw"

/* An answer that came, or is to come. */
struct rpc_rig_answer {
    bool is_done, is_cut;
    int status;
    int64_t delay_ms;
    const char *content_type;
    char *www_authenticate; /* NULL if none */
    char *headers;          /* more of them; NULL if none */
    char *body;             /* zero-terminated */
};

struct rpc_rig {
    struct chain_builder builder;
    struct chain_rig chain;
    struct rpc_node node; /* tests may take parts away, or add a network */
    struct rpc *rpc;
    struct log log;
    const struct block_node *seen_tip;
    int64_t mock_time_s, advanced_s;
    bool is_stopped;
    const char *warmup;      /* what the node says; "" at first */
    const char *warnings[2]; /* NULL where there is none */
    char *result;            /* of the last rpc_rig_call() */
    char id[65];             /* of the last rpc_rig_id() */
    struct mempool *mempool; /* NULL until rpc_rig_add_mempool() */
};

/* Make a rig with an open chain. options, auth: NULL, or as for rig_start() and rpc_new(); without
 * auth the user u with password p may call everything. */
void rpc_rig_init(struct rpc_rig *rig, const struct chain_options *options,
                  const struct rpc_auth_options *auth);
void rpc_rig_deinit(struct rpc_rig *rig);
/* Give it a mempool that follows the chain. options NULL: Core's defaults. */
void rpc_rig_add_mempool(struct rpc_rig *rig, const struct mempool_options *options);

/* Start a request; *answer is filled when it is done, free it with rpc_rig_forget(). Returns its
 * token. */
uint64_t rpc_rig_start(struct rpc_rig *rig, const struct rpc_request *request,
                       struct rpc_rig_answer *answer);
/* The same with a body only. */
uint64_t rpc_rig_post(struct rpc_rig *rig, const char *body, struct rpc_rig_answer *answer);
/* Run the machine until the answer is there; fails the test after two virtual minutes. */
void rpc_rig_wait(struct rpc_rig *rig, struct rpc_rig_answer *answer);
void rpc_rig_forget(struct rpc_rig_answer *answer);
/* Run for a while, telling the calls about new tips. */
void rpc_rig_run_for(struct rpc_rig *rig, int64_t us);

/* Call a method with params (JSON text) and wait. Returns the result as compact JSON, or
 * "code: message" of the error; valid until the next call. */
const char *rpc_rig_call(struct rpc_rig *rig, const char *method, const char *params);
/* Ask for a REST path and wait. Returns "STATUS TYPE: body", in one line where the body ends with a
 * line end; valid until the next call. */
const char *rpc_rig_get(struct rpc_rig *rig, const char *format, ...) PRINTF(2, 3);
/* The same with a printf format for params. */
const char *rpc_rig_callf(struct rpc_rig *rig, const char *method, const char *format, ...)
    PRINTF(3, 4);

/* Hand built blocks to the chain and wait. */
void rpc_rig_grow(struct rpc_rig *rig, const struct built_block *last);

/* A block's hash as it is shown; valid until the next call. */
const char *rpc_rig_id(struct rpc_rig *rig, const struct built_block *block);

/* Fail the test, showing both, unless the call gives what is wanted (as rpc_rig_call() returns
 * it), or unless text has part in it, or begins with head. */
#define assert_call(rig, method, params, want)                                                     \
    rpc_rig_assert_call((rig), (method), (params), (want), __FILE__, __LINE__)
#define assert_holds(text, part)  rpc_rig_assert_holds((text), (part), __FILE__, __LINE__)
#define assert_starts(text, head) rpc_rig_assert_starts((text), (head), __FILE__, __LINE__)
void rpc_rig_assert_call(struct rpc_rig *rig, const char *method, const char *params,
                         const char *want, const char *file, int line);
void rpc_rig_assert_holds(const char *text, const char *part, const char *file, int line);
void rpc_rig_assert_starts(const char *text, const char *head, const char *file, int line);

#endif
