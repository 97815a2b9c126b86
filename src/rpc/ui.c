/* ui.c - see ui.h */
#include "rpc/ui.h"

#include <stdio.h>
#include <string.h>

#include "crypto/mem.h"
#include "rpc/ui_page.h"
#include "util/alloc.h"
#include "util/base64.h"
#include "util/hex.h"

/* A secret and whom it stands for, until its timer fires. */
struct pass {
    struct ui *ui;
    uint64_t timer; /* 0: it is free */
    uint64_t order; /* the oldest has the lowest */
    uint8_t secret[UI_SECRET_BYTES];
    char user[AUTH_USER_MAX];
};

struct ui {
    const struct env *env;
    char *address, *mesh_path;
    uint64_t n_passes; /* so far */
    struct pass tokens[UI_TOKENS_MAX], sessions[UI_SESSIONS_MAX];
    struct ui_page page; /* empty until somebody asks */
};

/* -- Passes --------------------------------------------------------------------------------- */

static void pass_end(struct pass *pass)
{
    if (pass->timer)
        env_timer_cancel(pass->ui->env, pass->timer);
    pass->timer = 0;
    mem_wipe(pass->secret, sizeof pass->secret);
}

static void on_pass_over(void *arg)
{
    struct pass *pass = arg;
    ASSERT(pass->timer);
    pass->timer = 0;
    pass_end(pass);
}

/* One of n that is free; else the oldest, which ends. */
static struct pass *pass_take(struct pass *passes, size_t n)
{
    struct pass *oldest = &passes[0];
    for (size_t i = 0; i < n; i++) {
        if (!passes[i].timer)
            return &passes[i];
        if (passes[i].order < oldest->order)
            oldest = &passes[i];
    }
    pass_end(oldest);
    return oldest;
}

static void pass_begin(struct ui *ui, struct pass *pass, const char *user, int64_t life_s,
                       char text[UI_SECRET_TEXT])
{
    ASSERT(!pass->timer && strlen(user) < sizeof pass->user);
    pass->ui = ui;
    pass->order = ui->n_passes++;
    snprintf(pass->user, sizeof pass->user, "%s", user);
    env_random(ui->env, pass->secret, sizeof pass->secret);
    pass->timer = env_timer_start(ui->env, life_s * 1000000, on_pass_over, pass);
    hex_encode(text, span_of(pass->secret, sizeof pass->secret));
}

/* The pass that a text stands for, or NULL. All are compared, and wholly. */
static const struct pass *pass_find(const struct pass *passes, size_t n, const char *text)
{
    uint8_t secret[UI_SECRET_BYTES];
    const struct pass *found = NULL;
    if (!text || !hex_decode(secret, sizeof secret, text, strlen(text)))
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (mem_equal_ct(passes[i].secret, secret, sizeof secret) && passes[i].timer)
            found = &passes[i];
    return found;
}

/* -- Life ----------------------------------------------------------------------------------- */

struct ui *ui_new(const struct env *env, const char *address, const char *mesh_path)
{
    ASSERT(env && address);
    struct ui *ui = xcalloc(1, sizeof *ui);
    ui->env = env;
    ui->address = xstrdup(address);
    ui->mesh_path = mesh_path ? xstrdup(mesh_path) : NULL;
    return ui;
}

void ui_end_all(struct ui *ui)
{
    ASSERT(ui);
    for (size_t i = 0; i < COUNT_OF(ui->tokens); i++)
        pass_end(&ui->tokens[i]);
    for (size_t i = 0; i < COUNT_OF(ui->sessions); i++)
        pass_end(&ui->sessions[i]);
}

void ui_free(struct ui *ui)
{
    if (!ui)
        return;
    ui_end_all(ui);
    ui_page_deinit(&ui->page);
    xfree(ui->address);
    xfree(ui->mesh_path);
    xfree(ui);
}

const char *ui_address(const struct ui *ui)
{
    return ui->address;
}

const char *ui_mesh_path(const struct ui *ui)
{
    return ui->mesh_path;
}

void ui_invite(struct ui *ui, const char *user, char token[UI_SECRET_TEXT])
{
    ASSERT(ui && user);
    struct pass *pass = pass_take(ui->tokens, COUNT_OF(ui->tokens));
    pass_begin(ui, pass, user, UI_TOKEN_S, token);
}

bool ui_redeem(struct ui *ui, const char *token, char session[UI_SECRET_TEXT])
{
    ASSERT(ui && token);
    const struct pass *found = pass_find(ui->tokens, COUNT_OF(ui->tokens), token);
    if (!found)
        return false;
    struct pass *used = &ui->tokens[found - ui->tokens];
    struct pass *pass = pass_take(ui->sessions, COUNT_OF(ui->sessions));
    pass_begin(ui, pass, used->user, UI_SESSION_S, session);
    pass_end(used);
    return true;
}

