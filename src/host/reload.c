/* reload.c - see reload.h */
#include "host/reload.h"

#include <string.h>

#include "host/config_base.h"
#include "host/config_options.h"
#include "util/alloc.h"

static const char *const reloaded[] = {
    "debug",        "debugexclude",        "rpcauth",  "rpcuser", "rpcpassword",
    "rpcwhitelist", "rpcwhitelistdefault", "whitelist"};

struct rpc_auth_options reload_auth(const struct config *config, const char *cookie)
{
    ASSERT(config);
    const struct options *options = &config->options;
    return (struct rpc_auth_options){
        .cookie = cookie,
        .user = options_get_string(options, "rpcuser", NULL),
        .password = options_get_string(options, "rpcpassword", NULL),
        .rpcauth = config->rpcauth.at,
        .n_rpcauth = config->rpcauth.n,
        .whitelist = config->rpc_whitelist.at,
        .n_whitelist = config->rpc_whitelist.n,
        .whitelist_default = config->rpc_whitelist_default,
        .rest = options_get_bool(options, "rest", false),
        .event_log_max = (size_t)config->event_log_max,
        .deprecated_warnings_string = config->deprecated_warnings,
        .deprecated_start_height = config->deprecated_start_height,
        .ui_address = config->ui_address,
        .ui_mesh_path = config->ui_mesh_path,
    };
}

static bool is_reloaded(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(reloaded); i++)
        if (strcmp(reloaded[i], name) == 0)
            return true;
    return false;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_value(const struct options *a, const struct options *b,
                       const struct option_def *def)
{
    if (!(def->flags & OPTION_MULTI))
        return same_text(options_get_string(a, def->name, NULL),
                         options_get_string(b, def->name, NULL));
    for (size_t i = 0;; i++) {
        const char *of_a = options_get_list(a, def->name, i);
        if (!same_text(of_a, options_get_list(b, def->name, i)))
            return false;
        if (!of_a)
            return true;
    }
}

/* The names only: values may be secrets. */
static void tell_changes(const struct reload *reload, const struct config *was,
                         const struct config *is)
{
    size_t n;
    const struct option_def *defs = config_options(&n);
    for (size_t i = 0; i < n; i++) {
        if (!options_has(&is->options, &defs[i]) ||
            same_value(&was->options, &is->options, &defs[i]))
            continue;
        if (is_reloaded(defs[i].name))
            log_printf(reload->log, LOG_ALWAYS, "SIGHUP: -%s is as it reads now", defs[i].name);
        else
            log_warning(reload->log, "SIGHUP: -%s has changed and counts after a restart",
                        defs[i].name);
    }
}

static bool has_login(const struct rpc_auth_options *auth)
{
    return auth->cookie || (auth->password && *auth->password) || auth->n_rpcauth > 0;
}

/* Returns: false with *error, and nothing has changed */
static bool apply(const struct reload *reload, const struct config *was, const struct config *is,
                  char **error)
{
    const struct rpc_auth_options before = reload_auth(was, reload->cookie);
    const struct rpc_auth_options auth = reload_auth(is, reload->cookie);
    /* A cookie is made at a start, if that finds no password. */
    if (has_login(&before) && !has_login(&auth))
        return REFUSE(error, "nobody could log in any more: without -rpcpassword or -rpcauth a "
                             "restart makes a cookie");
    if (!rpc_set_auth(node_rpc(reload->node), &auth, error))
        return false;
    struct p2p *p2p = node_p2p(reload->node);
    if (p2p)
        p2p_set_whitelist(p2p, is->net.p2p.whitelist, is->net.p2p.n_whitelist);
    /* What the method `logging` has set stays, if the options say what they said. */
    if (was->log_categories != is->log_categories)
        reload->log->categories = is->log_categories;
    return true;
}

void reload_options(struct reload *reload)
{
    ASSERT(reload->first && reload->node);
    char *error = NULL;
    struct config *fresh = xcalloc(1, sizeof *fresh);
    const struct config *was = reload->held ? reload->held : reload->first;
    if (config_init(fresh, reload->argc, reload->argv, &error) &&
        apply(reload, was, fresh, &error)) {
        tell_changes(reload, was, fresh);
        reload_deinit(reload);
        reload->held = fresh;
        return;
    }
    log_warning(reload->log, "SIGHUP: all stays as it was: %s", error);
    xfree(error);
    config_deinit(fresh);
    xfree(fresh);
}

void reload_deinit(struct reload *reload)
{
    ASSERT(reload);
    if (reload->held)
        config_deinit(reload->held);
    xfree(reload->held);
    reload->held = NULL;
}
