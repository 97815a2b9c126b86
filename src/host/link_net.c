/* link_net.c - see link_net.h */
#include "host/link_net.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "util/alloc.h"

/* Of one node before the others have their turn. */
#define READS_MAX 64

void link_net_init(struct link_net *net, uint64_t seed, int epoll)
{
    ASSERT(net);
    *net = (struct link_net){.epoll = epoll, .pairs = link_pairs_new(seed)};
    net->devices = xcalloc(LINK_NODES_MAX, sizeof *net->devices);
    for (size_t i = 0; i < LINK_NODES_MAX; i++)
        net->devices[i] = (struct link_device){-1, -1};
}

void link_net_deinit(struct link_net *net)
{
    ASSERT(net);
    for (uint32_t i = 0; i < LINK_NODES_MAX; i++)
        link_device_close(&net->devices[i]);
    link_queue_deinit(&net->queue);
    link_pairs_free(net->pairs);
    xfree(net->devices);
}

bool link_net_has(const struct link_net *net, uint32_t node)
{
    ASSERT(net);
    return node < LINK_NODES_MAX && net->devices[node].tun >= 0;
}

bool link_net_add(struct link_net *net, uint32_t node, char **error)
{
    ASSERT(net && node < LINK_NODES_MAX && !link_net_has(net, node) && error);
    struct link_device *device = &net->devices[node];
    if (!link_device_open(device, node, error))
        return false;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = node};
    if (epoll_ctl(net->epoll, EPOLL_CTL_ADD, device->tun, &event) != 0) {
        int code = errno;
        link_device_close(device);
        return fail_with(error, "cannot wait for packets: %s", strerror(code));
    }
    net->n_nodes++;
    return true;
}

void link_net_remove(struct link_net *net, uint32_t node)
{
    ASSERT(link_net_has(net, node) && net->n_nodes > 0);
    link_device_close(&net->devices[node]);
    net->n_nodes--;
}

void link_net_carry(struct link_net *net, uint32_t from, struct span packet, int64_t now_us)
{
    ASSERT(net && from < LINK_NODES_MAX);
    uint32_t to = link_packet_target(packet);
    if (to == UINT32_MAX) /* of no node: what a kernel asks new interfaces, in IPv6 */
        return;
    if (!link_net_has(net, to)) {
        net->counts.cut++;
        return;
    }
    int64_t due_us = now_us;
    enum link_fate fate = link_pairs_judge(net->pairs, (const uint32_t[]){from, to},
                                           (uint32_t)packet.len, now_us, &due_us);
    if (fate == LINK_PASSES && !link_queue_add(&net->queue, to, packet, due_us))
        fate = LINK_FULL;
    switch (fate) {
    case LINK_PASSES:
        net->counts.passed++;
        net->counts.passed_bytes += packet.len;
        break;
    case LINK_LOST:
        net->counts.lost++;
        break;
    case LINK_CUT:
        net->counts.cut++;
        break;
    case LINK_FULL:
        net->counts.full++;
        break;
    }
}

void link_net_read(struct link_net *net, uint32_t node, int64_t now_us)
{
    ASSERT(net);
    uint8_t packet[LINK_MTU_BYTES];
    for (int i = 0; i < READS_MAX && link_net_has(net, node); i++) {
        ssize_t got = read(net->devices[node].tun, packet, sizeof packet);
        if (got <= 0)
            return;
        link_net_carry(net, node, span_of(packet, (size_t)got), now_us);
    }
}

int64_t link_net_deliver(struct link_net *net, int64_t now_us)
{
    ASSERT(net);
    struct link_packet packet;
    while (link_queue_take(&net->queue, now_us, &packet)) {
        /* What a kernel does not take is lost, as it would be in a network card. */
        if (link_net_has(net, packet.to))
            (void)!write(net->devices[packet.to].tun, packet.bytes, packet.len);
        xfree(packet.bytes);
    }
    return link_queue_next_us(&net->queue);
}