const struct ui_page *ui_page(struct ui *ui)
{
    ASSERT(ui);
    if (!ui->page.headers)
        ui_page_init(&ui->page);
    return &ui->page;
}

/* -- Requests ------------------------------------------------------------------------------- */

void ui_cookie_name(const char *host, char name[UI_COOKIE_NAME])
{
    const char *colon = host ? strrchr(host, ':') : NULL;
    const char *port = colon ? colon + 1 : "";
    size_t n = strspn(port, "0123456789");
    bool is_port = n > 0 && n <= 5 && port[n] == '\0';
    snprintf(name, UI_COOKIE_NAME, "cairn_ui%s%.5s", is_port ? "_" : "", is_port ? port : "");
}

/* The value that a Cookie header has for a name. Spec: RFC 6265, 4.2.1 */
static bool find_cookie(const char *header, const char *name, char value[UI_SECRET_TEXT])
{
    size_t len = strlen(name);
    while (header && *header) {
        header += strspn(header, "; ");
        size_t n = strcspn(header, ";");
        if (n == len + UI_SECRET_TEXT && memcmp(header, name, len) == 0 && header[len] == '=') {
            memcpy(value, header + len + 1, UI_SECRET_TEXT - 1);
            value[UI_SECRET_TEXT - 1] = '\0';
            return true;
        }
        header += n;
    }
    return false;
}

/* "http://" or "https://", and the very host that was asked. */
static bool is_own_origin(const char *origin, const char *host)
{
    const char *at = origin ? strstr(origin, "://") : NULL;
    return at && host && strcmp(at + strlen("://"), host) == 0;
}

static bool is_json(const char *content_type)
{
    static const char json[] = "application/json";
    return content_type && strncmp(content_type, json, strlen(json)) == 0;
}

bool ui_is_from_elsewhere(const struct rpc_request *request)
{
    ASSERT(request);
    const char *site = request->fetch_site;
    return site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
}

static bool is_text(const char *value, const char *text)
{
    return value && strcmp(value, text) == 0;
}

/* A link of another site is how an address may come to a browser. What a page of that site loads or
 * frames is not: it could guess at what is here by how the answer looks. */
bool ui_may_come_from_elsewhere(const struct rpc_request *request)
{
    static const char invitation[] = "/ui/?token=";
    ASSERT(request && request->uri);
    return is_text(request->http_method, "GET") &&
           strncmp(request->uri, invitation, strlen(invitation)) == 0 &&
           is_text(request->fetch_mode, "navigate") && is_text(request->fetch_dest, "document");
}

int ui_judge(const struct ui *ui, const struct rpc_request *request, char user[AUTH_USER_MAX],
             const char **text)
{
    ASSERT(ui && request);
    char name[UI_COOKIE_NAME], secret[UI_SECRET_TEXT];
    bool is_post = request->http_method && strcmp(request->http_method, "POST") == 0;
    user[0] = '\0';
    ui_cookie_name(request->host, name);
    const struct pass *session = NULL;
    if (find_cookie(request->cookie, name, secret))
        session = pass_find(ui->sessions, COUNT_OF(ui->sessions), secret);
    /* SameSite keeps the cookie from other sites, but all ports of a machine are one site. A form
     * cannot say that it sends JSON, and a script of another origin must ask first, in vain. */
    if ((is_post || request->origin) && !is_own_origin(request->origin, request->host)) {
        *text = "Only the dashboard's own page may ask here";
        return 403;
    }
    if (is_post && !is_json(request->content_type)) {
        *text = "Only application/json is taken here";
        return 403;
    }
    if (!session) {
        *text = "no session";
        return 403;
    }
    snprintf(user, AUTH_USER_MAX, "%s", session->user);
    return 0;
}

bool ui_method_is_safe(const char *method)
{
    static const char *const safe[] = {
        "getaddressbalance", "getaddresshistory", "getblock",
        "getblockchaininfo", "getblockhash",      "getblockheader",
        "getblockstats",     "getchaintips",      "getindexinfo",
        "getmempoolbands",   "getmempoolentry",   "getmempoolinfo",
        "getnettotals",      "getnetworkinfo",    "getpeerinfo",
        "getrawtransaction", "gettxout",          "uptime",
    };
    ASSERT(method);
    for (size_t i = 0; i < COUNT_OF(safe); i++)
        if (strcmp(safe[i], method) == 0)
            return true;
    return false;
}
