/* script_num.h - the numbers of script: little-endian sign and magnitude, of any length in form,
 * of at most four (or five) bytes as an operand.
 *
 * Zero is the empty string, the sign is the top bit of the last byte. So a number has many forms
 * (0x01, 0x0100; 0x80 is a negative zero), which would let others change a transaction, hence the
 * rule of the shortest. The bounds are on operands alone: the sum of two four-byte numbers may have
 * five bytes, be stored and compared as bytes, and not be added to again.
 *
 * Layer: consensus. Pure. Spec: Core's CScriptNum; the shortest form: BIP-62, Numbers. */
#ifndef CONSENSUS_SCRIPT_NUM_H
#define CONSENSUS_SCRIPT_NUM_H

#include <stdbool.h>
#include <stdint.h>

#include "util/assert.h"
#include "util/span.h"

#define SCRIPT_NUM_BYTES_MAX 4 /* operand of arithmetic */
/* Four bytes end in 2038; a lock time has 32 bits without a sign, up to 2106. */
#define SCRIPT_NUM_TIME_BYTES_MAX 5 /* operand of CHECKLOCKTIMEVERIFY and CHECKSEQUENCEVERIFY */
#define SCRIPT_NUM_ENCODED_MAX    9 /* what script_num_encode() may write */

/* Read an operand.
 *
 * In:       in         any bytes; the empty string is 0, as is any negative zero
 *           bytes_max  longer operands are refused, whatever their value; at most 8
 *           minimal    refuse all but the shortest form
 * Out:      value      untouched on failure
 * Returns:  false for SCRIPT_ERR_SCRIPTNUM */
NODISCARD bool script_num_decode(struct span in, size_t bytes_max, bool minimal, int64_t *value);

/* Write the shortest form of value, any int64_t.
 * Returns: its length, 0 for value 0 */
size_t script_num_encode(int64_t value, uint8_t out[SCRIPT_NUM_ENCODED_MAX]);

/* Is in true as a condition? False are all zeros of any length, also with the sign bit of the
 * last byte set ("negative zero"). Spec: Core CastToBool() */
bool script_is_true(struct span in);

#endif
