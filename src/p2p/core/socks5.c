/* socks5.c - see socks5.h. */
#include "p2p/core/socks5.h"

#include <string.h>

#define VERSION        5 /* RFC 1928, 3 */
#define LOGIN_VERSION  1 /* RFC 1929, 2 */
#define NO_LOGIN       0
#define LOGIN          2
#define CONNECT        1
#define ADDRESS_IPV4   1
#define ADDRESS_NAME   3
#define ADDRESS_IPV6   4
#define REPLY_HEAD     4 /* version, result, reserved, type of address */
#define PORT_BYTES     2
#define ONION_ERRORS   0xf0 /* Tor, socks-extensions, 2: ExtendedErrors */
#define ONION_ERRORS_N 8

static void append_byte(struct buffer *out, unsigned byte)
{
    uint8_t b = (uint8_t)byte;
    buffer_append(out, &b, 1);
}

static void append_text(struct buffer *out, const char *text)
{
    size_t len = strlen(text);
    ASSERT(len > 0 && len <= SOCKS5_TEXT_MAX);
    append_byte(out, (unsigned)len);
    buffer_append(out, text, len);
}

void socks5_begin(struct socks5 *socks5, const char *host, uint16_t port, const char *credential,
                  struct buffer *out)
{
    ASSERT(host[0] != '\0' && strlen(host) <= SOCKS5_TEXT_MAX);
    ASSERT(!credential || strlen(credential) <= SOCKS5_TEXT_MAX);
    *socks5 = (struct socks5){.step = SOCKS5_METHOD, .port = port};
    memcpy(socks5->host, host, strlen(host) + 1);
    if (credential)
        memcpy(socks5->credential, credential, strlen(credential) + 1);
    bool logs_in = socks5->credential[0] != '\0';
    append_byte(out, VERSION);
    append_byte(out, logs_in ? 2 : 1);
    append_byte(out, NO_LOGIN);
    if (logs_in)
        append_byte(out, LOGIN);
}

static enum socks5_step fail(struct socks5 *socks5, const char *error)
{
    socks5->error = error;
    return SOCKS5_FAILED;
}

/* A name in any case: an address that it could tell apart would tell us what the proxy need not. */
static enum socks5_step ask(const struct socks5 *socks5, struct buffer *out)
{
    append_byte(out, VERSION);
    append_byte(out, CONNECT);
    append_byte(out, 0);
    append_byte(out, ADDRESS_NAME);
    append_text(out, socks5->host);
    append_byte(out, socks5->port >> 8);
    append_byte(out, socks5->port & 0xff);
    return SOCKS5_REQUEST;
}

static enum socks5_step on_method(struct socks5 *socks5, struct buffer *out)
{
    const uint8_t *reply = socks5->reply;
    if (reply[0] != VERSION)
        return fail(socks5, "the proxy speaks no SOCKS5");
    if (reply[1] == NO_LOGIN)
        return ask(socks5, out);
    if (reply[1] != LOGIN || socks5->credential[0] == '\0')
        return fail(socks5, "the proxy wants another way of logging in");
    append_byte(out, LOGIN_VERSION);
    append_text(out, socks5->credential);
    append_text(out, socks5->credential);
    return SOCKS5_LOGIN;
}

static enum socks5_step on_login(struct socks5 *socks5, struct buffer *out)
{
    const uint8_t *reply = socks5->reply;
    if (reply[0] != LOGIN_VERSION || reply[1] != 0)
        return fail(socks5, "the proxy does not take our credentials");
    return ask(socks5, out);
}

static const char *refusal(unsigned result)
{
    static const char *const common[] = {
        "general failure",     "connections like this are not allowed",
        "network unreachable", "host unreachable",
        "connection refused",  "it took too long",
        "command unknown",     "type of address unknown",
    };
    static const char *const onion[ONION_ERRORS_N] = {
        "the onion service has no descriptor",
        "the onion service has an invalid descriptor",
        "the onion service cannot be introduced to",
        "the onion service cannot be met",
        "the onion service wants to know who calls",
        "the onion service does not know us",
        "the onion address is malformed",
        "introducing to the onion service took too long",
    };
    if (result >= 1 && result <= COUNT_OF(common))
        return common[result - 1];
    if (result >= ONION_ERRORS && result < ONION_ERRORS + ONION_ERRORS_N)
        return onion[result - ONION_ERRORS];
    return "unknown failure";
}

/* How long the answer will be, as far as can be told. */
static size_t reply_size(const struct socks5 *socks5)
{
    const uint8_t *reply = socks5->reply;
    if (socks5->step != SOCKS5_REQUEST)
        return 2;
    if (socks5->reply_len < REPLY_HEAD)
        return REPLY_HEAD;
    if (reply[3] == ADDRESS_IPV4)
        return REPLY_HEAD + 4 + PORT_BYTES;
    if (reply[3] == ADDRESS_IPV6)
        return REPLY_HEAD + 16 + PORT_BYTES;
    if (socks5->reply_len < REPLY_HEAD + 1)
        return REPLY_HEAD + 1;
    return REPLY_HEAD + 1 + (size_t)reply[4] + PORT_BYTES;
}

static const char *head_error(const uint8_t reply[REPLY_HEAD])
{
    if (reply[0] != VERSION)
        return "the proxy answers no SOCKS5";
    if (reply[1] != 0)
        return refusal(reply[1]);
    bool is_known =
        reply[3] == ADDRESS_IPV4 || reply[3] == ADDRESS_IPV6 || reply[3] == ADDRESS_NAME;
    return reply[2] != 0 || !is_known ? "the proxy's answer is malformed" : NULL;
}

/* As many bytes as are known to belong to the answer are here. */
static enum socks5_step on_part(struct socks5 *socks5, struct buffer *out)
{
    if (socks5->step == SOCKS5_METHOD)
        return on_method(socks5, out);
    if (socks5->step == SOCKS5_LOGIN)
        return on_login(socks5, out);
    const char *error = socks5->reply_len == REPLY_HEAD ? head_error(socks5->reply) : NULL;
    if (error)
        return fail(socks5, error);
    /* The address that the proxy calls from is nothing to us. */
    return reply_size(socks5) == socks5->reply_len ? SOCKS5_UP : SOCKS5_REQUEST;
}

enum socks5_step socks5_read(struct socks5 *socks5, struct span *bytes, struct buffer *out)
{
    ASSERT(socks5->reply_len < SOCKS5_REPLY_MAX);
    while (bytes->len > 0 && socks5->step < SOCKS5_UP) {
        size_t size = reply_size(socks5);
        ASSERT(size > socks5->reply_len && size <= SOCKS5_REPLY_MAX);
        size_t n = MIN_OF(size - socks5->reply_len, bytes->len);
        memcpy(socks5->reply + socks5->reply_len, bytes->p, n);
        socks5->reply_len += n;
        bytes->p += n;
        bytes->len -= n;
        if (socks5->reply_len < size)
            break;
        enum socks5_step before = socks5->step;
        socks5->step = on_part(socks5, out);
        if (socks5->step != before)
            socks5->reply_len = 0;
    }
    return socks5->step;
}
