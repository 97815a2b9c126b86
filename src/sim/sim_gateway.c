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
    (void)sim_events_add(gateway->events, gateway->events->now_us + SIM_GATEWAY_US, land, flight);
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

static uint64_t open_socket(void *ctx, const char *address, uint16_t port, env_datagram_fn *fn,
                            void *arg, int *error)
{
    struct sim_gateway *gateway = ctx;
    size_t at = 0;
    (void)port;
    while (at < SIM_GATEWAY_SOCKETS && gateway->sockets[at].id != 0)
        at++;
    bool is_there = gateway->address && strcmp(gateway->address, address) == 0;
    *error = !is_there ? -ENETUNREACH : at == SIM_GATEWAY_SOCKETS ? -EMFILE : 0;
    if (*error)
        return 0;
    gateway->sockets[at] =
        (struct sim_gateway_socket){.id = ++gateway->last_id, .fn = fn, .arg = arg};
    return gateway->last_id;
}

static void send_datagram(void *ctx, uint64_t id, struct span bytes)
{
    if (find(ctx, id))
        fly(ctx, id, bytes, land_there);
}

static bool local(void *ctx, uint64_t id, char *address, size_t size)
{
    struct sim_gateway *gateway = ctx;
    if (!find(gateway, id))
        return false;
    snprintf(address, size, "%s", gateway->own);
    return true;
}

static void close_socket(void *ctx, uint64_t id)
{
    struct sim_gateway_socket *socket = find(ctx, id);
    if (socket)
        socket->id = 0;
}

static bool where(void *ctx, char *address, size_t size)
{
    struct sim_gateway *gateway = ctx;
    if (!gateway->address)
        return false;
    snprintf(address, size, "%s", gateway->address);
    return true;
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
