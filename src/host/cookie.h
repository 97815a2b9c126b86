/* cookie.h - the password that a node makes up at each start for clients of the same user.
 *
 * Layer: host. Hazards: readable by nobody else at any instant, never through a link that was put
 * there before, never half written, gone when the node stops, never in the log. */
#ifndef HOST_COOKIE_H
#define HOST_COOKIE_H

#include "util/assert.h"

struct env;

/* Write a new cookie, "__cookie__:" and 64 hexadecimal digits, to path.
 *
 * In:       mode   permissions of the file: 0600, 0640 or 0644 (-rpccookieperms)
 * Out:      error  a line for the user if it failed, freed with xfree()
 * Returns:  the cookie, or NULL
 * Owns:     the caller; wipe and free with cookie_free() */
NODISCARD char *cookie_create(const struct env *env, const char *path, unsigned mode, char **error);
void cookie_free(char *cookie); /* NULL is allowed */

/* Remove the file if it still holds this cookie. */
void cookie_remove(const char *path, const char *cookie);

#endif
