/* descriptors.c - see descriptors.h */
#include "host/descriptors.h"

#include "p2p/p2p.h"

bool descriptors_share(size_t limit, int max_connections, struct descriptors *out)
{
    ASSERT(max_connections >= 0);
    *out = (struct descriptors){.p2p = max_connections, .rpc = DESCRIPTORS_RPC_MAX};
    if (limit < DESCRIPTORS_LEAST)
        return false;
    size_t left = limit - DESCRIPTORS_CORE - P2P_MANUAL_MAX, wanted = (size_t)max_connections;
    if (left >= wanted + DESCRIPTORS_RPC_MAX)
        return true;
    /* Clients give way first, down to a third. */
    size_t least = left / 3 > DESCRIPTORS_RPC_MIN ? left / 3 : DESCRIPTORS_RPC_MIN;
    out->rpc = left > wanted + least ? left - wanted : least;
    out->rpc = MIN_OF(out->rpc, DESCRIPTORS_RPC_MAX);
    size_t p2p = left - out->rpc;
    if (p2p < wanted)
        out->p2p = (int)p2p;
    ASSERT((size_t)out->p2p + out->rpc <= left);
    return true;
}
