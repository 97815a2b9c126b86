/* sim_gateway.c - see sim_gateway.h. */
#include "sim/sim_gateway.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/alloc.h"

struct flight {
    struct sim_gateway *gateway;
    uint64_t socket;
    size_t len;
    uint8_t bytes[];
};

static struct sim_gateway_socket *find(struct sim_gateway *gateway, uint64_t id)
{
    for (size_t i = 0; i < SIM_GATEWAY_SOCKETS; i++)
        if (id != 0 && gateway->sockets[i].id == id)
            return &gateway->sockets[i];
    return NULL;
}

static void fly(struct sim_gateway *gateway, uint64_t socket, struct span bytes,
                void (*land)(void *arg))
{
    struct flight *flight = xcalloc(1, sizeof *flight + bytes.len);
    *flight = (struct flight){.gateway = gateway, .socket = socket, .len = bytes.len};
    if (bytes.len > 0)
        memcpy(flight->bytes, bytes.p, bytes.len);
    int64_t at_us = sim_events_now_us(gateway->events) + SIM_GATEWAY_US;
    (void)sim_events_add(gateway->events, at_us, land, flight);
}

static void land_here(void *arg)
{
    struct flight *flight = arg;
    struct sim_gateway_socket *socket = find(flight->gateway, flight->socket);
    if (socket)
        socket->fn(socket->arg, span_of(flight->bytes, flight->len));
    xfree(flight);
}

static void land_there(void *arg)
{
    struct flight *flight = arg;
    struct sim_gateway *gateway = flight->gateway;
    uint8_t answer[SIM_GATEWAY_BYTES_MAX];
    size_t n = gateway->answer(gateway->arg, span_of(flight->bytes, flight->len), answer);
    ASSERT(n <= sizeof answer);
    if (n > 0)
        fly(gateway, flight->socket, span_of(answer, n), land_here);
    xfree(flight);
}

static uint64_t open_socket(void *ctx, const struct env_datagram_way *way, env_datagram_fn *fn,
                            void *arg, int *error)
{
    struct sim_gateway *gateway = ctx;
    size_t at = 0;
    bool is_ipv6 = strchr(way->to, ':') != NULL;
    const char *address = gateway->address[is_ipv6];
    while (at < SIM_GATEWAY_SOCKETS && gateway->sockets[at].id != 0)
        at++;
    bool is_there = address && strcmp(way->to, address) == 0;
    *error = !is_there ? -ENETUNREACH : at == SIM_GATEWAY_SOCKETS ? -EMFILE : 0;
    if (*error)
        return 0;
    gateway->sockets[at] =
        (struct sim_gateway_socket){.id = ++gateway->last_id, .fn = fn, .arg = arg};
    snprintf(gateway->sockets[at].from, sizeof gateway->sockets[at].from, "%s",
             way->from ? way->from : gateway->own[is_ipv6]);
    return gateway->last_id;
}

static void send_datagram(void *ctx, uint64_t id, struct span bytes)
{
    if (find(ctx, id))
        fly(ctx, id, bytes, land_there);
}

static bool local(void *ctx, uint64_t id, char *address, size_t size)
{
    const struct sim_gateway_socket *socket = find(ctx, id);
    if (socket)
        snprintf(address, size, "%s", socket->from);
    return socket != NULL;
}

static void close_socket(void *ctx, uint64_t id)
{
    struct sim_gateway_socket *socket = find(ctx, id);
    if (socket)
        socket->id = 0;
}

static bool where(void *ctx, bool is_ipv6, char *address, size_t size)
{
    const char *found = ((struct sim_gateway *)ctx)->address[is_ipv6];
    if (found)
        snprintf(address, size, "%s", found);
    return found != NULL;
}

static void list_addresses(void *ctx, env_address_fn *fn, void *arg)
{
    const struct sim_gateway *gateway = ctx;
    for (size_t i = 0; i < gateway->n_own_addresses; i++)
        fn(arg, gateway->own_addresses[i]);
}

struct env_datagrams sim_gateway_datagrams(struct sim_gateway *gateway)
{
    return (struct env_datagrams){.ctx = gateway,
                                  .open = open_socket,
                                  .send = send_datagram,
                                  .local = local,
                                  .close = close_socket,
                                  .gateway = where,
                                  .own_addresses = list_addresses};
}
