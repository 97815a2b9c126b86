/* rpc_internal.h - a call under way, and what handlers of methods work with.
 *
 * Layer: rpc, for this layer only. From below: rpc_call.c is what handlers end and wait by,
 * rpc_args.c reads their arguments, rpc_room.c makes them wait for memory; then the handlers, then
 * methods.c, the table of them; jsonrpc.c reads requests and writes replies, and rpc.c brings all
 * together. */
#ifndef RPC_RPC_INTERNAL_H
#define RPC_RPC_INTERNAL_H

#include "rpc/auth.h"
#include "rpc/json_in.h"
#include "rpc/dev_purse.h"
#include "rpc/json_out.h"
#include "rpc/json_write.h"
#include "rpc/rpc.h"
#include "rpc/template_cache.h"

/* Error codes on the wire. Spec: JSON-RPC 2.0 section 5.1 and Core's rpc/protocol.h */
enum rpc_code {
    RPC_MISC_ERROR = -1,
    RPC_TYPE_ERROR = -3,
    RPC_INVALID_ADDRESS_OR_KEY = -5,
    RPC_WALLET_INSUFFICIENT_FUNDS = -6,
    RPC_INVALID_PARAMETER = -8,
    RPC_CLIENT_NOT_CONNECTED = -9,
    RPC_CLIENT_IN_INITIAL_DOWNLOAD = -10,
    RPC_DATABASE_ERROR = -20,
    RPC_DESERIALIZATION_ERROR = -22,
    RPC_CLIENT_NODE_ALREADY_ADDED = -23,
    RPC_CLIENT_NODE_NOT_ADDED = -24,
    RPC_VERIFY_ERROR = -25,
    RPC_TRANSACTION_REJECTED = -26,
    RPC_ALREADY_IN_UTXO_SET = -27,
    RPC_IN_WARMUP = -28,
    RPC_CLIENT_NODE_NOT_CONNECTED = -29,
    RPC_CLIENT_INVALID_IP_OR_SUBNET = -30,
    RPC_CLIENT_P2P_DISABLED = -31,
    RPC_CLIENT_MEMPOOL_DISABLED = -33,
    RPC_CLIENT_NODE_CAPACITY_REACHED = -34,
    RPC_PRIVATE_BROADCAST_FULL = -37,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
    RPC_INTERNAL_ERROR = -32603,
    RPC_PARSE_ERROR = -32700,
};

/* What a handler returns. DONE: the result is written to call->out, or rpc_fail() was called.
 * PENDING: the handler has seen to it that rpc_finish() is called once, now or later. */
enum rpc_progress { RPC_DONE, RPC_PENDING };

#define RPC_ARGS_MAX 10 /* parameters that any method has */

struct block_scan;
struct coin_scan;
struct ec_context;
struct event_log;
struct rest_request;
struct rpc_method;
struct ui;

/* What a client, a user at an address, has under way. */
struct rpc_load {
    struct list_link link;
    char client[AUTH_USER_MAX + 64];
    size_t n_calls, n_large;
};

/* One HTTP request: a single call, or a batch whose entries run one after the other. */
struct rpc_call {
    struct rpc *rpc;
    uint64_t token;
    struct list_link link; /* among the calls not answered yet */
    rpc_reply_fn *reply;   /* NULL once nobody wants the answer */
    void *reply_arg;
    const struct rpc_client *client; /* or NULL */
    bool is_in_reserve;
    struct rest_request *rest; /* NULL: it is JSON-RPC; else there is no entry, id or method */
    bool is_long; /* the request was parsed by a job: what goes through all of it is one too */
    char user[AUTH_USER_MAX];
    struct arena arena;            /* the parsed request, and what handlers keep for their entry */
    struct arena_mark request_end; /* in it; an entry's memory is behind this */
    struct buffer answer;          /* grows while entries are executed */
    struct json_out out;           /* into answer */
    int status;                    /* HTTP */
    bool is_ui;                    /* of the dashboard's page: only what is safe may be called */
    char *headers;                 /* of the answer, owned; NULL: none */

