/* auth.c - who may call: cookie, -rpcauth, -rpcuser; and which methods: -rpcwhitelist. */
#include "rpc/auth.h"

#include "crypto/hash.h"
#include "crypto/hmac.h"
#include "crypto/mem.h"
#include "util/array.h"
#include "util/assert.h"
#include "util/base64.h"
#include "util/hex.h"

enum {
    LOGIN_MAX_BYTES = 1024, /* of a decoded header: user, colon, password */
};

/* All forms of credentials, made alike: digests have one length, so comparing them tells nothing
 * about the length of what was hashed. */
struct credential {
    uint8_t user_digest[32];
    char *salt;
    uint8_t password_tag[32]; /* HMAC-SHA256(salt, password) */
};

/* One -rpcwhitelist line. Several for one user all have to allow a method. */
struct whitelist_entry {
    char *user;
    char *methods; /* separated by commas and spaces */
};

struct auth {
    ARRAY(struct credential) credentials;
    ARRAY(struct whitelist_entry) whitelist;
    bool whitelist_default;
    /* The header that was right last, and whose it is. A client says the same with each call, and
     * the credentials take three times as long as this. */
    bool has_last;
    uint8_t last_digest[32];
    char last_user[AUTH_USER_MAX];
};

static char *copy_part(const char *s, size_t len)
{
    char *copy = xmalloc(len + 1);
    memcpy(copy, s, len);
    copy[len] = 0;
    return copy;
}

static struct credential *add_credential(struct auth *auth, struct span user, const char *salt)
{
    struct credential *credential = ARRAY_ADD(&auth->credentials);
    sha256(user, credential->user_digest);
    credential->salt = xstrdup(salt);
    return credential;
}

static void add_plain(struct auth *auth, struct span user, const char *password)
{
    struct credential *credential = add_credential(auth, user, "");
    hmac_sha256(span_of(NULL, 0), span_of_string(password), credential->password_tag);
}

/* "user:salt$hmac". What stands for a tag and is none, no password has: as in Core that is no
 * error, and nobody can log in by it. */
static bool add_rpcauth(struct auth *auth, const char *line)
{
    const char *colon = strchr(line, ':');
    const char *dollar = colon ? strchr(colon, '$') : NULL;
    uint8_t tag[32];
    if (!dollar || strchr(dollar + 1, '$') || strchr(colon + 1, ':'))
        return false;
    if (!hex_decode(tag, sizeof tag, dollar + 1, strlen(dollar + 1)))
        return true;
    char *salt = copy_part(colon + 1, (size_t)(dollar - colon - 1));
    struct credential *credential =
        add_credential(auth, span_of(line, (size_t)(colon - line)), salt);
    memcpy(credential->password_tag, tag, sizeof tag);
    xfree(salt);
    return true;
}

static void add_whitelist(struct auth *auth, const char *line)
{
    const char *colon = strchr(line, ':');
    size_t user_len = colon ? (size_t)(colon - line) : strlen(line);
    struct whitelist_entry *entry = ARRAY_ADD(&auth->whitelist);
    entry->user = copy_part(line, user_len);
    entry->methods = xstrdup(colon ? colon + 1 : "");
}

struct auth *auth_new(const struct rpc_auth_options *options, char **error)
{
    ASSERT(options);
    struct auth *auth = xcalloc(1, sizeof *auth);
    const char *colon = options->cookie ? strchr(options->cookie, ':') : NULL;
    if (colon)
        add_plain(auth, span_of(options->cookie, (size_t)(colon - options->cookie)), colon + 1);
    if (options->password && *options->password) /* an empty one is none */
        add_plain(auth, span_of_string(options->user ? options->user : ""), options->password);
    for (size_t i = 0; i < options->n_rpcauth; i++) {
        if (!add_rpcauth(auth, options->rpcauth[i])) {
            *error = xasprintf("Invalid -rpcauth argument: expected user:salt$hash");
            auth_free(auth);
            return NULL;
        }
    }
    for (size_t i = 0; i < options->n_whitelist; i++)
        add_whitelist(auth, options->whitelist[i]);
    auth->whitelist_default = options->whitelist_default;
    return auth;
}

