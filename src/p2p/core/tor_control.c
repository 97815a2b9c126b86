/* tor_control.c - see tor_control.h. */
#include "p2p/core/tor_control.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "crypto/hmac.h"
#include "crypto/mem.h"
#include "util/hex.h"

#define OK            250
#define UNRECOGNISED  510
#define BAD_ARGUMENT  512 /* to ADD_ONION: a word that it does not know */
#define ASYNCHRONOUS  600 /* and above: nobody asked */
#define NEW_KEY       "NEW:ED25519-V3"
#define SERVER_TO_US  "Tor safe cookie authentication server-to-controller hash"
#define US_TO_SERVER  "Tor safe cookie authentication controller-to-server hash"
#define MESSAGE_BYTES (TOR_COOKIE_BYTES + 2 * TOR_NONCE_BYTES)
#define LINE_HEAD     4 /* three digits and what says whether more follow */
#define LOCALHOST     "127.0.0.1:"

/* Ways of logging in. */
enum {
    METHOD_NULL = 1,
    METHOD_PASSWORD = 2,
    METHOD_SAFE_COOKIE = 4,
};

/* -- Values in a reply -------------------------------------------------------------------------
 */

/* What stands behind a backslash: an octal number, a letter with a meaning, or itself.
 *
 * In:       *s  moved past it
 * Returns:  0 if it is nothing that can be in a text */
static char take_escaped(const char **s)
{
    unsigned value = 0;
    if (**s < '0' || **s > '7') {
        char c = *(*s)++;
        return (char)(c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c);
    }
    for (int i = 0; i < 3 && **s >= '0' && **s <= '7' && value < 32; i++)
        value = value * 8 + (unsigned)(*(*s)++ - '0');
    return (char)value;
}

/* Read one value, quoted or not, and move past it.
 *
 * Out:      out  TOR_TEXT_MAX; NULL: it is of no interest */
static bool take_value(const char **s, char *out)
{
    const char *p = *s;
    size_t n = 0;
    char end = *p == '"' ? '"' : ' ';
    bool is_quoted = end == '"';
    p += is_quoted;
    while (*p && *p != end) {
        char c = *p++;
        if (is_quoted && c == '\\')
            c = *p ? take_escaped(&p) : '\0';
        if (c == '\0' || n + 1 >= TOR_TEXT_MAX)
            return false;
        if (out)
            out[n] = c;
        n++;
    }
    if (is_quoted && *p != end)
        return false;
    if (out)
        out[n] = '\0';
    *s = p + is_quoted;
    return **s == '\0' || **s == ' ';
}

bool tor_find_value(const char *text, const char *key, char *out)
{
    ASSERT(text && key[0] != '\0' && out);
    while (*text) {
        size_t len = strcspn(text, "= ");
        bool is_it = strlen(key) == len && memcmp(text, key, len) == 0;
        if (text[len] != '=')
            return false; /* what follows has no keys */
        text += len + 1;
        if (!take_value(&text, is_it ? out : NULL))
            return false;
        if (is_it)
            return true;
        text += *text == ' ';
    }
    return false;
}

/* What follows a first word; NULL if that is another. */
static const char *after_word(const char *line, const char *word)
{
    size_t len = strlen(word);
    return strncmp(line, word, len) == 0 && line[len] == ' ' ? line + len + 1 : NULL;
}

/* -- Commands ----------------------------------------------------------------------------------
 */

static void ask(struct tor_control *tor, enum tor_command command, struct buffer *out)
{
    ASSERT(tor->n_queue < TOR_QUEUE_MAX);
    tor->queue[tor->n_queue++] = command;
    buffer_append_string(out, "\r\n");
}

static void ask_for_service(struct tor_control *tor, bool with_pow, struct buffer *out)
{
    /* The port that others see is the network's in any case: another one would tell whose it is. */
    buffer_append_format(out, "ADD_ONION %s%s Port=%u,%s", tor->key[0] ? tor->key : NEW_KEY,
                         with_pow ? " PoWDefensesEnabled=1" : "", tor->options.port,
                         tor->options.target);
    tor->has_pow = with_pow;
    ask(tor, TOR_ADD_ONION, out);
}

static void append_hex(struct buffer *out, const uint8_t bytes[32])
{
    char hex[65];
    hex_encode(hex, span_of(bytes, 32));
    buffer_append_string(out, hex);
    mem_wipe(hex, sizeof hex);
}

