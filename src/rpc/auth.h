/* auth.h - who may call: cookie, -rpcauth, -rpcuser; and which methods: -rpcwhitelist.
 *
 * Layer: rpc. Pure. Every comparison of a secret takes the same time whatever was guessed, and
 * every credential is tried, so that neither value, length nor position leaks (CVE-2013-4165). */
#ifndef RPC_AUTH_H
#define RPC_AUTH_H

#include "rpc/rpc.h"

#define AUTH_USER_MAX 256 /* longest user name taken, with its zero */

struct auth;

/* Copies what it needs of options. Returns NULL with *error (free with xfree()) for a malformed
 * -rpcauth. */
NODISCARD struct auth *auth_new(const struct rpc_auth_options *options, char **error);
/* Free it; NULL is allowed. */
void auth_free(struct auth *auth);

/* Is the value of an Authorization header right?
 *
 * In:       header  or NULL
 * Out:      user    AUTH_USER_MAX bytes: the name, also if the password is wrong ("" if none)
 * Spec:     RFC 7617; Core's rpcauth: user:salt$HMAC-SHA256(key salt, password) in hex */
NODISCARD bool auth_check(struct auth *auth, const char *header, char *user);

/* May that user call anything at all? If not, the answer is 403, whatever the request wants. Not so
 * who has no -rpcwhitelist line where -rpcwhitelistdefault is on. */
bool auth_may_call_any(const struct auth *auth, const char *user);
/* May that user call this method? All of the user's -rpcwhitelist lines must name it. */
bool auth_may_call(const struct auth *auth, const char *user, const char *method);

#endif
