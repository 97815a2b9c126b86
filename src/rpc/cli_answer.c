/* cli_answer.c - what the command line shows of a JSON-RPC answer. */
#include "rpc/cli_answer.h"

#include <stdlib.h>

#include "util/assert.h"
#include "util/parse.h"

enum { INDENT = 2 };

static const struct json_value *member(const struct json_value *object, const char *name)
{
    static const struct json_value none = {.kind = JSON_KIND_NULL};
    const struct json_value *value = object ? json_find(object, name) : NULL;
    return value ? value : &none;
}

static void append_text(struct buffer *text, const struct json_value *value)
{
    buffer_append(text, value->text.p, value->text.len);
}

/* Never INT_MIN, of which there is no absolute value: the exit status is made of that, and Core
 * Lightning reads it. */
int cli_error_code(const struct json_value *reply)
{
    const struct json_value *error = member(reply, "error");
    int64_t code;
    if (error->kind == JSON_KIND_NULL)
        return 0;
    if (!json_integer_in(member(error, "code"), INT32_MIN + 1, INT32_MAX, &code))
        code = -1;
    return (int)code;
}

static void write_error(struct buffer *text, const struct json_value *error)
{
    const struct json_value *code = member(error, "code"), *message = member(error, "message");
    if (error->kind != JSON_KIND_OBJECT) {
        buffer_append_string(text, "error: ");
        json_write(text, error, 0);
        return;
    }
    if (code->kind == JSON_KIND_NUMBER) {
        buffer_append_string(text, "error code: ");
        append_text(text, code);
        buffer_append_string(text, "\n");
    }
    if (message->kind == JSON_KIND_STRING) {
        buffer_append_string(text, "error message:\n");
        append_text(text, message);
    }
}

int cli_write_answer(struct buffer *text, const struct json_value *reply)
{
    int code = cli_error_code(reply);
    if (code != 0) {
        write_error(text, member(reply, "error"));
        return abs(code);
    }
    const struct json_value *result = member(reply, "result");
    if (result->kind == JSON_KIND_STRING)
        append_text(text, result);
    else if (result->kind != JSON_KIND_NULL)
        json_write(text, result, INDENT);
    return 0;
}

/* -- Overview ----------------------------------------------------------------------------- */

/* What is written before a coloured part, and after it. ECMA-48, SGR */
struct palette {
    const char *blue, *green, *yellow, *plain;
};
static const struct palette ansi = {"\x1b[34m", "\x1b[32m", "\x1b[33m", "\x1b[0m"};
static const struct palette colourless = {"", "", "", ""};

static void write_line(struct buffer *text, const char *label, const struct json_value *value)
{
    buffer_append_format(text, "%s: ", label);
    if (value->kind == JSON_KIND_STRING)
        append_text(text, value);
    else
        json_write(text, value, 0);
    buffer_append_string(text, "\n");
}

/* A part of 1 in percent. The node shows up to 16 digits: all but six behind the point go. */
static void write_progress(struct buffer *text, const struct json_value *progress)
{
    struct span digits = progress->text;
    int64_t millionths = 0;
    const uint8_t *point = digits.len ? memchr(digits.p, '.', digits.len) : NULL;
    bool has_exponent = digits.len && memchr(digits.p, 'e', digits.len);
    if (point && digits.p + digits.len - point > 7)
        digits.len = (size_t)(point - digits.p) + 7;
    /* An exponent is only shown for less than a ten-thousandth. */
    if (progress->kind != JSON_KIND_NUMBER || has_exponent ||
        !parse_fixed_point((const char *)digits.p, digits.len, 6, &millionths))
        millionths = 0;
    buffer_append_format(text, "Verification progress: %lld.%04lld%%\n",
                         (long long)(millionths / 10000), (long long)(millionths % 10000));
}

/* Each proxy with the networks that it is used for: "ADDRESS (ipv4, onion), ADDRESS (i2p)". */
static void write_proxies(struct buffer *text, const struct json_value *networks)
{
    size_t n = 0;
    buffer_append_string(text, "Proxies: ");
    for (const struct json_value *v = networks->first; v; v = v->next) {
        struct span proxy = member(v, "proxy")->text;
        const struct json_value *same = networks->first;
        while (same != v && !span_equal(member(same, "proxy")->text, proxy))
            same = same->next;
        if (proxy.len == 0 || same != v)
            continue;
        buffer_append_format(text, "%s%.*s (", n++ ? ", " : "", (int)proxy.len,
                             (const char *)proxy.p);
        for (; same; same = same->next) {
            if (!span_equal(member(same, "proxy")->text, proxy))
                continue;
            buffer_append_string(text, same == v ? "" : ", ");
            append_text(text, member(same, "name"));
        }
        buffer_append_string(text, ")");
    }
    buffer_append_string(text, n ? "\n" : "n/a\n");
}

static void write_network(struct buffer *text, const struct json_value *network,
                          const struct palette *palette)
{
    buffer_append_format(text, "\n%sNetwork: in ", palette->green);
    json_write(text, member(network, "connections_in"), 0);
    buffer_append_string(text, ", out ");
    json_write(text, member(network, "connections_out"), 0);
    buffer_append_string(text, ", total ");
    json_write(text, member(network, "connections"), 0);
    buffer_append_format(text, "%s\n", palette->plain);
    write_line(text, "Version", member(network, "version"));
    write_line(text, "Time offset (s)", member(network, "timeoffset"));
    write_proxies(text, member(network, "networks"));
    write_line(text, "Min tx relay fee rate (BTC/kvB)", member(network, "relayfee"));
}

void cli_write_info(struct buffer *text, const struct json_value *chain,
                    const struct json_value *network, bool colours)
{
    ASSERT(text);
    const struct palette *palette = colours ? &ansi : &colourless;
    const struct json_value *warnings = member(chain, "warnings");
    buffer_append_format(text, "%sChain: ", palette->blue);
    append_text(text, member(chain, "chain"));
    buffer_append_format(text, "%s\n", palette->plain);
    write_line(text, "Blocks", member(chain, "blocks"));
    write_line(text, "Headers", member(chain, "headers"));
    write_progress(text, member(chain, "verificationprogress"));
    write_line(text, "Difficulty", member(chain, "difficulty"));
    if (network)
        write_network(text, network, palette);
    buffer_append_format(text, "\n%sWarnings:%s ", palette->yellow, palette->plain);
    size_t start = text->len;
    if (warnings->kind == JSON_KIND_STRING)
        append_text(text, warnings);
    for (const struct json_value *v = warnings->first; v; v = v->next) {
        buffer_append_string(text, v == warnings->first ? "" : "\n");
        append_text(text, v);
    }
    if (text->len == start)
        buffer_append_string(text, "(none)");
}
