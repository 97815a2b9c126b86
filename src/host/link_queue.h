/* link_queue.h - packets on their way, the next to arrive first.
 *
 * Layer: host. A binary heap; packets that arrive at the same moment keep their order. */
#ifndef HOST_LINK_QUEUE_H
#define HOST_LINK_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/array.h"
#include "util/span.h"

#define LINK_QUEUE_BYTES_MAX (256u << 20)

struct link_packet {
    int64_t due_us;
    uint64_t number;
    uint32_t to;
    uint32_t len;
    uint8_t *bytes; /* owned */
};

/* Zeros are an empty one. */
struct link_queue {
    ARRAY(struct link_packet) heap;
    uint64_t n_added;
    size_t bytes; /* on their way */
};

/* Free all packets; it is empty then. */
void link_queue_deinit(struct link_queue *queue);

/* Send a copy of bytes on its way. Returns: false if LINK_QUEUE_BYTES_MAX are on their way */
NODISCARD bool link_queue_add(struct link_queue *queue, uint32_t to, struct span bytes,
                              int64_t due_us);

/* When the next one arrives; -1: none is on its way. */
int64_t link_queue_next_us(const struct link_queue *queue);

/* Take the next one out, if it has arrived by now. Owns: the caller frees packet->bytes
 *
 * Returns:  false if none has */
NODISCARD bool link_queue_take(struct link_queue *queue, int64_t now_us,
                               struct link_packet *packet);

#endif
