/* chain_rules.h - the rules of a chain of one's own as text, and what is derived from it.
 *
 * Layer: node. Pure. Two files can bear one name and differ in a rule: then their chains are two,
 * and must neither talk to each other nor use each other's data. So all that decides what is valid
 * is written down in one form, "name value" in each line, whatever the file looked like. */
#ifndef NODE_CHAIN_RULES_H
#define NODE_CHAIN_RULES_H

#include "consensus/network.h"
#include "util/arena.h"

/* Set rules, rules_tag and, unless it is given, the magic of a network whose other facts are
 * there. Two that differ in a rule differ in the tag, and in a magic that was not given.
 *
 * Out:      network->rules  in arena */
void chain_rules_settle(struct network *network, bool has_magic, struct arena *arena);

/* What the first line is that differs, for people: "subsidy was 50.00000000, and is 25.00000000
 * now". NULL if none does.
 *
 * Owns:     the caller, xfree() */
NODISCARD char *chain_rules_difference(const char *was, const char *is);

#endif
