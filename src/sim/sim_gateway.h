/* sim_gateway.h - a gateway in the simulated world, the datagrams to and from it, and addresses of
 * the machine.
 *
 * Layer: sim. A world has none of them until sim_env_set_gateway() and sim_env_set_addresses().
 * Questions take their time to arrive,
 * and so do answers. */
#ifndef SIM_SIM_GATEWAY_H
#define SIM_SIM_GATEWAY_H

#include "sim/sim_events.h"
#include "util/env.h"

#define SIM_GATEWAY_BYTES_MAX 1100 /* of an answer */
#define SIM_GATEWAY_US        1000 /* one way */
#define SIM_GATEWAY_SOCKETS   16

/* Answer a datagram. Returns: how many bytes of answer there are, 0: none */
typedef size_t sim_gateway_fn(void *arg, struct span question, uint8_t *answer);

struct sim_gateway_socket {
    uint64_t id; /* 0: free */
    char from[64];
    env_datagram_fn *fn;
    void *arg;
};

struct sim_gateway {
    struct sim_events *events;
    /* Of the gateway, and ours as it sees us, by IPv4 and by IPv6; NULL: there is none. */
    const char *address[2], *own[2];
    const char *const *own_addresses; /* of the machine's interfaces */
    size_t n_own_addresses;
    sim_gateway_fn *answer;
    void *arg;
    struct sim_gateway_socket sockets[SIM_GATEWAY_SOCKETS];
    uint64_t last_id;
};

/* The functions of struct env_datagrams, for a struct sim_gateway. */
struct env_datagrams sim_gateway_datagrams(struct sim_gateway *gateway);

#endif
