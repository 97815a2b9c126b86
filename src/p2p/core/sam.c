/* sam.c - see sam.h. */
#include "p2p/core/sam.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/mem.h"
#include "util/alloc.h"
#include "util/base64.h"
#include "util/endian.h"

#define ED25519          "7" /* the kind of signature. I2P, common structures, Key Certificates */
#define DESTINATION_BASE 387 /* bytes: two keys, and the head of the certificate */
#define CERTIFICATE_LEN  385 /* where its length is */
#define TUNNELS          " i2cp.leaseSetEncType=4,0 inbound.quantity=%d outbound.quantity=%d\n"
#define TUNNELS_KEPT     3 /* of a session that many connections share */
#define TUNNELS_ONCE     1

/* -- Destinations -------------------------------------------------------------------------------
 */

size_t sam_base64_decode(const char *text, uint8_t *out)
{
    char common[SAM_KEY_MAX + 1];
    size_t len = strlen(text), n;
    if (len > SAM_KEY_MAX)
        return 0;
    for (size_t i = 0; i <= len; i++) {
        if (text[i] == '+' || text[i] == '/')
            return 0;
        common[i] = (char)(text[i] == '-' ? '+' : text[i] == '~' ? '/' : text[i]);
    }
    bool ok = base64_decode(span_of(common, len), out, SAM_KEY_MAX, &n);
    mem_wipe(common, sizeof common);
    return ok ? n : 0;
}

void sam_base64_append(struct buffer *out, struct span bytes)
{
    size_t before = out->len;
    base64_append(out, bytes);
    for (size_t i = before; i < out->len; i++)
        if (out->p[i] == '+' || out->p[i] == '/')
            out->p[i] = out->p[i] == '+' ? '-' : '~';
}

bool sam_address_of(const char *text, struct net_address *out)
{
    uint8_t bytes[SAM_KEY_MAX];
    size_t n = sam_base64_decode(text, bytes), size = DESTINATION_BASE;
    *out = (struct net_address){.network = NET_I2P};
    if (n >= size)
        size += load_be16(bytes + CERTIFICATE_LEN);
    if (n >= size)
        sha256(span_of(bytes, size), out->bytes);
    mem_wipe(bytes, sizeof bytes); /* what follows may be secret */
    return n >= size;
}

/* -- What is asked ------------------------------------------------------------------------------
 */

static void begin(struct sam *sam, enum sam_purpose purpose, const char *id, struct buffer *out)
{
    ASSERT(id[0] != '\0' && strlen(id) <= SAM_ID_MAX);
    *sam = (struct sam){.purpose = purpose, .step = SAM_HELLO};
    memcpy(sam->id, id, strlen(id) + 1);
    buffer_init(&sam->line);
    buffer_append_string(out, "HELLO VERSION MIN=3.1 MAX=3.1\n");
}

void sam_begin_session(struct sam *sam, const char *id, const char *key, struct buffer *out)
{
    begin(sam, SAM_SESSION, id, out);
    sam->is_transient = key == NULL;
    if (!key)
        return;
    ASSERT(strlen(key) <= SAM_KEY_MAX);
    memcpy(sam->key, key, strlen(key) + 1);
}

void sam_begin_connect(struct sam *sam, const char *id, const char *host, struct buffer *out)
{
    ASSERT(strlen(host) < sizeof sam->host);
    begin(sam, SAM_CONNECT, id, out);
    memcpy(sam->host, host, strlen(host) + 1);
}

void sam_begin_accept(struct sam *sam, const char *id, struct buffer *out)
{
    begin(sam, SAM_ACCEPT, id, out);
}

void sam_deinit(struct sam *sam)
{
    buffer_deinit(&sam->line);
    mem_wipe(sam, sizeof *sam);
}

static enum sam_step create_session(const struct sam *sam, struct buffer *out)
{
    if (sam->is_transient)
        buffer_append_format(out,
                             "SESSION CREATE STYLE=STREAM ID=%s DESTINATION=TRANSIENT "
                             "SIGNATURE_TYPE=" ED25519 TUNNELS,
                             sam->id, TUNNELS_ONCE, TUNNELS_ONCE);
    else
        buffer_append_format(out, "SESSION CREATE STYLE=STREAM ID=%s DESTINATION=%s" TUNNELS,
                             sam->id, sam->key, TUNNELS_KEPT, TUNNELS_KEPT);
    return SAM_CREATE;
}

static enum sam_step after_hello(const struct sam *sam, struct buffer *out)
{
    switch (sam->purpose) {
    case SAM_SESSION:
        if (sam->is_transient || sam->key[0] != '\0')
            return create_session(sam, out);
        buffer_append_string(out, "DEST GENERATE SIGNATURE_TYPE=" ED25519 "\n");
        return SAM_GENERATE;
    case SAM_CONNECT:
        buffer_append_format(out, "NAMING LOOKUP NAME=%s\n", sam->host);
        return SAM_NAMING;
    case SAM_ACCEPT:
        buffer_append_format(out, "STREAM ACCEPT ID=%s SILENT=false\n", sam->id);
        return SAM_STREAM;
    }
    return SAM_FAILED;
}