void auth_free(struct auth *auth)
{
    if (!auth)
        return;
    for (size_t i = 0; i < auth->credentials.n; i++)
        xfree(auth->credentials.at[i].salt);
    for (size_t i = 0; i < auth->whitelist.n; i++) {
        xfree(auth->whitelist.at[i].user);
        xfree(auth->whitelist.at[i].methods);
    }
    ARRAY_FREE(&auth->credentials);
    ARRAY_FREE(&auth->whitelist);
    xfree(auth);
}

/* The same as auth_check(), of any header but the last right one. */
static bool check_login(const struct auth *auth, const char *header, char *user)
{
    uint8_t login[LOGIN_MAX_BYTES];
    if (strncmp(header, "Basic ", 6) != 0)
        return false;
    header += 6;
    while (*header == ' ')
        header++;
    size_t len;
    if (!base64_decode(span_of_string(header), login, sizeof login, &len))
        return false;
    const uint8_t *colon = len > 0 ? memchr(login, ':', len) : NULL;
    if (!colon)
        return false;
    struct span name = span_of(login, (size_t)(colon - login));
    struct span password = span_of(colon + 1, (size_t)(login + len - colon - 1));
    if (name.len >= AUTH_USER_MAX || memchr(name.p, 0, name.len))
        return false;
    memcpy(user, name.p, name.len);
    user[name.len] = 0;

    uint8_t digest[32], tag[32];
    unsigned found = 0;
    sha256(name, digest);
    for (size_t i = 0; i < auth->credentials.n; i++) {
        const struct credential *credential = &auth->credentials.at[i];
        hmac_sha256(span_of_string(credential->salt), password, tag);
        unsigned same_user = mem_equal_ct(digest, credential->user_digest, sizeof digest);
        unsigned same_password = mem_equal_ct(tag, credential->password_tag, sizeof tag);
        found |= same_user & same_password;
    }
    mem_wipe(login, len);
    return found;
}

bool auth_check(struct auth *auth, const char *header, char *user)
{
    ASSERT(auth && user);
    uint8_t digest[32];
    *user = 0;
    if (!header)
        return false;
    sha256(span_of_string(header), digest);
    if (auth->has_last && mem_equal_ct(digest, auth->last_digest, sizeof digest)) {
        memcpy(user, auth->last_user, AUTH_USER_MAX);
        return true;
    }
    if (!check_login(auth, header, user))
        return false;
    auth->has_last = true;
    memcpy(auth->last_digest, digest, sizeof digest);
    memcpy(auth->last_user, user, strlen(user) + 1);
    return true;
}

static bool has_whitelist(const struct auth *auth, const char *user)
{
    for (size_t i = 0; i < auth->whitelist.n; i++) {
        if (strcmp(auth->whitelist.at[i].user, user) == 0)
            return true;
    }
    return false;
}

bool auth_may_call_any(const struct auth *auth, const char *user)
{
    return has_whitelist(auth, user) || !auth->whitelist_default;
}

/* Is method a word of a list separated by commas and spaces? */
static bool names_method(const char *list, const char *method)
{
    size_t len = strlen(method);
    while (*list) {
        size_t word = strcspn(list, ", ");
        if (word == len && memcmp(list, method, len) == 0)
            return true;
        list += word;
        list += strspn(list, ", ");
    }
    return false;
}

bool auth_may_call(const struct auth *auth, const char *user, const char *method)
{
    ASSERT(auth);
    for (size_t i = 0; i < auth->whitelist.n; i++) {
        if (strcmp(auth->whitelist.at[i].user, user) == 0 &&
            !names_method(auth->whitelist.at[i].methods, method))
            return false;
    }
    return auth_may_call_any(auth, user);
}
