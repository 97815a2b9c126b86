/* names.h - the few names that a trace uses again and again, each known by a number.
 *
 * Layer: sim. Roles, message types, places, kinds of attack: some tens of them, found by a walk. */
#ifndef SIM_REPORT_NAMES_H
#define SIM_REPORT_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "util/array.h"
#include "util/span.h"

#define NAME_BYTES_MAX 64

/* Zeros are an empty table. */
struct names {
    ARRAY(char *) list;
};

/* Find a name, or add it if there are fewer than max.
 *
 * Out:      index  of the name; as before after failure
 * Returns:  false if there is no room, or the name is empty or longer than NAME_BYTES_MAX */
NODISCARD bool names_add(struct names *names, struct span name, size_t max, uint32_t *index);

/* The name with that number, which names_add() gave. */
const char *names_get(const struct names *names, uint32_t index);

/* Free what it owns; it is empty then. */
void names_free(struct names *names);

#endif
