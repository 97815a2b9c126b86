/* messages.h - the messages that we understand: one row each.
 *
 * Layer: p2p. A new message is a handler and a row; peer/message.h says what a row means. */
#ifndef P2P_SESSION_MESSAGES_H
#define P2P_SESSION_MESSAGES_H

#include "p2p/peer/message.h"

/* Sorted by name. */
extern const struct message messages[MESSAGES_COUNT];

#endif
