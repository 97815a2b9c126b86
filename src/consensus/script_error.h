/* script_error.h - how a script can fail. Names and messages are Core's.
 *
 * Layer: consensus. One list: script_error.def, X(name, "NAME in script_tests.json", "message").
 *
 * Which error it is decides nothing in a block, where any will do; it is what tests of all nodes
 * compare and what users read. */
#ifndef CONSENSUS_SCRIPT_ERROR_H
#define CONSENSUS_SCRIPT_ERROR_H

enum script_error {
#define X(name, test_name, message) SCRIPT_ERR_##name,
#include "consensus/script_error.def"
#undef X
    SCRIPT_ERROR_COUNT,
    SCRIPT_OK = SCRIPT_ERR_OK,
};

/* Core's message for an error, as its users see it. */
const char *script_error_string(enum script_error error);

#endif