static void append_quoted(struct buffer *out, const char *text)
{
    buffer_append_string(out, "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buffer_append_string(out, "\\");
        buffer_append(out, text, 1);
    }
    buffer_append_string(out, "\"");
}

void tor_control_init(struct tor_control *tor, const struct tor_control_options *options,
                      const char *key, const uint8_t *nonce, struct buffer *out)
{
    ASSERT(options->target && options->port > 0 && strlen(key) < sizeof tor->key);
    *tor = (struct tor_control){.options = *options};
    memcpy(tor->nonce, nonce, sizeof tor->nonce);
    memcpy(tor->key, key, strlen(key) + 1);
    buffer_init(&tor->line);
    buffer_append_string(out, "PROTOCOLINFO 1");
    ask(tor, TOR_PROTOCOLINFO, out);
}

void tor_control_deinit(struct tor_control *tor)
{
    buffer_deinit(&tor->line);
    mem_wipe(tor, sizeof *tor);
}

static enum tor_event tell(struct tor_control *tor, enum tor_event event, const char *format, ...)
    PRINTF(3, 4);
static enum tor_event tell(struct tor_control *tor, enum tor_event event, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(tor->text, sizeof tor->text, format, args);
    va_end(args);
    return event;
}

/* -- Logging in --------------------------------------------------------------------------------
 */

static enum tor_event log_in(struct tor_control *tor, struct buffer *out)
{
    const char *password = tor->options.password;
    if (password && password[0] != '\0') {
        if (!(tor->methods & METHOD_PASSWORD))
            return tell(tor, TOR_WARNING,
                        "tor: Password provided with -torpassword, but "
                        "HASHEDPASSWORD authentication is not available");
        buffer_append_string(out, "AUTHENTICATE ");
        append_quoted(out, password);
        ask(tor, TOR_AUTHENTICATE, out);
    } else if (tor->methods & METHOD_NULL) {
        buffer_append_string(out, "AUTHENTICATE");
        ask(tor, TOR_AUTHENTICATE, out);
    } else if (tor->methods & METHOD_SAFE_COOKIE) {
        return tell(tor, TOR_WANTS_COOKIE, "%s", tor->path);
    } else if (tor->methods & METHOD_PASSWORD) {
        return tell(tor, TOR_WARNING,
                    "tor: The only supported authentication mechanism left is "
                    "password, but no password provided with -torpassword");
    } else {
        return tell(tor, TOR_WARNING, "tor: No supported authentication method");
    }
    return TOR_NOTHING;
}

enum tor_event tor_control_cookie(struct tor_control *tor, struct span cookie, struct buffer *out)
{
    ASSERT(tor->n_queue == 0);
    if (!cookie.p)
        return tell(tor, TOR_WARNING,
                    "tor: Authentication cookie %s could not be opened (check "
                    "permissions)",
                    tor->path);
    if (cookie.len != TOR_COOKIE_BYTES)
        return tell(tor, TOR_WARNING,
                    "tor: Authentication cookie %s is not exactly %d bytes, as is "
                    "required by the spec",
                    tor->path, TOR_COOKIE_BYTES);
    memcpy(tor->cookie, cookie.p, TOR_COOKIE_BYTES);
    buffer_append_string(out, "AUTHCHALLENGE SAFECOOKIE ");
    append_hex(out, tor->nonce);
    ask(tor, TOR_AUTHCHALLENGE, out);
    return TOR_NOTHING;
}

/* Who knows the cookie shows it first, so that nobody gets ours who only listens on Tor's port.
 * Control-spec, AUTHCHALLENGE */