/* -- What is answered ---------------------------------------------------------------------------
 */

static enum sam_step fail(struct sam *sam, const char *format, ...) PRINTF(2, 3);
static enum sam_step fail(struct sam *sam, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(sam->error, sizeof sam->error, format, args);
    va_end(args);
    return SAM_FAILED;
}

/* The value of KEY=value among words.
 *
 * Out:      out  SAM_KEY_MAX + 1
 * Returns:  false if there is none, or it is too long */
static bool find_value(const char *line, const char *key, char *out)
{
    size_t key_len = strlen(key);
    while (*line) {
        size_t len = strcspn(line, " ");
        if (len > key_len && memcmp(line, key, key_len) == 0 && line[key_len] == '=') {
            size_t n = len - key_len - 1;
            if (n > SAM_KEY_MAX)
                return false;
            memcpy(out, line + key_len + 1, n);
            out[n] = '\0';
            return true;
        }
        line += len + (line[len] == ' ');
    }
    return false;
}

/* What is wrong, if the answer is not RESULT=OK. */
static bool is_refused(struct sam *sam, const char *line)
{
    char result[SAM_KEY_MAX + 1];
    bool has_result = find_value(line, "RESULT", result);
    if (sam->step == SAM_GENERATE && !has_result)
        return false; /* it has none: DEST REPLY PUB=... PRIV=... */
    if (has_result && strcmp(result, "OK") == 0)
        return false;
    sam->is_no_session = has_result && strcmp(result, "INVALID_ID") == 0;
    sam->is_peers =
        has_result && (strcmp(result, "CANT_REACH_PEER") == 0 || strcmp(result, "TIMEOUT") == 0);
    (void)fail(sam, "%s", line);
    return true;
}

static enum sam_step take_key(struct sam *sam, const char *line, const char *name)
{
    struct net_address address;
    if (!find_value(line, name, sam->key) || !sam_address_of(sam->key, &address))
        return fail(sam, "the bridge's answer has no key");
    return SAM_UP;
}

static enum sam_step after_naming(struct sam *sam, const char *line, struct buffer *out)
{
    char destination[SAM_KEY_MAX + 1];
    if (!find_value(line, "VALUE", destination))
        return fail(sam, "the bridge's answer has no destination");
    buffer_append_format(out, "STREAM CONNECT ID=%s DESTINATION=%s SILENT=false\n", sam->id,
                         destination);
    return SAM_STREAM;
}

/* The first word of the line is the caller's destination. */
static enum sam_step take_caller(struct sam *sam, char *line)
{
    line[strcspn(line, " ")] = '\0';
    return sam_address_of(line, &sam->caller) ? SAM_UP : fail(sam, "the caller has no destination");
}

static enum sam_step on_line(struct sam *sam, char *line, struct buffer *out)
{
    enum sam_step step;
    if (sam->step != SAM_CALLER && is_refused(sam, line))
        return SAM_FAILED;
    switch (sam->step) {
    case SAM_HELLO:
        return after_hello(sam, out);
    case SAM_GENERATE:
        step = take_key(sam, line, "PRIV");
        return step == SAM_UP ? create_session(sam, out) : step;
    case SAM_CREATE:
        return sam->is_transient ? take_key(sam, line, "DESTINATION") : SAM_UP;
    case SAM_NAMING:
        return after_naming(sam, line, out);
    case SAM_STREAM:
        return sam->purpose == SAM_ACCEPT ? SAM_CALLER : SAM_UP;
    case SAM_CALLER:
        return take_caller(sam, line);
    case SAM_UP:
    case SAM_FAILED:
        break;
    }
    return sam->step;
}

enum sam_step sam_read(struct sam *sam, struct span *bytes, struct buffer *out)
{
    ASSERT(sam->line.len <= SAM_LINE_MAX);
    while (bytes->len > 0 && sam->step < SAM_UP) {
        const uint8_t *end = memchr(bytes->p, '\n', bytes->len);
        size_t n = end ? (size_t)(end - bytes->p) : bytes->len;
        if (sam->line.len + n > SAM_LINE_MAX) {
            sam->step = fail(sam, "the bridge's answer is too long");
            break;
        }
        buffer_append(&sam->line, bytes->p, n);
        bytes->p += n + (end != NULL);
        bytes->len -= n + (end != NULL);
        if (!end)
            break;
        buffer_append(&sam->line, "", 1);
        sam->step = on_line(sam, (char *)sam->line.p, out);
        mem_wipe(sam->line.p, sam->line.len);
        sam->line.len = 0;
    }
    return sam->step;
}
