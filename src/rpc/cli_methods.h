/* cli_methods.h - the arguments of methods that this node does not have, for cairn-cli.
 *
 * Layer: rpc. Pure data. cairn-cli talks to other nodes and to wallets too, and has to know which
 * of their arguments are JSON. Spec: the methods of Core v31. */
#ifndef RPC_CLI_METHODS_H
#define RPC_CLI_METHODS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/span.h"

/* How an argument's text is taken. */
enum cli_form {
    CLI_TEXT,
    CLI_JSON,
    CLI_EITHER, /* JSON if it is, else text */
};

/* The form of the argument at a position, from 0. Text for methods and arguments not known. */
enum cli_form cli_form_at(struct span method, size_t position);
/* The form of the argument of that name; members of options count as names. */
enum cli_form cli_form_named(struct span method, struct span name);
/* Has the method an argument, or a member of its options, of that name? */
bool cli_knows_name(struct span method, struct span name);
/* Has the method a text at that position? False for those not known. */
bool cli_is_text_at(struct span method, size_t position);

#endif
