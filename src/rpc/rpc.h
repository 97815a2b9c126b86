/* rpc.h - JSON-RPC without I/O: a request comes in, one answer goes out, maybe later.
 *
 * Layer: rpc. node/ hands HTTP requests in and gives the answers to the server. All on the loop
 * thread. Spec: JSON-RPC 1.0, 1.1 (as Core speaks it) and 2.0. */
#ifndef RPC_RPC_H
#define RPC_RPC_H

#include "mempool/block_assembler.h"
#include "mempool/fee_estimator.h"
#include "mempool/mempool_estimator.h"
#include "util/buffer.h"
#include "util/net_view.h"

struct rpc;

/* A row of getzmqnotifications. */
struct rpc_publisher {
    const char *type; /* "pubhashblock" */
    const char *address;
    int hwm; /* messages that may wait for a subscriber; 0: any number */
};

struct dev_keys;

#define RPC_DEV_NAME_MAX 64 /* chars of a snapshot's name */

/* A snapshot of chain, mempool and clock. */
struct rpc_dev_snapshot {
    char name[RPC_DEV_NAME_MAX + 1];
    struct chain_moment moment;
    int32_t height;
    int64_t time_s; /* the node's clock */
    uint64_t n_txs; /* of the mempool */
};
/* error: NULL, or why nothing was done; is_ours: by our disk. Borrowed, like snapshot. */
typedef void rpc_dev_fn(void *arg, const struct rpc_dev_snapshot *snapshot, const char *error,
                        bool is_ours);

/* What the methods of -dev need besides. */
struct rpc_dev {
    void *ctx;
    const struct dev_keys *keys;
    /* Let the wall clock go on from there; 0: from the real time. Returns: NULL, or why nothing has
     * changed; *is_ours: by our disk, which cannot keep it over a restart. */
    const char *(*set_clock)(void *ctx, int64_t unix_s, bool *is_ours);
    /* Make one, "": under the next free number; go back to one; forget one. done once, now or
     * later. */
    void (*snapshot)(void *ctx, const char *name, rpc_dev_fn *done, void *arg);
    void (*revert)(void *ctx, const char *name, rpc_dev_fn *done, void *arg);
    void (*drop)(void *ctx, const char *name, rpc_dev_fn *done, void *arg);
    /* The index-th, in the order of their making; NULL past the last. Borrowed. */
    const struct rpc_dev_snapshot *(*at)(void *ctx, size_t index);
};

/* How far coins have come from peers. Texts are borrowed for the call. */
struct rpc_coins_fetch_info {
    const char *state, *path, *error; /* error: NULL if it has not failed */
    struct block_hash base;           /* with n_chunks, and when they are loaded */
    uint64_t n_bytes;
    uint32_t n_chunks, n_have; /* 0: no file is chosen */
    size_t n_peers, n_left;
};

struct rpc_coins_fetch {
    void *ctx;
    /* vouch: all zero: of any block that this release vouches for. Returns: NULL, or why it was not
     * begun */
    const char *(*start)(void *ctx, const struct coin_vouch *vouch);
    bool (*stop)(void *ctx); /* Returns: there was one to be stopped */
    void (*tell)(void *ctx, struct rpc_coins_fetch_info *info);
};

/* What the methods need of the node. Who has it may change it while calls come: chain, net and
 * mempool are there once they are open. */
