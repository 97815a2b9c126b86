/* desc_checksum.h - the eight characters behind a descriptor, which tell of a slip in copying it.
 *
 * Layer: spend. Pure. Spec: BIP380. */
#ifndef SPEND_DESCRIPTOR_DESC_CHECKSUM_H
#define SPEND_DESCRIPTOR_DESC_CHECKSUM_H

#include "util/assert.h"
#include "util/span.h"

#define DESC_CHECKSUM_CHARS 8

/* The checksum of a descriptor (without '#'), zero-terminated. Returns: false if it holds a
 * character that descriptors have not. BIP-380, Checksum */
NODISCARD bool desc_checksum(struct span text, char out[DESC_CHECKSUM_CHARS + 1]);

#endif
