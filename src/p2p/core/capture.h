/* capture.h - every message of every peer, kept in files for who studies the network
 * (-capturemessages).
 *
 * Layer: p2p. Loop thread only. In Core's format: below message_capture/ a folder for each address
 * that peers had, ':' of its text made '_', with msgs_recv.dat and msgs_sent.dat; each record is
 * the time (microseconds since 1970, 8 bytes, little-endian), the name in 12 bytes, the length of
 * the payload in 4, the payload. Nobody waits for the disk: what comes while it is slow is kept in
 * memory, within a limit. */
#ifndef P2P_CORE_CAPTURE_H
#define P2P_CORE_CAPTURE_H

#include <stdbool.h>

#include "util/env.h"
#include "util/log.h"
#include "util/span.h"

/* Bytes that wait to be written. What would be more is left out, and the log says so. */
#define CAPTURE_WAITING_MAX (64u << 20)

struct capture;

/* Begin.
 *
 * In:       dir  the network's directory; env and log are borrowed
 * Returns:  owned by the caller: capture_free() */
NODISCARD struct capture *capture_new(const struct env *env, const struct log *log,
                                      const char *dir);
/* Nothing may be pending; NULL is allowed. */
void capture_free(struct capture *capture);

/* Keep one message; NULL: nothing is kept.
 *
 * In:  peer  the text of its address and port */
void capture_message(struct capture *capture, const char *peer, bool is_received, const char *name,
                     struct span payload);
/* Writes under way: 0 or 1. NULL: none. */
size_t capture_pending(const struct capture *capture);

#endif
