/* script_write.c - see script_write.h. */
#include "consensus/script_write.h"

#include "consensus/opcodes.h"

#define PUSH_HEAD_MAX_BYTES 5

void script_write_push(struct writer *w, struct span data)
{
    if (data.len < OP_PUSHDATA1) {
        write_u8(w, (uint8_t)data.len);
    } else if (data.len <= UINT8_MAX) {
        write_u8(w, OP_PUSHDATA1);
        write_u8(w, (uint8_t)data.len);
    } else if (data.len <= UINT16_MAX) {
        write_u8(w, OP_PUSHDATA2);
        write_u16(w, (uint16_t)data.len);
    } else {
        write_u8(w, OP_PUSHDATA4);
        write_u32(w, (uint32_t)data.len);
    }
    write_span(w, data);
}

struct span script_push(struct arena *arena, struct span data)
{
    size_t room = data.len + PUSH_HEAD_MAX_BYTES;
    uint8_t *script = arena_alloc(arena, room);
    struct writer w = writer_to_buffer(script, room);
    script_write_push(&w, data);
    return span_of(script, w.len);
}

struct span script_join(struct arena *arena, struct span a, struct span b)
{
    uint8_t *p = arena_alloc(arena, a.len + b.len + 1);
    if (a.len)
        memcpy(p, a.p, a.len);
    if (b.len)
        memcpy(p + a.len, b.p, b.len);
    return span_of(p, a.len + b.len);
}
