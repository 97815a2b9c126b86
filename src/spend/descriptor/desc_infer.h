/* desc_infer.h - output descriptors inferred from scripts.
 *
 * Layer: spend. Without keys of our own a script can only be described by what it shows: pk(),
 * multi(), rawtr(), wsh(multi()), else addr(), else raw(). Spec: BIP380 to 386, Core
 * InferDescriptor(). */
#ifndef SPEND_DESCRIPTOR_DESC_INFER_H
#define SPEND_DESCRIPTOR_DESC_INFER_H

#include "consensus/network.h"
#include "spend/descriptor/desc_checksum.h"
#include "util/buffer.h"

/* Append the descriptor of an output script, with its checksum.
 * In:  inside  NULL, or the script whose hash script_pubkey (P2WSH) pays to, if it is known */
void desc_infer(struct buffer *buffer, const struct network *network, struct span script_pubkey,
                const struct span *inside);

struct script_solution;

/* The same of a script whose form and address ("" for none) are known already. */
void desc_infer_append(struct buffer *buffer, const struct script_solution *solution,
                       struct span script_pubkey, const char *address, const struct span *inside);

#endif
