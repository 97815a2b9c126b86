/* chain_file.h - a chain of one's own, from the text of a JSON file to a row of the network table.
 *
 * Layer: node. Pure, so that a program and a simulated world read the same files. What a field
 * means, and what it is if it is left out: doc/testnets.md, "Your own chain". */
#ifndef NODE_CHAIN_FILE_H
#define NODE_CHAIN_FILE_H

#include "consensus/network.h"
#include "util/arena.h"

#define CHAIN_FILE_NAME_MAX 32 /* characters of a chain's name */
/* Up to so many hashes for a block, in the mean, a chain counts as one whose blocks are made at
 * will: some 20 ms of one thread. */
#define CHAIN_FILE_EASY_HASHES 65536

/* Read a chain's description.
 *
 * In:       path     as messages call the file
 * Out:      network  borrows arena only
 * Returns:  false with *error, a line that names the file, its line and the field (xfree it) */
NODISCARD bool chain_file_parse(struct span text, const char *path, struct arena *arena,
                                struct network *network, char **error);

/* Find the first nonce, from the one that the text says, that does the work of its genesis block;
 * the rest of the text is checked as above.
 *
 * Out:      nonce  0 if the genesis block is regtest's
 * Returns:  false with *error, as above */
NODISCARD bool chain_file_mine(struct span text, const char *path, struct arena *arena,
                               uint32_t *nonce, char **error);

/* Can a chain have that name? It is the name of a folder too, beside those of the main network.
 *
 * Returns:  NULL, or what is wrong with it: "is the name of a public network" */
const char *chain_file_name_fault(const char *name);

#endif