static enum tor_event answer_challenge(struct tor_control *tor, uint8_t message[MESSAGE_BYTES],
                                       uint8_t hash[32], struct buffer *out)
{
    uint8_t theirs[32];
    uint8_t *server_nonce = message + TOR_COOKIE_BYTES + TOR_NONCE_BYTES;
    memcpy(message, tor->cookie, TOR_COOKIE_BYTES);
    memcpy(message + TOR_COOKIE_BYTES, tor->nonce, TOR_NONCE_BYTES);
    if (!hex_decode(theirs, sizeof theirs, tor->server_hash, strlen(tor->server_hash)) ||
        !hex_decode(server_nonce, TOR_NONCE_BYTES, tor->server_nonce, strlen(tor->server_nonce)))
        return tell(tor, TOR_WARNING, "tor: Invalid reply to AUTHCHALLENGE");
    hmac_sha256(span_of_string(SERVER_TO_US), span_of(message, MESSAGE_BYTES), hash);
    if (!mem_equal_ct(hash, theirs, sizeof theirs))
        return tell(tor, TOR_WARNING,
                    "tor: ServerHash does not match: whoever listens on the "
                    "control port does not know Tor's cookie");
    hmac_sha256(span_of_string(US_TO_SERVER), span_of(message, MESSAGE_BYTES), hash);
    buffer_append_string(out, "AUTHENTICATE ");
    append_hex(out, hash);
    ask(tor, TOR_AUTHENTICATE, out);
    return TOR_NOTHING;
}

static enum tor_event on_challenge(struct tor_control *tor, struct buffer *out)
{
    uint8_t message[MESSAGE_BYTES], hash[32];
    enum tor_event event = answer_challenge(tor, message, hash, out);
    mem_wipe(message, sizeof message);
    mem_wipe(hash, sizeof hash);
    return event;
}

static enum tor_event on_authenticated(struct tor_control *tor, struct buffer *out)
{
    if (tor->options.asks_for_proxy) {
        buffer_append_string(out, "GETINFO net/listeners/socks");
        ask(tor, TOR_GETINFO, out);
    }
    ask_for_service(tor, true, out);
    return TOR_NOTHING;
}

/* -- Replies -----------------------------------------------------------------------------------
 */

static unsigned read_methods(const char *list)
{
    static const struct {
        const char *name;
        unsigned method;
    } rows[] = {{"NULL", METHOD_NULL},
                {"HASHEDPASSWORD", METHOD_PASSWORD},
                {"SAFECOOKIE", METHOD_SAFE_COOKIE}};
    unsigned methods = 0;
    while (*list) {
        size_t len = strcspn(list, ",");
        for (size_t i = 0; i < COUNT_OF(rows); i++)
            if (strlen(rows[i].name) == len && memcmp(list, rows[i].name, len) == 0)
                methods |= rows[i].method;
        list += len + (list[len] == ',');
    }
    return methods;
}

/* Where its proxies are, in quotes or without, one after the other: on this machine if possible. */
static void read_proxies(const char *list, char *out)
{
    out[0] = '\0';
    while (*list && strncmp(out, LOCALHOST, strlen(LOCALHOST)) != 0) {
        size_t len = strcspn(list, " ");
        bool is_quoted =
            len >= 2 && (list[0] == '"' || list[0] == '\'') && list[len - 1] == list[0];
        size_t n = is_quoted ? len - 2 : len;
        if (n > 0 && n < TOR_TEXT_MAX) {
            memcpy(out, list + is_quoted, n);
            out[n] = '\0';
        }
        list += len + (list[len] == ' ');
    }
}

/* A line of the reply to the oldest command. */
static void on_line(struct tor_control *tor, const char *line)
{
    char value[TOR_TEXT_MAX];
    const char *rest;
    switch (tor->queue[0]) {
    case TOR_PROTOCOLINFO:
        rest = after_word(line, "AUTH");
        if (rest && tor_find_value(rest, "METHODS", value))
            tor->methods = read_methods(value);
        if (rest && !tor_find_value(rest, "COOKIEFILE", tor->path))
            tor->path[0] = '\0';
        return;
    case TOR_AUTHCHALLENGE:
        rest = after_word(line, "AUTHCHALLENGE");
        if (rest && tor_find_value(rest, "SERVERHASH", value) && strlen(value) == 64)
            memcpy(tor->server_hash, value, sizeof tor->server_hash);
        if (rest && tor_find_value(rest, "SERVERNONCE", value) && strlen(value) == 64)
            memcpy(tor->server_nonce, value, sizeof tor->server_nonce);
        return;
    case TOR_GETINFO:
        if (strncmp(line, "net/listeners/socks=", 20) == 0)
            read_proxies(line + 20, tor->proxy);
        return;
    case TOR_ADD_ONION:
        if (tor_find_value(line, "ServiceID", value))
            memcpy(tor->service, value, sizeof value);
        if (tor_find_value(line, "PrivateKey", value))
            memcpy(tor->key, value, sizeof value);
        return;
    case TOR_AUTHENTICATE:
        return;
    }
}

