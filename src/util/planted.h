/* planted.h - bugs that can be switched on, and defences off, to show that tests find it.
 *
 * Layer: util. A build with CAIRN_PLANT (the presets dev and asan, never a release) knows the bugs;
 * which one a world's code has is told by its struct env, so that two nodes of one process can
 * differ; cairnd and the unit tests take it from the environment, CAIRN_PLANTED=NAME.
 * tests/sim/sim_planted.c switches on each storage bug in turn, tests/planted.py the defences off.
 * Elsewhere PLANTED() is a constant. */
#ifndef UTIL_PLANTED_H
#define UTIL_PLANTED_H

#include "util/env.h"

/* X(NAME, what the code does wrong then) */
#define PLANTED_BUGS(X)                                                                            \
    X(PRUNE_UNLINK_FIRST, "files are pruned before the index says so")                             \
    X(PRUNE_NOT_SYNCED, "pruned files are forgotten before they are gone for good")                \
    X(REINDEX_MARK_EARLY, "the mark of a reindex goes before the rebuilt rows are written")        \
    X(REINDEX_INDEX_FIRST, "a reindex drops the index while the coins still need it")              \
    X(BLOCK_NOT_SYNCED, "block files are not synced")                                              \
    X(UNDO_NOT_SYNCED, "undo files are not synced")                                                \
    X(DIR_NOT_SYNCED, "the names of new block files are not synced")                               \
    X(TIP_BEFORE_COINS, "the coins' marker is cleared before they are written")                    \
    X(NO_MARKER, "batches of coins are written without a marker of the old tip")                   \
    X(ROWS_BEFORE_BYTES, "the index is written before the blocks' bytes are synced")               \
    X(MEMPOOL_NOT_SYNCED, "mempool.dat is renamed without having been synced")                     \
    X(MEMPOOL_NAME_NOT_SYNCED, "the new name of mempool.dat is not synced")                        \
    X(EARLY_ENDS_REPLAY, "a replay ends although a block was refused only for now")                \
    X(REPLAY_NOT_NOTED, "where a replay began is not noted")                                       \
    X(INVALID_NOT_WRITTEN, "invalidateblock answers before it is written")                         \
    X(RECONSIDER_NOT_WRITTEN, "reconsiderblock answers before it is written")                      \
    X(STALE_READ, "a coin read before a flush is believed after it")                               \
    X(ANSWER_BEFORE_SYNC, "a block is acknowledged before it is synced")                           \
    X(WRITE_ERROR_LOST, "a block that could not be written counts as written")

/* Defences that are off then. The hazard that each is against: doc/hazards.md. */
#define PLANTED_WEAKNESSES(X)                                                                      \
    X(GATEWAY_ASKED_ALWAYS, "a silent gateway is asked without end")                               \
    X(ADDRESSES_UNLIMITED, "any number of addresses is taken from a peer")                         \
    X(ADDRESSES_ANEW, "each getaddr is answered from the book as it is now")                       \
    X(TIMES_OVERFLOW, "a peer's time is subtracted unchecked")                                     \
    X(CLOCK_OF_PEERS, "our clock follows those of our peers")                                      \
    X(HANDSHAKE_ANY_TIME, "greetings are taken twice, messages before the handshake is over")      \
    X(READS_FREED_EARLY, "what reads a block for a peer goes with the peer")                       \
    X(PIPELINES_FORGOTTEN, "requests that wait for room for an answer are not looked at again")    \
    X(FILTERS_FOR_ALL, "Bloom filters are served though they are not offered")                     \
    X(LENGTHS_UNBOUNDED, "a message may be longer than its kind ever is")                          \
    X(LENGTHS_BELIEVED, "memory is taken for all that is announced")                               \
    X(LARGE_FROM_ALL, "any number of peers may send large messages unasked")                       \
    X(LOW_WORK_KEPT, "headers are kept whatever the work behind them")                             \
    X(OLD_FORKS_KEPT, "headers of forks are kept however far they lie below the tip")              \
    X(UNASKED_STORED, "blocks of less work than the tip are stored unasked")                       \
    X(ANNOUNCEMENTS_UNLIMITED, "any number of announcements is kept of a peer")                    \
    X(UNREAD_ANSWERED, "who does not read is answered all the same")                               \
    X(EACH_BLOCK_ASKED_FOR, "each unknown block of an inv is asked for by a message of its own")   \
    X(UNKNOWN_KINDS_KEPT, "what a getdata asks for of an unknown kind is never passed over")       \
    X(ORPHANS_ALL_AT_ONCE, "orphans are tried again without waiting for those before them")        \
    X(OLDEST_ORPHAN_GOES, "of a hundred orphans the oldest makes room, whose it may be")           \
    X(FIRST_ANNOUNCER_ONLY, "a transaction can be had only from who announced it first")           \
    X(CALLERS_ASKED_FIRST, "who came to us is asked for transactions as soon as whom we chose")    \
    X(ALL_TOLD_AT_ONCE, "a peer is told of all transactions that wait at once")                    \
    X(DISCOURAGED_FOR_EVER, "whoever has misbehaved is remembered, however many they are")         \
    X(COPIES_END_REQUESTS, "a spoiled copy that nobody asked for ends the requests of others")     \
    X(COMPACT_FROM_ONE, "only who was asked first may complete a block of short ids")              \
    X(ONE_OWES_A_BLOCK, "no second peer is asked for a block")                                     \
    X(SILENCE_IS_BORNE, "who owes blocks may be silent for as long as he likes")                   \
    X(COMPACT_FROM_ANYBODY, "short ids are taken from just anybody, unasked")                      \
    X(KEYS_KNOWN, "the keys of hash tables are zero")                                              \
    X(QUEUES_ENDLESS, "a peer may have any number of transactions waiting")                        \
    X(UPLOAD_UNLIMITED, "old blocks are served beyond the upload target")                          \
    X(PRUNED_SERVES_ALL, "a pruned node serves all blocks that it has")                            \
    X(GARBAGE_ENDLESS, "garbage before the encrypted stream may be of any length")                 \
    X(PACKETS_UNPROVEN, "packets with a wrong tag are passed over")                                \
    X(OTHER_NETWORKS_HEARD, "who speaks to another network is listened to")                        \
    X(HANDSHAKE_UNTIMED, "a handshake may take for ever")                                          \
    X(BOOK_WITHOUT_BUCKETS, "addresses find their places whoever told of them, and nobody is "     \
                            "tested before he is replaced")                                        \
    X(GROUPS_REPEATED, "two peers that we choose may be of one network group")                     \
    X(ANCHORS_FORGOTTEN, "the peers from before a restart are not called again")                   \
    X(OLDEST_GIVES_WAY, "the oldest inbound peer makes room for the next")                         \
    X(TIP_NEVER_STALE, "no further peer is tried when no block comes")                             \
    X(LAGGARDS_BORNE, "outbound peers may stay that never catch up")

enum planted {
    PLANT_NONE,
#define X(name, what) PLANT_##name,
    PLANTED_BUGS(X)
#undef X
        PLANT_COUNT,
#define X(name, what) PLANT_##name,
    PLANTED_WEAKNESSES(X)
#undef X
};

/* True where the code that env belongs to has that bug. */
#ifdef CAIRN_PLANT
/* The bug or weakness of that name; -1: there is none. NULL or an empty name is PLANT_NONE. */
NODISCARD int planted_find(const char *name);
#define PLANTED(env_, name) ((env_)->planted == PLANT_##name)
#else
#define PLANTED(env_, name) ((void)(env_), false)
#endif

#endif
