/* frame_header.h - the header of a message, from its payload. */
#ifndef TESTS_SUPPORT_FRAME_HEADER_H
#define TESTS_SUPPORT_FRAME_HEADER_H

#include "p2p/core/frame.h"

/* Write the header of a message with that payload. name has at most 12 characters. */
static inline void frame_header_of(uint8_t out[FRAME_HEADER_BYTES], const uint8_t magic[4],
                                   const char *name, struct span payload)
{
    uint8_t checksum[4];
    frame_checksum(payload, checksum);
    frame_header_encode(out, magic, name, payload.len, checksum);
}

#endif