static enum tor_event on_proxy(struct tor_control *tor, unsigned code)
{
    if (code != OK)
        tor->proxy[0] = '\0';
    return tell(tor, TOR_HAS_PROXY, "%s", tor->proxy);
}

static enum tor_event on_service(struct tor_control *tor, unsigned code, struct buffer *out)
{
    if (code == BAD_ARGUMENT && tor->has_pow) { /* it is older than that */
        ask_for_service(tor, false, out);
        return TOR_NOTHING;
    }
    if (code == UNRECOGNISED)
        return tell(tor, TOR_WARNING,
                    "tor: Add onion failed with unrecognized command (You "
                    "probably need to upgrade Tor)");
    if (code != OK)
        return tell(tor, TOR_WARNING, "tor: Add onion failed; error code %u", code);
    if (tor->service[0] == '\0')
        return tell(tor, TOR_WARNING, "tor: Error parsing ADD_ONION parameters");
    return tell(tor, TOR_HAS_SERVICE, "%s", tor->service);
}

/* The reply to the oldest command is complete. */
static enum tor_event on_reply(struct tor_control *tor, unsigned code, struct buffer *out)
{
    ASSERT(tor->n_queue > 0);
    enum tor_command command = tor->queue[0];
    memmove(tor->queue, tor->queue + 1, --tor->n_queue * sizeof tor->queue[0]);
    switch (command) {
    case TOR_PROTOCOLINFO:
        return code == OK ? log_in(tor, out)
                          : tell(tor, TOR_WARNING, "tor: Requesting protocol info failed");
    case TOR_AUTHCHALLENGE:
        return code == OK
                   ? on_challenge(tor, out)
                   : tell(tor, TOR_WARNING, "tor: SAFECOOKIE authentication challenge failed");
    case TOR_AUTHENTICATE:
        return code == OK ? on_authenticated(tor, out)
                          : tell(tor, TOR_WARNING, "tor: Authentication failed");
    case TOR_GETINFO:
        return on_proxy(tor, code);
    case TOR_ADD_ONION:
        return on_service(tor, code, out);
    }
    return TOR_NOTHING;
}

static unsigned read_code(const char *line)
{
    unsigned code = 0;
    for (size_t i = 0; i < 3; i++) {
        if (line[i] < '0' || line[i] > '9')
            return 0;
        code = code * 10 + (unsigned)(line[i] - '0');
    }
    return code;
}

/* A whole line, ended by a zero. What nobody asked for is passed over. */
static enum tor_event take_line(struct tor_control *tor, const char *line, size_t len,
                                struct buffer *out)
{
    if (++tor->n_lines > TOR_LINES_MAX)
        return tell(tor, TOR_BROKEN,
                    "tor: Error processing receive buffer: Control port reply exceeded %d lines, "
                    "disconnecting",
                    TOR_LINES_MAX);
    if (len < LINE_HEAD || strlen(line) != len)
        return TOR_NOTHING;
    unsigned code = read_code(line);
    bool is_last = line[3] == ' ', is_ours = code < ASYNCHRONOUS && tor->n_queue > 0;
    if (is_last)
        tor->n_lines = 0;
    if (is_ours)
        on_line(tor, line + LINE_HEAD);
    return is_ours && is_last ? on_reply(tor, code, out) : TOR_NOTHING;
}

enum tor_event tor_control_read(struct tor_control *tor, struct span *bytes, struct buffer *out)
{
    enum tor_event event = TOR_NOTHING;
    while (bytes->len > 0 && event == TOR_NOTHING) {
        const uint8_t *end = memchr(bytes->p, '\n', bytes->len);
        size_t n = end ? (size_t)(end - bytes->p) : bytes->len;
        if (tor->line.len + n > TOR_LINE_MAX)
            return tell(tor, TOR_BROKEN,
                        "tor: Error processing receive buffer: max_line_length "
                        "exceeded by LineReader");
        buffer_append(&tor->line, bytes->p, n);
        bytes->p += n + (end != NULL);
        bytes->len -= n + (end != NULL);
        if (!end)
            break;
        size_t len = tor->line.len;
        if (len > 0 && tor->line.p[len - 1] == '\r')
            len = --tor->line.len;
        buffer_append(&tor->line, "", 1);
        event = take_line(tor, (const char *)tor->line.p, len, out);
        tor->line.len = 0;
    }
    return event;
}
