/* mesh.h - whole nodes (chain, mempool, mesh) and scripted peers on one simulated network.
 *
 * For tests of p2p and of what lies above it. Everything happens on one clock, from one seed. */
#ifndef TESTS_SUPPORT_MESH_H
#define TESTS_SUPPORT_MESH_H

#include "mempool/mempool.h"
#include "p2p/core/frame.h"
#include "p2p/p2p.h"
#include "sim/sim_env.h"
#include "sim/sim_net.h"
#include "support/chain_builder.h"

#define MESH_NODES_MAX 16
#define MESH_PORT      18444

struct mesh;

/* One whole node. */
struct mesh_node {
    struct mesh *mesh;
    char address[32];
    struct sim_env *sim;
    struct sim_host *host;
    struct network network;
    struct log log;
    struct chain *chain;
    struct mempool *mempool;
    struct p2p *p2p;
    size_t n_peers, n_warnings, n_faults;
    struct verdict tx_verdict; /* of the last mesh_give_tx() */
    bool tx_done;
};

struct mesh {
    struct sim_events events;
    struct sim_net *net;
    struct chain_builder *builder;
    uint64_t seed;
    struct mesh_node nodes[MESH_NODES_MAX];
    size_t n_nodes;
    struct raw_peer *raws;   /* that are still there, the newest first */
    struct sim_host *prober; /* where scripted peers are */
    struct sim_env *prober_sim;
    const char *const
        *machine; /* addresses of each node's interfaces, of nodes added from now on */
    size_t n_machine;
};

/* Make a mesh without nodes; net NULL: 20 ms from everybody to everybody. Borrows builder. */
void mesh_init(struct mesh *mesh, uint64_t seed, struct chain_builder *builder,
               const struct sim_net_options *net);
/* Stop and free all, raw peers too. */
void mesh_deinit(struct mesh *mesh);

/* Start a node at 10.0.n.1 that listens on MESH_PORT; options (may be NULL) say the rest. The tip's
 * age never keeps it in initial download, unless chain_options says so. */
struct mesh_node *mesh_add(struct mesh *mesh, const struct p2p_options *options,
                           const struct chain_options *chain_options);
/* End a node, and start another process on its disk. */
void mesh_stop_node(struct mesh_node *node);

/* Let time pass; until the condition holds (the test fails after max_s). */
void mesh_run(struct mesh *mesh, int64_t us);
bool mesh_run_until(struct mesh *mesh, bool (*is_so)(void *arg), void *arg, int64_t max_s);

/* Have one connect to the other, and wait for both to be ready. */
void mesh_connect(struct mesh_node *from, struct mesh_node *to);
/* Give a node a block, or all up to it, as its user would; wait until they are connected. */
void mesh_give(struct mesh_node *node, const struct built_block *last);
/* Give its mempool a transaction and wait. */
struct verdict mesh_give_tx(struct mesh_node *node, const struct tx *tx);

bool mesh_is_at(const struct mesh_node *node, const struct built_block *block);
/* Wait until all nodes have that tip; returns the microseconds it took, -1 after max_s. */
int64_t mesh_wait_tip(struct mesh *mesh, const struct built_block *block, int64_t max_s);
/* Peers of a node that are ready. */
size_t mesh_count_ready(struct mesh_node *node);
/* The info of a node's n-th peer. False if there is none. */
bool mesh_peer_info(struct mesh_node *node, size_t n, struct net_peer_info *info);

/* -- Scripted peers ---------------------------------------------------------------------------- */

#define RAW_MESSAGES_MAX 4096

/* One that says exactly what the test says. */
struct raw_peer {
    struct mesh *mesh;
    struct raw_peer *next; /* of the mesh */
    const struct env *env;
    uint64_t stream;
    uint64_t listener;
    bool is_up, is_closed;
    struct frame_reader frame;
    struct {
        char name[FRAME_NAME_BYTES + 1];
        uint8_t *payload;
        size_t len;
        int64_t at_us;
    } got[RAW_MESSAGES_MAX];
    size_t n_got;
    size_t at; /* messages before it were looked at */
    uint64_t bytes_got;
    bool is_silent; /* answers no ping */
    bool takes_any; /* what it gets need be no messages */
};

/* Connect to a node, and no more. raw_free() closes, mesh_deinit() at the latest. */
struct raw_peer *raw_connect(struct mesh *mesh, struct mesh_node *node);
/* Connect, and greet as raw_handshake() does. */
struct raw_peer *raw_join(struct mesh *mesh, struct mesh_node *node, uint64_t services);
/* The same at another port than MESH_PORT. */
struct raw_peer *raw_connect_at(struct mesh *mesh, struct mesh_node *node, uint16_t port);
/* Wait for a node to connect to 10.9.9.9 at that port. */
struct raw_peer *raw_listen(struct mesh *mesh, uint16_t port);
void raw_free(struct raw_peer *raw);

/* Send a message, or any bytes. */
void raw_send(struct raw_peer *raw, const char *name, const void *payload, size_t len);
void raw_send_bytes(struct raw_peer *raw, const void *bytes, size_t len);
/* Version with those services, wtxidrelay, verack; wait until the node is ready too. */
void raw_handshake(struct raw_peer *raw, uint64_t services);
void raw_send_version(struct raw_peer *raw, uint64_t services, int32_t version, uint64_t nonce);

/* Wait for the next message of that name after the last one found; fails the test if none comes
 * within 30 s. Its payload is borrowed. */
struct span raw_expect(struct raw_peer *raw, const char *name);
/* The same without waiting longer than us, and without failing; p NULL: none came. */
struct span raw_find(struct raw_peer *raw, const char *name, int64_t us);
size_t raw_count(const struct raw_peer *raw, const char *name);

/* Common messages: one entry; n headers of blocks that follow each other; a block. */
void raw_send_inv(struct raw_peer *raw, const char *name, uint32_t type, const uint8_t hash[32]);
void raw_send_headers(struct raw_peer *raw, const struct built_block *const *blocks, size_t n);
void raw_send_block(struct raw_peer *raw, const struct built_block *block);

#endif
