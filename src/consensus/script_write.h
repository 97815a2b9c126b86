/* script_write.h - make scripts piece by piece, as wallets and miners write them.
 *
 * Layer: consensus. Pure; memory from an arena handed in. How pushes are read: script_iter.h */
#ifndef CONSENSUS_SCRIPT_WRITE_H
#define CONSENSUS_SCRIPT_WRITE_H

#include "util/arena.h"
#include "util/writer.h"

/* Write a push of data in its shortest form but for numbers: one byte 1 to 16 stays data. */
void script_write_push(struct writer *w, struct span data);

/* The same as a script of its own, in arena. */
struct span script_push(struct arena *arena, struct span data);

/* a || b, in arena. */
struct span script_join(struct arena *arena, struct span a, struct span b);

#endif
