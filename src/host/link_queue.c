/* link_queue.c - see link_queue.h */
#include "host/link_queue.h"

#include "util/alloc.h"

static bool is_before(const struct link_packet *a, const struct link_packet *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->number < b->number;
}

static void swap(struct link_packet *a, struct link_packet *b)
{
    struct link_packet kept = *a;
    *a = *b;
    *b = kept;
}

/* Element i may be too early for where it stands: move it towards the root. */
static void rise(struct link_queue *queue, size_t i)
{
    struct link_packet *at = queue->heap.at;
    for (; i > 0 && is_before(&at[i], &at[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&at[i], &at[(i - 1) / 2]);
}

/* The root may be too late: move it towards the leaves. */
static void sink(struct link_queue *queue)
{
    struct link_packet *at = queue->heap.at;
    size_t n = queue->heap.n, i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < n && is_before(&at[child + 1], &at[child]))
            child++;
        if (child >= n || !is_before(&at[child], &at[i]))
            return;
        swap(&at[i], &at[child]);
        i = child;
    }
}

void link_queue_deinit(struct link_queue *queue)
{
    ASSERT(queue);
    for (size_t i = 0; i < queue->heap.n; i++)
        xfree(queue->heap.at[i].bytes);
    ARRAY_FREE(&queue->heap);
    queue->bytes = 0;
}

bool link_queue_add(struct link_queue *queue, uint32_t to, struct span bytes, int64_t due_us)
{
    ASSERT(queue && due_us >= 0);
    if (bytes.len > LINK_QUEUE_BYTES_MAX - queue->bytes)
        return false;
    *ARRAY_ADD(&queue->heap) = (struct link_packet){
        .due_us = due_us,
        .number = queue->n_added++,
        .to = to,
        .len = (uint32_t)bytes.len,
        .bytes = xmemdup(bytes.p, bytes.len),
    };
    queue->bytes += bytes.len;
    rise(queue, queue->heap.n - 1);
    return true;
}

int64_t link_queue_next_us(const struct link_queue *queue)
{
    ASSERT(queue);
    return queue->heap.n > 0 ? queue->heap.at[0].due_us : -1;
}

bool link_queue_take(struct link_queue *queue, int64_t now_us, struct link_packet *packet)
{
    ASSERT(queue && packet);
    if (queue->heap.n == 0 || queue->heap.at[0].due_us > now_us)
        return false;
    *packet = queue->heap.at[0];
    queue->heap.at[0] = queue->heap.at[--queue->heap.n];
    sink(queue);
    ASSERT(queue->bytes >= packet->len);
    queue->bytes -= packet->len;
    return true;
}
