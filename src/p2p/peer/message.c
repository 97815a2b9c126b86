/* message.c - see message.h. */
#include "p2p/peer/message.h"

#include <string.h>

#include "util/assert.h"

const struct message *message_find(const struct message *messages, const char *name)
{
    ASSERT(messages && name);
    size_t low = 0, high = MESSAGES_COUNT;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, messages[middle].name);
        if (order == 0)
            return &messages[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