    bool is_batch;
    bool in_parts;                  /* some of the answer has gone to the client */
    bool waits_for_room;            /* entry is not begun */
    bool entry_is_large;            /* by its method's flag; of one that waits */
    size_t held_bytes;              /* in rpc->held_bytes: made, and presumed */
    struct rpc_load *load;          /* of its client; NULL: it has none */
    bool is_in_load;                /* a large entry of it has begun */
    const struct json_value *entry; /* the request being executed */
    bool is_running;                /* inside execute: finishing must not start the next entry */
    uint64_t turn_timer;            /* a long batch gives way to others; 0: none */

    /* The entry being executed. */
    const struct json_value *id; /* NULL: none given */
    bool is_v2;
    const struct rpc_method *method;
    const struct json_value *args[RPC_ARGS_MAX];
    size_t n_args;
    bool entry_done;
    int64_t started_us;
    struct json_mark entry_mark;  /* before this entry's reply object */
    struct json_mark result_mark; /* before its result: an error replaces what follows */
    int error_code;               /* enum rpc_code; 0: none */
    char *error_message;
    bool is_queue_full; /* it would have to wait, and too many do */

    /* For handlers that wait: all cleared when the entry is done. */
    void *state;                                 /* in call->arena */
    void (*on_tip)(struct rpc_call *call);       /* the tip changed */
    void (*on_event)(struct rpc_call *call);     /* rpc->events has one more */
    void (*on_interrupt)(struct rpc_call *call); /* the node stops, or the client has gone */
    uint64_t tip_seen;                           /* rpc->tip_sequence that on_tip was called for */
    uint64_t timer;                              /* cancelled when the entry is done; 0: none */
    struct env_job job;                          /* for formatting off the loop */
    void (*job_end)(struct rpc_call *call);
    enum rpc_progress (*job_next)(struct rpc_call *call); /* or NULL */
    struct spent_search *spent_search;                    /* of rpc_spent_find() */
};

struct rpc {
    const struct rpc_node *node;
    const struct rpc_methods *methods;
    struct auth *auth;
    /* rpc.c, as those below it see it: execute entries from call->entry on until one is pending or
     * all are done; and what follows when the entry has its result or error. */
    void (*run)(struct rpc_call *call);
    void (*entry_ended)(struct rpc_call *call);
    struct list calls; /* newest first */
    struct list loads; /* of those who have calls */
    uint64_t next_token;
    uint64_t tip_sequence;
    size_t held_bytes; /* of all calls' answers that are not with their clients yet */
    size_t n_wait_for_room;
    uint64_t room_timer; /* 0: none */
    bool is_interrupted;
    struct event_log *events;
    size_t n_streams; /* of /events */
    bool has_rest;    /* -rest */
    bool warnings_as_string;
    bool shows_start_height;
    struct ec_context *ec;          /* made when first needed */
    struct coin_scan *scan;         /* of scantxoutset; NULL: none is under way */
    struct block_scan *block_scan;  /* of scanblocks; likewise */
    struct template_cache template; /* of getblocktemplate */
    struct ui *ui;                  /* NULL: there is no dashboard */
    struct dev_purse purse;         /* of faucet */
    /* The block assembled last, for getmininginfo. */
    bool has_assembled;
    size_t last_block_txs;
    uint32_t last_block_wu;
};

/* In a format: a text of the request, of which an error message shows no more than this. The whole
 * of 30 MB would be gone through, only to be cut. */
#define RPC_TEXT "%.65536s"

/* Make the call's answer an error; what was written of the result is dropped.
 * Returns: RPC_DONE, so that a handler can return it */
enum rpc_progress rpc_fail(struct rpc_call *call, enum rpc_code code, const char *format, ...)
    PRINTF(3, 4);
/* The same in what says whether it has succeeded. Returns: false */
bool rpc_refuse(struct rpc_call *call, enum rpc_code code, const char *format, ...) PRINTF(3, 4);

/* A call that was PENDING has its result or error. The call may be gone when this returns. */
void rpc_finish(struct rpc_call *call);

