/* onion_service.h - an address of ours in Tor, which Tor's control port gives us and keeps for as
 * long as we are connected to it.
 *
 * Layer: p2p, internal. -listenonion, -torcontrol, -torpassword. The service's key is kept in the
 * file onion_v3_private_key, so that the address is the same after a restart. Who is told our
 * address in Tor is not told the others, and the other way round (addr_relay.c). Spec: Core
 * TorController */
#ifndef P2P_ONION_SERVICE_H
#define P2P_ONION_SERVICE_H

#include "p2p/core/key_file.h"
#include "p2p/core/tor_control.h"
#include "p2p/p2p.h"

#define ONION_RETRY_FIRST_US                                                                       \
    INT64_C(1000000) /* to the next attempt; half as much again each time */
#define ONION_RETRY_MAX_US INT64_C(600000000)
#define ONION_KEY_FILE     "onion_v3_private_key"

struct onion_service {
    struct p2p *p2p; /* NULL: it is not wanted */
    struct tor_control tor;
    bool is_up;       /* tor is initialised: the stream is up */
    uint64_t stream;  /* 0: none */
    uint64_t timer;   /* to the next attempt; 0: none */
    int64_t retry_us; /* how long that is */
    char target[64];  /* where Tor connects callers to */
    struct key_file key_file;
    char key[TOR_TEXT_MAX];
    struct net_address address; /* that we have; network NET_NONE: none */
};

/* Begin, if it is wanted: connect to the control port, and again when that ends. */
void onion_service_start(struct onion_service *onion, struct p2p *p2p);
/* End it: Tor lets the service go. */
void onion_service_stop(struct onion_service *onion);

#endif
