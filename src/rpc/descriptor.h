/* descriptor.h - output descriptors: the ones inferred from scripts, and the simple ones read.
 *
 * Layer: rpc. Without keys of our own a script can only be described by what it shows: pk(),
 * multi(), rawtr(), wsh(multi()), else addr(), else raw(). Spec: BIP380 to 386, Core
 * InferDescriptor(). */
#ifndef RPC_DESCRIPTOR_H
#define RPC_DESCRIPTOR_H

#include "consensus/network.h"
#include "util/arena.h"
#include "util/buffer.h"

#define DESCRIPTOR_CHECKSUM_CHARS 8

/* The checksum of a descriptor (without '#'), zero-terminated. Returns: false if it holds a
 * character that descriptors have not. BIP-380, Checksum */
NODISCARD bool descriptor_checksum(struct span text, char out[DESCRIPTOR_CHECKSUM_CHARS + 1]);

/* Append the descriptor of an output script, with its checksum.
 * In:  inside  NULL, or the script whose hash script_pubkey (P2WSH) pays to, if it is known */
void descriptor_infer(struct buffer *buffer, const struct network *network,
                      struct span script_pubkey, const struct span *inside);

struct script_solution;

/* The same of a script whose form and address ("" for none) are known already. */
void descriptor_append(struct buffer *buffer, const struct script_solution *solution,
                       struct span script_pubkey, const char *address, const struct span *inside);

#endif
