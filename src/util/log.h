/* log.h - the log as a value: categories, levels, a sink that is injected.
 *
 * Layer: util. A struct log is owned by the node and handed down; there is no global one. Text
 * from outside must be passed through log_escape() (CVE-2018-20586). */
#ifndef UTIL_LOG_H
#define UTIL_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/assert.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

/* X(name, "name as in -debug="): every category of Core, so that scripts made for it set and unset
 * what they know. No line is written to those at the end: what they are about is not here, or
 * writes to a category above. */
#define LOG_CATEGORIES(X)                                                                          \
    X(NET, "net")                                                                                  \
    X(MEMPOOL, "mempool")                                                                          \
    X(HTTP, "http")                                                                                \
    X(BENCH, "bench")                                                                              \
    X(RPC, "rpc")                                                                                  \
    X(ADDRMAN, "addrman")                                                                          \
    X(REINDEX, "reindex")                                                                          \
    X(PRUNE, "prune")                                                                              \
    X(LEVELDB, "leveldb")                                                                          \
    X(VALIDATION, "validation")                                                                    \
    X(COINDB, "coindb")                                                                            \
    X(BLOCKSTORAGE, "blockstorage")                                                                \
    X(CMPCTBLOCK, "cmpctblock")                                                                    \
    X(ESTIMATEFEE, "estimatefee")                                                                  \
    X(I2P, "i2p")                                                                                  \
    X(IPC, "ipc")                                                                                  \
    X(KERNEL, "kernel")                                                                            \
    X(MEMPOOLREJ, "mempoolrej")                                                                    \
    X(PRIVATEBROADCAST, "privatebroadcast")                                                        \
    X(PROXY, "proxy")                                                                              \
    X(QT, "qt")                                                                                    \
    X(RAND, "rand")                                                                                \
    X(SCAN, "scan")                                                                                \
    X(SELECTCOINS, "selectcoins")                                                                  \
    X(TOR, "tor")                                                                                  \
    X(TXPACKAGES, "txpackages")                                                                    \
    X(TXRECONCILIATION, "txreconciliation")                                                        \
    X(WALLETDB, "walletdb")                                                                        \
    X(ZMQ, "zmq")

enum log_category {
#define X(name, string) LOG_##name,
    LOG_CATEGORIES(X)
#undef X
        LOG_CATEGORY_COUNT,
    LOG_ALWAYS = LOG_CATEGORY_COUNT, /* not a category: always written */
};
_Static_assert(LOG_CATEGORY_COUNT <= 32, "a bit each in struct log");

/* Any thread may write; categories are changed by the loop thread alone, and a line more or less at
 * that moment does no harm. */
struct log {
    uint32_t categories; /* bit i: category i is on */
    /* One finished line without its newline; any thread. */
    void (*write)(void *ctx, enum log_level level, enum log_category category, const char *line);
    void *ctx;
};

/* Would a line be written? To be asked before a line that takes work to make. */
static inline bool log_is_on(const struct log *log, enum log_category category)
{
    return log && (category == LOG_ALWAYS || (log->categories >> category & 1));
}

/* Write a line if the category is on (log may be NULL: nothing is written). */
void log_printf(const struct log *log, enum log_category category, const char *format, ...)
    PRINTF(3, 4);
/* Write a line of level warning, whatever categories are on. */
void log_warning(const struct log *log, const char *format, ...) PRINTF(2, 3);
/* Write a line of level error, whatever categories are on. */
void log_error(const struct log *log, const char *format, ...) PRINTF(2, 3);

/* Copy s to out with control and non-ASCII bytes as \xNN; cut to out_len, with the zero, and never
 * amid an escaped byte. Returns out. */
char *log_escape(char *out, size_t out_len, const char *s, size_t len);

/* The category's name, as in -debug. */
const char *log_category_name(enum log_category category);
/* The category of that name; -1 if there is none. */
int log_category_find(const char *name);

#endif
