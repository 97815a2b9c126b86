/* crc32c.h - the checksum of stored records (Castagnoli polynomial).
 *
 * Layer: util. Finds damage, not malice. */
#ifndef UTIL_CRC32C_H
#define UTIL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continue a checksum over more bytes, with the processor's instruction where it has one.
 *
 * In:       crc  0 to start, else what the call for the bytes before returned
 * Returns:  the checksum of all bytes so far
 * Spec:     RFC 3720, B.4 has examples */
uint32_t crc32c(uint32_t crc, const void *p, size_t len);

/* The same by table, for processors without the instruction (and for the test that compares).
 *
 * In:       crc  as above
 * Returns:  as above */
uint32_t crc32c_portable(uint32_t crc, const void *p, size_t len);

#endif
