/* flight.h - one block on its way into (or out of) the committed chain.
 *
 * Layer: chain. A flight is read if its block is not in memory, prepared by a job (hashes for
 * every lookup), connected in the overlay on the loop, has its scripts checked by jobs, and is
 * then committed in order by pipeline.c - or dropped, with its changes, at any time before.
 * A dropped flight lives on until its last job has ended. */
#ifndef CHAIN_PIPELINE_FLIGHT_H
#define CHAIN_PIPELINE_FLIGHT_H

#include <stdatomic.h>

#include "chain/coins/coins.h"
#include "chain/coins/overlay.h"
#include "chain/core/chain_core.h"
#include "chain/disk/block_ref.h"
#include "chain/disk/undo.h"
#include "chain/tree/header_tree.h"
#include "consensus/reject.h"
#include "consensus/script_verify.h"
#include "consensus/tx_verify.h"

struct flight;

#define FLIGHT_JOB_INPUTS         96    /* inputs that one script job checks, about */
#define FLIGHT_PENDING_INPUTS_MAX 20000 /* scripts waiting, beyond which no block is connected */

enum flight_kind {
    FLIGHT_CONNECT,    /* its block comes on top of the tip */
    FLIGHT_DISCONNECT, /* its block is the tip, and is taken back by its undo data */
};

/* In this order, never back; a flight can be dropped at any of them. The end of the last one is
 * that all its jobs have ended: flight_is_verified(). */
enum flight_stage {
    FLIGHT_READING,   /* block or undo data being read, then prepared by a job */
    FLIGHT_READY,     /* waits for the flights before it, and for coins being read; or could not be
                       * read: read_error is looked at when its turn has come */
    FLIGHT_CONNECTED, /* its changes are in the overlay; scripts may still be running */
};

/* Part of a flight's work for the compute pool. */
struct flight_job {
    struct env_job job;
    struct flight *flight;
    bool is_undo;              /* encode the undo data; otherwise check scripts: */
    uint32_t tx_begin, tx_end; /* transactions, ... */
    uint32_t in_begin, in_end; /* ... and, if there is only one, which of its inputs */
    uint32_t spent_begin;      /* index of the first input of tx_begin in flight->spent */
    uint32_t n_inputs;
    enum script_error error; /* of the first input that failed */
    uint32_t bad_tx, bad_input;
};

/* The loop thread owns it. Jobs write what they make (block, undo_raw, what prepare() fills, undo,
 * their own error), each before its done; nobody else looks at that while the job is under way. */
struct flight {
    struct flights *flights;
    struct flight *next, *prev; /* towards newest, oldest */
    struct block_node *node;    /* the loop's: a tried block's is gone before its last job ends */
    int32_t height;
    enum flight_kind kind;
    enum flight_stage stage;
    bool is_test;           /* chain_test_block(): never committed */
    bool is_dropped;        /* freed when its last job ends */
    bool has_failed;        /* verdict says why */
    bool is_kept_block;     /* block came from memory */
    atomic_bool abandoned;  /* tells running jobs that nobody wants their result */
    struct verdict verdict; /* with has_failed */
    int64_t begun_us;
    int read_error; /* 0, or a negative errno: -EUCLEAN is damage, -ENOENT a file gone */

    struct env_job prepare;             /* read and prepare */
    bool preparing;                     /* that job is under way, in either of its two parts */
    struct file_pos data_pos, undo_pos; /* copies for the job */
    struct block_ref *block;
    uint8_t *undo_raw;        /* of a block to disconnect */
    struct arena arena;       /* for what follows */
    uint32_t n_spent;         /* inputs without the coinbase's */
    uint32_t n_created;       /* outputs, unspendable ones too */
    uint64_t *in_hash;        /* coins_hash() of each spent outpoint, in order */
    uint64_t *out_hash;       /* coins_hash() of each output, in order */
    struct coin *spent;       /* filled when connected, or from undo data */
    struct tx_out *spent_out; /* the same as scripts want it */
    struct spent_coin *rules; /* the same as the rules of consensus/tx_verify.h want it */
    struct coin *created;
    uint8_t *scripts; /* room for expanded scripts of spent */