/* What the node does before calls can be answered; NULL once they can. */
const char *rpc_warmup(const struct rpc *rpc);

/* -- Room: see rpc_room.c ------------------------------------------------------------------- */

/* The call is of that user at that peer ("address:port"; NULL: nobody knows). */
void rpc_room_of_client(struct rpc_call *call, const char *user, const char *peer);
/* May call->entry begin? If not, what the call has made goes to its client, and rpc_room_begin()
 * starts the call again once there is room. */
NODISCARD bool rpc_room_take(struct rpc_call *call);
/* Is there room for one more large answer? For calls that have been parked. */
NODISCARD bool rpc_room_has(const struct rpc_call *call);
/* The entry is done, or the call: what it holds is what it has made. */
void rpc_room_give(struct rpc_call *call);
/* The call waits no more. */
void rpc_room_leave(struct rpc_call *call);
/* The call ends: it holds nothing any more. */
void rpc_room_forget(struct rpc_call *call);
/* The call waits from now on, maybe for ever, and takes nobody's place meanwhile. Returns: false,
 * with an error, if too many calls wait. */
NODISCARD bool rpc_park(struct rpc_call *call);

/* Start fn(call) after delay_ms, unless the entry is done before; replaces an earlier timer. */
void rpc_call_timer(struct rpc_call *call, int64_t delay_ms, env_timer_fn *fn);

/* Run `run` on a compute thread with job embedded in the call (container: rpc_job_call()), then
 * end (may be NULL) on the loop thread, also if run was skipped, and finish the call. run writes
 * to call->out and may call rpc_fail(); it must touch nothing that anybody changes meanwhile. */
void rpc_run_job(struct rpc_call *call, void (*run)(struct env_job *job),
                 void (*end)(struct rpc_call *call));
/* The same, but behind end next decides how the call goes on, as a handler does, unless run was
 * skipped. */
void rpc_run_step(struct rpc_call *call, void (*run)(struct env_job *job),
                  void (*end)(struct rpc_call *call),
                  enum rpc_progress (*next)(struct rpc_call *call));
/* The same of a long request; of others all three at once, which is done sooner. next may be NULL:
 * the call is done. Returns: for a handler to return */
enum rpc_progress rpc_run_if_long(struct rpc_call *call, void (*run)(struct env_job *job),
                                  void (*end)(struct rpc_call *call),
                                  enum rpc_progress (*next)(struct rpc_call *call));
struct rpc_call *rpc_job_call(struct env_job *job);

/* False, with an error, without -dev. */
NODISCARD bool rpc_need_dev(struct rpc_call *call);
/* False, with error -33, if there is no mempool. */
NODISCARD bool rpc_need_mempool(struct rpc_call *call);
/* The entry of the mempool that the first argument names; NULL after an error. */
const struct mempool_entry *rpc_read_entry(struct rpc_call *call);
/* rpc_finish(), but not before the mempool holds again what a reorganisation took out of it: who
 * asks for it next sees what Core would show. */
void rpc_finish_settled(struct rpc_call *call);
/* Assemble the next block from the mempool, if there is one, as the node's options say.
 * In:  script  that the coinbase will pay to; empty: somebody else makes the coinbase */
struct block_template;
void rpc_assemble(struct rpc_call *call, struct span script, struct block_template *template);

/* The outputs that a transaction spends, n_in of them, from the mempool and the set of unspent
 * outputs; known[i] tells which were found. Scripts are in the call's arena. False, with an error,
 * on a fault. For transactions that were verified: they name each output once, and have some
 * thousand inputs at most. Spec: Core FindCoins() */
struct tx;
struct tx_in;
struct tx_out;
NODISCARD bool rpc_find_spent(struct rpc_call *call, const struct tx *tx, struct tx_out *spent,
                              bool *known);

/* The same for a transaction that somebody gives, in turns: see rpc_spent.c. In the call's arena.
 */