struct rpc_node {
    void *ctx;
    const struct env *env;
    const struct log *log;
    struct chain *chain; /* NULL until the chain is open: calls get -28 */
    const struct network *network;
    const char *data_dir;    /* for getrpcinfo, help */
    void (*stop)(void *ctx); /* begin the node's clean stop */
    /* "" or what is being done while starting; shown with error -28. */
    const char *(*warmup_status)(void *ctx);
    /* Wall clock offset for tests: setmocktime (0 turns it off), mockscheduler. */
    void (*set_mock_time)(void *ctx, int64_t unix_s);
    void (*advance_timers)(void *ctx, int64_t delta_s);
    /* done(arg) once, now or later: files that timers had written are on disk. NULL: there are
     * none. */
    void (*settle_files)(void *ctx, void (*done)(void *arg), void *arg);
    int64_t (*now_s)(void *ctx); /* wall clock, mocked if set */
    const struct env *clock;     /* whose now_us nobody sets, for uptime */
    int64_t start_us;            /* by it */
    /* The index-th warning of the node, the oldest kind first; NULL past the last. */
    const char *(*warning)(void *ctx, size_t index);
    /* -debug categories may be changed at run time (logging). */
    struct log *log_control;
    /* The network; NULL while there is none: methods that need it get -31. */
    const struct net_view *net;
    /* Transactions that wait for a block; NULL while there is no mempool: methods that need it get
     * -33. */
    struct mempool *mempool;
    /* What is known of fees; NULL where nothing is learnt: with -blocksonly. Both or none. */
    const struct fee_estimator *fees;
    struct mempool_estimator *mempool_fees;
    const struct history *history; /* of the chain; NULL: nothing is noted */
    const struct rpc_publisher *publishers;
    size_t n_publishers;
    const struct rpc_coins_fetch *coins_fetch; /* NULL: there is no mesh yet */
    const struct rpc_dev *dev; /* of -dev; NULL: without, its methods get an error */
    int64_t fallback_sat_per_kvb;         /* what is said where nothing is known; 0: that */
    struct block_assembler_options block; /* for mining; all zero: the defaults */
};

/* Credentials, and what else of the interface is fixed at start. */
struct rpc_auth_options {
    const char *cookie;          /* "__cookie__:hex", or NULL */
    const char *user, *password; /* -rpcuser, -rpcpassword, or NULL */
    const char *const *rpcauth;  /* "user:salt$hmac" each */
    size_t n_rpcauth;
    const char *const *whitelist; /* -rpcwhitelist "user:method,method" */
    size_t n_whitelist;
    bool whitelist_default;
    bool rest;                       /* -rest: reading without a login */
    size_t event_log_max;            /* events that /events holds; 0: the default */
    bool deprecated_warnings_string; /* -deprecatedrpc=warnings */
    bool deprecated_start_height;    /* -deprecatedrpc=startingheight */
    const char *ui_address;          /* -ui: "http://127.0.0.1:18443"; NULL: no dashboard */
    const char *ui_mesh_path;        /* -uimesh, or NULL */
};

/* The methods that can be called: see rpc/method_table.h. */
struct rpc_method;
struct rpc_methods {
    const struct rpc_method *at; /* sorted by category, then name */
    size_t n;
};

/* All methods there are. Lives for ever. */
const struct rpc_methods *rpc_methods(void);

/* Make what answers calls.
 *
 * In:       node, methods  borrowed as long as it lives
 * Returns:  NULL with *error (xfree it) for malformed credentials
 * Owns:     the caller, who frees it with rpc_free() */
NODISCARD struct rpc *rpc_new(const struct rpc_node *node, const struct rpc_methods *methods,
                              const struct rpc_auth_options *auth, char **error);
/* Let other credentials and whitelists count from now on; the rest of auth is not looked at.
 *
 * Returns:  false with *error (xfree it) for malformed ones: those of before count */
NODISCARD bool rpc_set_auth(struct rpc *rpc, const struct rpc_auth_options *auth, char **error);
/* Free it; no call may be pending. NULL is allowed. */
void rpc_free(struct rpc *rpc);

/* Memory of all answers together, in the making or not yet read by their clients. Beyond, calls of
 * large answers and batches wait until clients have read: see rpc_room.c. */
#define RPC_ANSWERS_BYTES_MAX ((size_t)128 << 20)
#define RPC_LARGE_BYTES       ((size_t)16 << 20) /* presumed of a large answer in the making */
/* Large answers of one client in the making: one a thread, but no fewer than these. */
#define RPC_SHARE_LEAST     ((size_t)4)
#define RPC_BATCH_WHOLE_MAX ((size_t)32 << 20) /* a batch's answers; more are sent in parts */
#define RPC_BATCH_WINDOW    ((size_t)1 << 20)  /* of these, what the client has not read */
#define RPC_BATCH_PART      ((size_t)256 << 10)
#define RPC_SMALL_BYTES     ((size_t)64 << 10) /* of light answers that none waits for */

