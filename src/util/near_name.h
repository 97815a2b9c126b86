/* near_name.h - which of some names was meant by one that is none of them.
 *
 * Layer: util. Pure. For messages about what people have typed. */
#ifndef UTIL_NEAR_NAME_H
#define UTIL_NEAR_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define NEAR_NAME_BYTES_MAX 40 /* longer ones are near to none */

/* How many characters have to be added, taken away or changed to make a of b; NEAR_NAME_BYTES_MAX
 * or more if one of them is longer than that. */
size_t near_name_distance(const char *a, const char *b);

/* Is b what somebody may have meant by a? At most two characters are wrong, and a third of them. */
bool near_name_is_near(const char *a, const char *b);

#endif
