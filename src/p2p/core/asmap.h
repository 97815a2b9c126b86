/* asmap.h - which network operator an address belongs to, by a compact program over its bits.
 *
 * Layer: p2p. Pure. A map is a program of four instructions in a stream of bits: return an
 * operator, jump if the next bit of the address is set, match some bits, set the operator for when
 * a match fails. It comes from a file that the user chose; asmap_is_sane() is asked once, then
 * asmap_lookup() cannot fail. Format: that of Core's -asmap files */
#ifndef P2P_CORE_ASMAP_H
#define P2P_CORE_ASMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "util/assert.h"
#include "util/span.h"

#define ASMAP_ADDRESS_BITS   128         /* IPv4 stands behind ::ffff:0:0/96 */
#define ASMAP_FILE_MAX_BYTES (32u << 20) /* the whole Internet needs less than 2 MB */

/* Can every address be looked up, does every jump go to the beginning of an instruction, is
 * nothing in it unreachable, and does it end where it ends? */
NODISCARD bool asmap_is_sane(struct span map);
/* The number of the autonomous system of an address; 0: unknown. The map must be sane. */
uint32_t asmap_lookup(struct span map, const uint8_t address[ASMAP_ADDRESS_BITS / 8]);
/* What tells two maps apart, as peers.dat holds it. */
void asmap_version(struct span map, uint8_t out[32]);

#endif
