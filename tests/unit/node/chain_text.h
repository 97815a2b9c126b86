/* chain_text.h - the text of a chain file with some fields changed, and what its reader says. */
#ifndef TESTS_UNIT_NODE_CHAIN_TEXT_H
#define TESTS_UNIT_NODE_CHAIN_TEXT_H

#include "node/chain_file.h"
#include "support/arena_fixture.h"
#include "util/alloc.h"

/* A file with the fields that must be there on its first lines, more on the fifth. */
#define CHAIN_TEXT(more)                                                                           \
    "{\n\"name\": \"my\",\n\"p2p_port\": 1000, \"rpc_port\": 1001,\n\"genesis\": \"regtest\"" more \
    "}"

/* Read it. Fails the test if the reader refuses it. */
static inline void assert_chain_taken(struct arena *arena, const char *text,
                                      struct network *network)
{
    char *error = NULL;
    if (!chain_file_parse(span_of_string(text), "f", arena, network, &error))
        fail_msg("%s", error);
    assert_null(error);
}

/* The reader refuses it with that line. */
static inline void assert_chain_refused(struct arena *arena, const char *text, const char *want)
{
    struct network network;
    char *error = NULL;
    assert_false(chain_file_parse(span_of_string(text), "f", arena, &network, &error));
    assert_string_equal(error, want);
    xfree(error);
}

#endif
