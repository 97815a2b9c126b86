/* fuzz_chain_file.c - any bytes as a chain file: a network that holds together, or one line. */
#include <string.h>

#include "consensus/pow.h"
#include "node/chain_file.h"
#include "util/alloc.h"

enum { ARENA_CHUNK_BYTES = 1 << 14 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct network network;
    char *error = NULL;
    arena_init(&arena, ARENA_CHUNK_BYTES);
    bool ok = chain_file_parse(span_of(data, size), "f", &arena, &network, &error);
    ASSERT(ok == (error == NULL));
    if (ok) {
        ASSERT(!chain_file_name_fault(network.name) && network.p2p_port != network.rpc_port);
        ASSERT(pow_retarget_interval(&network) >= 4 && network.coinbase_maturity > 0);
        ASSERT(pow_subsidy_sat(&network, 0) > 0 && strlen(network.rules_tag) == NETWORK_TAG_CHARS);
    } else {
        ASSERT(strncmp(error, "f:", 2) == 0);
    }
    xfree(error);
    arena_deinit(&arena);
    return 0;
}
