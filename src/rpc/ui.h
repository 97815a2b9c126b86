/* ui.h - who may look at the dashboard: one-time addresses, and the sessions that they begin.
 *
 * Layer: rpc, for this layer only. Nobody types a cookie file into a browser: who has a login asks
 * the method `ui` for an address, good for one use and UI_TOKEN_S; whoever opens it gets a session,
 * which can do less than the login. All of it is in memory alone. See
 * doc/decisions/0335-who-may-look-at-the-dashboard.md */
#ifndef RPC_UI_H
#define RPC_UI_H

#include "rpc/rpc_internal.h"

struct ui_page;

#define UI_TOKEN_S      120         /* an address is good for so long */
#define UI_SESSION_S    (12 * 3600) /* from its beginning */
#define UI_TOKENS_MAX   8           /* a further one takes the place of the oldest */
#define UI_SESSIONS_MAX 16          /* likewise */
#define UI_SECRET_BYTES 16
#define UI_SECRET_TEXT  (2 * UI_SECRET_BYTES + 1) /* as hex, with its zero */
#define UI_COOKIE_NAME  32                        /* with its zero */

/* What each answer of the dashboard has: it is for this page only, and for nobody to keep. */
#define UI_HEADERS                                                                                 \
    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"                               \
    "Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n"

/* In:       address    "http://127.0.0.1:18443"
 *           mesh_path  of the map of the mesh, or NULL
 * Owns:     the caller; env is borrowed */
NODISCARD struct ui *ui_new(const struct env *env, const char *address, const char *mesh_path);
/* Free it, and end all sessions. NULL is allowed. */
void ui_free(struct ui *ui);
/* The last two arguments of ui_new(). */
const char *ui_address(const struct ui *ui);
const char *ui_mesh_path(const struct ui *ui);

/* Make the token of an address. Its session will be of that user. */
void ui_invite(struct ui *ui, const char *user, char token[UI_SECRET_TEXT]);
/* Begin a session. Returns: false if the token is none, has been used, or is too old */
NODISCARD bool ui_redeem(struct ui *ui, const char *token, char session[UI_SECRET_TEXT]);
/* Forget all tokens and sessions. */
void ui_end_all(struct ui *ui);

/* A browser has one jar of cookies for all ports of a machine: each node's has its port in it, from
 * the Host header (NULL allowed). */
void ui_cookie_name(const char *host, char name[UI_COOKIE_NAME]);

/* Has a page of another origin caused the request, by what the browser says of it? Without its
 * word, nobody knows. Spec: Fetch Metadata Request Headers, 2.4 */
bool ui_is_from_elsewhere(const struct rpc_request *request);
/* May such a page have caused it: has the user followed a link that has a one-time token? Only the
 * head may be there. */
bool ui_may_come_from_elsewhere(const struct rpc_request *request);
/* Is the request, of which only the head may be there, one of our own page in a session? A page of
 * another origin of the same machine is none, though the browser gives it the cookie.
 *
 * Out:      user  whose session it is; "" if it is none
 * Returns:  0, or the status and *text of the refusal */
NODISCARD int ui_judge(const struct ui *ui, const struct rpc_request *request,
                       char user[AUTH_USER_MAX], const char **text);
/* May a session call that method? Only what changes nothing. */
bool ui_method_is_safe(const char *method);

/* The page. Made when first asked for; lasts as long as ui. */
const struct ui_page *ui_page(struct ui *ui);

#endif