    struct coins_read read; /* coins that were not in memory */
    struct outpoint *missing;
    bool *absent;
    uint32_t n_missing;  /* noted in missing; absent says of each what the read found */
    bool reading_coins;  /* read is under way */
    bool has_prefetched; /* coins were read, or looked for, ahead of time: once is enough */
    bool read_is_final;  /* it asked for all that was missing, with all flights before connected */
    uint64_t times_forgotten; /* of the coins, when the block was last tried: then it is final only
                               * if memory still knows all that it knew */

    struct overlay_layer layer;
    uint32_t script_flags;      /* the rules of its height: set when it is connected */
    bool checks_scripts;        /* not below the block that is assumed valid */
    uint32_t n_known;           /* transactions in is_known */
    bool *is_known;             /* n_tx: its scripts hold, and no job looks at them; with
                                 * checks_scripts */
    struct flight_job *jobs;    /* in the arena; the last one encodes the undo data */
    uint32_t n_jobs, jobs_left; /* of them: not ended yet */
    uint8_t *undo; /* encoded, for a block to connect; from xmalloc, handed on by the commit */
    size_t undo_len;
    void (*test_done)(void *arg, const struct verdict *verdict);
    void *test_arg;
};

/* All that are under way, and what they share. */
struct flights {
    struct chain_core *core;
    struct coins *const *coins; /* that the blocks spend from; another one only while none flies */
    bool is_background;         /* nobody waits for them: their jobs come last */
    const struct header_tree *tree;
    struct overlay *overlay;
    struct block_hash assume_valid; /* scripts of blocks below it need no check; zero: none */
    struct u256 min_chain_work;
    struct flight *oldest, *newest; /* from the committed tip up */
    size_t n;
    size_t n_dropped;      /* dropped, but with jobs under way */
    size_t pending_inputs; /* whose scripts are still to be checked */
    uint64_t n_scripts;    /* inputs ever given to jobs, for tests; what is known is not */
    size_t bytes;          /* raw, of their blocks */
    uint64_t next_layer;   /* id of the last layer made */
};

/* Put a flight behind the newest. Owns: the list, until flights_remove(). */
void flights_push(struct flights *flights, struct flight *flight);
/* Take one out: the newest, to be dropped, or the oldest, to be committed. */
void flights_remove(struct flights *flights, struct flight *flight);
/* Assert what must hold of the list. */
void flights_check(const struct flights *flights);

/* Start a flight for node: its block from memory (block, held) or, if NULL, from disk. It calls
 * core_wake() whenever it has got further. Owns: the list it is put into. */
struct flight *flight_new(struct flights *flights, struct block_node *node, enum flight_kind kind,
                          struct block_ref *block);

/* Read coins that are not in memory ahead of time. Does nothing if all are, or if it was done. */
void flight_prefetch(struct flight *flight);

/* Note a coin that is not in memory, to be read. At most one for each input and output. */
void flight_note_missing(struct flight *flight, const struct outpoint *outpoint);
/* Read all that were noted: there must be some, and no read under way. When they are in the active
 * table a turn comes; if the store fails, the chain is at fault.
 *
 * In:  priority  HIGH for the block that everything waits for, NORMAL ahead of time */
void flight_read_coins(struct flight *flight, enum env_priority priority);

/* Submit the jobs of a flight just connected. */
void flight_submit_jobs(struct flight *flight);

/* All jobs ended (scripts, undo). It may have failed all the same: has_failed. */
bool flight_is_verified(const struct flight *flight);

/* Give up: takes back its changes (it must be the newest connected one) and frees it now, or when
 * its last job ends. It must not be in a list any more. */
void flight_drop(struct flight *flight);

/* Free after commit. Its layer must be empty and no job under way; it is in no list. */
void flight_free(struct flight *flight);

/* -- connect.c -- */

enum connect_result {
    CONNECT_DONE,    /* in the overlay */
    CONNECT_WAITS,   /* for coins from the store; nothing was changed */
    CONNECT_INVALID, /* flight->verdict says why; nothing was changed */
};

/* Spend and create coins in the overlay, checking every rule that needs them but the scripts. */
enum connect_result flight_connect(struct flight *flight);
/* The opposite, from undo data. Never waits; failure means damaged undo data. */
enum connect_result flight_disconnect(struct flight *flight);

#endif
