/* seed_node.c - see seed_node.h. Messages are Core's. */
#include "p2p/connect/seed_node.h"

#include "p2p/connect/dial.h"
#include "p2p/state.h"

void seed_node_init(struct p2p *p2p)
{
    ASSERT(p2p->seed_nodes.n_left == 0);
    struct seed_node *seeds = &p2p->seed_nodes;
    const struct p2p_options *options = &p2p->options;
    *seeds = (struct seed_node){0};
    if (options->n_seed_nodes == 0)
        return;
    if (options->connect_only) {
        log_printf(p2p->log, LOG_ALWAYS, "-seednode is ignored when -connect is used");
        return;
    }
    seeds->left = arena_calloc(&p2p->arena, options->n_seed_nodes, sizeof *seeds->left);
    /* In a random order, so that not every node of a fleet asks the same one first. */
    for (size_t i = 0; i < options->n_seed_nodes; i++) {
        size_t at = (size_t)p2p_random(p2p, ++seeds->n_left);
        seeds->left[i] = seeds->left[at];
        seeds->left[at] = options->seed_nodes[i];
    }
    bool has_addresses = address_book_count(p2p->book) > 0;
    seeds->next_us = p2p_now_us(p2p) + (has_addresses ? SEED_NODE_WAIT_US : 0);
}

int64_t seed_node_tick(struct p2p *p2p, int64_t now_us)
{
    struct seed_node *seeds = &p2p->seed_nodes;
    if (seeds->n_left == 0)
        return INT64_MAX;
    if (now_us < seeds->next_us)
        return seeds->next_us;
    seeds->next_us = now_us + SEED_NODE_WAIT_US;
    if (dial_count_full(p2p) >= SEED_NODE_PEERS_MIN)
        return seeds->next_us;
    const char *text = seeds->left[--seeds->n_left];
    if (address_book_count(p2p->book) == 0)
        log_printf(p2p->log, LOG_ALWAYS, "Empty addrman, adding seednode (%s) to addrfetch", text);
    else
        log_printf(p2p->log, LOG_ALWAYS,
                   "Couldn't connect to peers from addrman after %d seconds. Adding seednode (%s) "
                   "to addrfetch",
                   (int)(SEED_NODE_WAIT_US / 1000000), text);
    (void)named_node_add(p2p, text, NAMED_SEED);
    return seeds->n_left > 0 ? seeds->next_us : INT64_MAX;
}
