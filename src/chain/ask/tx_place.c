/* tx_place.c - see tx_place.h */
#include "chain/ask/tx_place.h"

#include <string.h>

#include "consensus/block.h"
#include "util/buffer.h"
#include "util/crc32c.h"

#define FIELD_BYTES (TX_PLACE_BYTES - 4)

/* All but the CRC. */
static void encode_fields(const struct tx_place *place, struct writer *w)
{
    write_u32(w, (uint32_t)place->height);
    write_bytes(w, place->tag, sizeof place->tag);
    write_u32(w, (uint32_t)place->pos.file);
    write_u32(w, place->pos.offset);
    write_u32(w, place->pos.len);
    write_u32(w, place->first_spent);
}

static uint32_t checksum(const struct tx_place *place, struct span raw)
{
    uint8_t fields[FIELD_BYTES];
    struct writer w = writer_to_buffer(fields, sizeof fields);
    encode_fields(place, &w);
    return crc32c(crc32c(0, fields, sizeof fields), raw.p, raw.len);
}

void tx_place_encode(const struct tx_place *place, struct span raw, uint8_t out[TX_PLACE_BYTES])
{
    ASSERT(place->height >= 0 && place->pos.len == raw.len);
    struct writer w = writer_to_buffer(out, TX_PLACE_BYTES);
    encode_fields(place, &w);
    write_u32(&w, checksum(place, raw));
}

bool tx_place_decode(struct span row, struct tx_place *place)
{
    *place = (struct tx_place){.pos = {.file = -1}};
    if (row.len != TX_PLACE_OLD_BYTES && row.len != TX_PLACE_BYTES)
        return false;
    struct reader r = reader_of(row);
    place->height = (int32_t)read_u32(&r);
    memcpy(place->tag, row.p + 4, sizeof place->tag);
    if (row.len == TX_PLACE_OLD_BYTES)
        return true;
    r = reader_of(span_of(row.p + TX_PLACE_OLD_BYTES, row.len - TX_PLACE_OLD_BYTES));
    place->pos.file = (int32_t)read_u32(&r);
    place->pos.offset = read_u32(&r);
    place->pos.len = read_u32(&r);
    place->first_spent = read_u32(&r);
    place->pos.crc32c = read_u32(&r);
    /* A length that no block has room for would only cost memory. */
    if (place->pos.len > BLOCK_SERIALIZED_MAX_BYTES)
        place->pos.file = -1;
    return true;
}

bool tx_place_proves(const struct tx_place *place, struct span raw)
{
    return place->pos.file >= 0 && raw.len == place->pos.len &&
           checksum(place, raw) == place->pos.crc32c;
}
