/* options_help.c - help text, laid out as bitcoind's. */
#include "util/options_help.h"

#include "util/assert.h"

#include <inttypes.h>
#include <string.h>

enum { TEXT_INDENT = 7 };

static const char *const headings[OPTION_CATEGORY_COUNT] = {
#define X(name, heading) [OPTION_CATEGORY_##name] = heading,
    OPTION_CATEGORIES(X)
#undef X
};

/* One line of the source text: words, broken before the column limit. */
static void wrap_line(const char *line, size_t len, size_t indent, struct buffer *out)
{
    ASSERT(indent < OPTIONS_HELP_COLUMNS);
    size_t column = 0, i = 0;
    while (i < len) {
        while (i < len && line[i] == ' ')
            i++;
        size_t start = i;
        while (i < len && line[i] != ' ')
            i++;
        size_t word = i - start;
        if (word == 0)
            break;
        if (column > 0 && column + 1 + word > OPTIONS_HELP_COLUMNS) {
            buffer_append_string(out, "\n");
            column = 0;
        }
        if (column == 0) {
            buffer_append_format(out, "%*s", (int)indent, "");
            column = indent;
        } else {
            buffer_append_string(out, " ");
            column++;
        }
        buffer_append(out, line + start, word);
        column += word;
    }
    buffer_append_string(out, "\n");
}

void options_help_wrap(const char *text, size_t indent, struct buffer *out)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        wrap_line(text, len, indent, out);
        text += len + (text[len] == '\n');
    }
}

/* The help of a row, and what the row says beside it. */
static void write_row(const struct option_def *def, struct buffer *out)
{
    ASSERT(def->help);
    bool is_limited = def->least || def->most;
    struct buffer text;
    buffer_init(&text);
    buffer_append_string(&text, def->help);
    if (is_limited && def->most == INT64_MAX)
        buffer_append_format(&text, " (%" PRId64 " or more", def->least);
    else if (is_limited)
        buffer_append_format(&text, " (%" PRId64 " to %" PRId64, def->least, def->most);
    if (def->fallback)
        buffer_append_format(&text, "%sdefault: %s", is_limited ? "; " : " (", def->fallback);
    if (is_limited || def->fallback)
        buffer_append_string(&text, ")");
    buffer_append(&text, "", 1);
    options_help_wrap((const char *)text.p, TEXT_INDENT, out);
    buffer_deinit(&text);
}

static bool is_shown(const struct option_def *def, bool with_debug)
{
    if (def->flags & (OPTION_HIDDEN | OPTION_IGNORED))
        return false;
    return with_debug || !(def->flags & OPTION_DEBUG_ONLY);
}

void options_help(const struct options *options, bool with_debug, struct buffer *out)
{
    for (int category = 0; category < OPTION_CATEGORY_COUNT; category++) {
        bool has_heading = false;
        for (size_t i = 0; i < options->n_defs; i++) {
            const struct option_def *def = &options->defs[i];
            if ((int)def->category != category || !options_has(options, def) ||
                !is_shown(def, with_debug))
                continue;
            if (!has_heading)
                buffer_append_format(out, "%s:\n\n", headings[category]);
            has_heading = true;
            /* A command of a client is written without the dash. */
            const char *dash = def->category == OPTION_CATEGORY_COMMAND ? "" : "-";
            buffer_append_format(out, "  %s%s%s%s\n", dash, def->name, def->argument ? "=" : "",
                                 def->argument ? def->argument : "");
            write_row(def, out);
            buffer_append_string(out, "\n");
        }
    }
}