struct spent_search {
    const struct tx *tx;
    struct tx_out *spent;       /* n_in of them */
    bool *known;                /* which were found */
    const struct tx_in **order; /* inputs, those of one output in a row */
    uint32_t at;                /* in order: looked up so far */
    enum rpc_progress (*next)(struct rpc_call *call);
};
/* Begin one. Takes a while for many inputs. tx is borrowed. Any thread. */
struct spent_search *rpc_spent_new(struct rpc_call *call, const struct tx *tx);
/* The first input that spends an output; n_in: none does. Any thread. */
struct outpoint;
uint32_t rpc_spent_first(const struct spent_search *search, const struct outpoint *outpoint);
/* Look all of them up. Then next decides how the call goes on, as a handler does, also where there
 * is an error. Returns: for a handler to return */
enum rpc_progress rpc_spent_find(struct rpc_call *call, struct spent_search *search,
                                 enum rpc_progress (*next)(struct rpc_call *call));

/* The transaction that the arguments inputs, outputs, locktime, replaceable and version ask for,
 * which are the first five. False, with an error. Spec: Core ConstructTransaction() */
NODISCARD bool rpc_construct_tx(struct rpc_call *call, struct tx *tx);
/* A hash type by its name; "DEFAULT" if left out. Spec: Core ParseSighashString() */
NODISCARD bool rpc_read_hash_type(struct rpc_call *call, size_t index, uint8_t *type);

/* The context for signing. Owned by rpc. */
struct ec_context *rpc_ec_context(struct rpc *rpc);

/* -- Arguments: index counts from 0; kinds have been checked against the table before. Functions
 * that can fail call rpc_fail() and return false. ------------------------------------------- */

/* The argument, or NULL if it was left out or is null. */
const struct json_value *rpc_arg(const struct rpc_call *call, size_t index);
bool rpc_arg_bool(const struct rpc_call *call, size_t index, bool fallback);
/* A string argument, zero-terminated; fallback if left out. */
const char *rpc_arg_string(const struct rpc_call *call, size_t index, const char *fallback);
/* Integers of the width that Core gives them; fallback is left in *out by the caller. */
NODISCARD bool rpc_arg_int32(struct rpc_call *call, size_t index, int32_t *out);
NODISCARD bool rpc_arg_int64(struct rpc_call *call, size_t index, int64_t *out);
/* An integer 0.. or a bool that stands for 0 or 1 (if allowed). */
NODISCARD bool rpc_arg_verbosity(struct rpc_call *call, size_t index, bool allow_bool,
                                 int32_t *out);
/* A 32-byte id of any argument or value, given as hex; name is for the message. */
NODISCARD bool rpc_read_id(struct rpc_call *call, const struct json_value *value, const char *name,
                           uint8_t id[32]);
/* Hex of any even length, into the call's arena. */
NODISCARD bool rpc_read_hex(struct rpc_call *call, const struct json_value *value, const char *name,
                            struct span *bytes);
/* An amount of coins, 0 to 21 million. Spec: Core AmountFromValue() */
NODISCARD bool rpc_read_amount(struct rpc_call *call, const struct json_value *value,
                               int64_t *value_sat);
/* A member that an object may or must have. */
enum rpc_field_need { RPC_FIELD_REQUIRED, RPC_FIELD_OPTIONAL };
struct rpc_field {
    const char *name;
    enum json_kind kind;
    enum rpc_field_need need;
};
/* -3 unless each member of an object (NULL: an empty one) is one of n fields and of its kind, and
 * none that is required is missing. Null stands for left out. Spec: Core RPCTypeCheckObj() */
NODISCARD bool rpc_check_fields(struct rpc_call *call, const struct json_value *object,
                                const struct rpc_field *fields, size_t n);
/* The range of a descriptor, an end or [begin,end]; NULL: 0 to 1000. Spec: Core
 * ParseDescriptorRange() */
NODISCARD bool rpc_read_range(struct rpc_call *call, const struct json_value *range,
                              uint32_t *first, uint32_t *last);
/* -3 unless value is of that kind: "JSON value of type x is not of expected type y". */
NODISCARD bool rpc_expect_kind(struct rpc_call *call, const struct json_value *value,
                               enum json_kind kind);

#endif