#define RPC_STREAMS_MAX 64 /* clients of /events */

struct rpc_reply;

/* What the server can do for a call; arg is that of rpc_handle(). On the loop thread. */
struct rpc_client {
    /* The call waits for something to happen from now on. Returns: false if too many do. */
    bool (*park)(void *arg);
    /* Send a part of the answer, whose body is taken; the reply is its last. */
    void (*send_part)(void *arg, struct rpc_reply *part);
    /* Bytes of answers not read yet: the client's own, and memory held for all clients. When the
     * latter falls, rpc_on_room() is owed. */
    size_t (*unread)(void *arg);
    size_t (*unread_all)(void *arg);
};

struct rpc_request {
    const char *http_method;   /* "POST", "GET", ... */
    const char *uri;           /* path, "/" for calls */
    const char *authorization; /* header value, or NULL */
    const char *content_type;  /* header value, or NULL */
    const char *last_event_id; /* header value, or NULL */
    const char *host, *origin, *cookie; /* header values, or NULL */
    const char *fetch_site, *fetch_mode, *fetch_dest; /* of Sec-Fetch-..., or NULL */
    const char *peer;          /* for the log */
    struct span body;          /* borrowed for the call */
    struct buffer *body_take;  /* that holds body: its bytes may be taken. NULL: they are copied */
    bool is_in_reserve;        /* the server is full: only methods that are quick are done */
    const struct rpc_client *client; /* NULL: any number may wait, and nothing is held back */
};

/* The answer: HTTP status, headers, body. The body's bytes may be taken (set reply->body to
 * empty). delay_ms: answer only after this long (failed authentication), without blocking. */
struct rpc_reply {
    int status;
    const char *content_type;
    const char *www_authenticate; /* header value or NULL */
    const char *headers;          /* more, each with its line end; NULL: none */
    int64_t delay_ms;
    bool is_cut; /* no answer can be made, or no end of it: end the connection */
    struct buffer body;
};
typedef void rpc_reply_fn(void *arg, struct rpc_reply *reply);

/* Is the path of an URI one for calls, or a route of REST, if -rest or not? */
bool rpc_has_path(const char *uri);

/* May the request be handled, as far as its head tells: path, method, login? Its body is not looked
 * at, so that who does not know the password fills nobody's memory.
 *
 * Out:      body_max  bytes that the body may have
 *           reply     if not: the refusal; the caller frees its body
 * Returns:  true if rpc_handle() would look at the body */
NODISCARD bool rpc_admit(const struct rpc *rpc, const struct rpc_request *request, size_t *body_max,
                         struct rpc_reply *reply);

/* Handle one HTTP request. reply is called exactly once, now or later, unless cancelled first.
 * Returns a token that is never reused. */
uint64_t rpc_handle(struct rpc *rpc, const struct rpc_request *request, rpc_reply_fn *reply,
                    void *arg);
/* The client is gone: nobody wants the answer. Unknown tokens are ignored. */
void rpc_cancel(struct rpc *rpc, uint64_t token);
/* The node is stopping: answer all that wait (waitfornewblock and the like). */
void rpc_interrupt(struct rpc *rpc);
/* Clients have read answers: calls that wait for room may begin, a moment later. */
void rpc_on_room(struct rpc *rpc);
/* Calls not answered yet. */
size_t rpc_pending(const struct rpc *rpc);

/* Chain events that calls wait for; node forwards them. */
void rpc_on_tip_changed(struct rpc *rpc, const struct block_node *tip);
/* A block was connected, or taken back; for /events. */
void rpc_on_block(struct rpc *rpc, const struct block_node *block, bool is_connected);
/* A transaction came into the mempool, or left it; likewise. */
void rpc_on_mempool_changed(struct rpc *rpc, const struct mempool_event *change);

#endif
