/* config_file.c - lines of a config file. */
#include "util/config_file.h"

#include <errno.h>
#include <string.h>

#include "util/alloc.h"
#include "util/log.h"

/* How much of a wrong line an error shows. */
enum { SHOWN_LINE_BYTES = 300 };

/* Where the parser is. The strings are the line's own, cut up in place. */
struct place {
    struct options *options;
    const char *path;
    int line;
    char *section; /* of the heading above, "" before the first */
};

static char *trim(char *s)
{
    static const char space[] = " \t\r\n";
    s += strspn(s, space);
    size_t len = strlen(s);
    while (len > 0 && strchr(space, s[len - 1]))
        len--;
    s[len] = '\0';
    return s;
}

/* Networks are told by name; a heading of another name is most likely a mistake, unless there is a
 * chain whose name is not known yet. All of them are one message, with a line for each, as Core has
 * it. */
static void check_section(const struct place *place, const char *section)
{
    struct options *options = place->options;
    if (options_is_network(section) || options_chain_file(options))
        return;
    const char *before =
        options->has_odd_sections ? options->messages.at[options->odd_sections].text : NULL;
    options_message(options, OPTION_MESSAGE_TOLD, "%s%s%s:%d Section [%s] is not recognized.",
                    before ? before : "", before ? "\n" : "", place->path, place->line, section);
    if (before)
        options->messages.at[options->odd_sections] = options->messages.at[--options->messages.n];
    else
        options->odd_sections = options->messages.n - 1;
    options->has_odd_sections = true;
}

static char *line_error(const struct place *place, const char *line, const char *advice)
{
    char shown[SHOWN_LINE_BYTES];
    log_escape(shown, sizeof shown, line, strlen(line));
    return xasprintf("Error reading configuration file: parse error on line %d: %s%s", place->line,
                     shown, advice);
}

/* A line without an equals sign. */
static char *no_value_error(const struct place *place, const char *line)
{
    char shown[SHOWN_LINE_BYTES];
    if (strncmp(line, "no", 2) != 0)
        return line_error(place, line, "");
    log_escape(shown, sizeof shown, line, strlen(line));
    return xasprintf("Error reading configuration file: parse error on line %d: %s, if you "
                     "intended to specify a negated option, use %s=1 instead",
                     place->line, shown, shown);
}

/* Options that have their place on the command line only. */
static char *refuse_name(const struct place *place, const char *name)
{
    const struct option_def *def = options_find(place->options, name);
    if (!def || !(def->flags & OPTION_COMMAND_LINE_ONLY))
        return NULL;
    return xasprintf("Error reading configuration file: %s cannot be set in the configuration "
                     "file; use includeconf= if you want to include additional config files",
                     name);
}

/* A value that slows each start is worth a word. Core: IsConfSupported() */
static void warn_about(const struct place *place, const char *name)
{
    if (strcmp(name, "reindex") == 0)
        options_message(place->options, OPTION_MESSAGE_LOGGED,
                        "reindex=1 is set in the configuration file, which will significantly "
                        "slow down startup. Consider removing or commenting out this option for "
                        "better performance, unless there is currently a condition which makes "
                        "rebuilding the indexes necessary");
}

/* name=value under the current heading; "network.name" names its section itself. */
static char *add_setting(const struct place *place, char *name, const char *value)
{
    const char *section = place->section;
    char *dot = strchr(name, '.');
    if (dot && *section == '\0') {
        *dot = '\0';
        section = name;
        name = dot + 1;
        check_section(place, section);
    }
    char *error = refuse_name(place, strncmp(name, "no", 2) == 0 ? name + 2 : name);
    if (error)
        return error;

    bool known = false;
    char *why = NULL;
    if (!options_add(place->options, OPTION_FROM_CONFIG, section, name, value, &known, &why)) {
        error = xasprintf("Error reading configuration file: parse error on line %d: %s",
                          place->line, why);
        xfree(why);
        return error;
    }
    if (known)
        warn_about(place, name);
    else
        options_message(place->options, OPTION_MESSAGE_LOGGED,
                        "Ignoring unknown configuration value %s%s%s (%s:%d)", section,
                        *section ? "." : "", name, place->path, place->line);
    return NULL;
}

/* One line, cut up in place. Returns the error, or NULL. */
static char *parse_line(struct place *place, char *line)
{
    char *hash = strchr(line, '#');
    if (hash)
        *hash = '\0';
    line = trim(line);
    size_t len = strlen(line);
    if (len == 0)
        return NULL;
    if (line[0] == '[' && line[len - 1] == ']') {
        line[len - 1] = '\0';
        xfree(place->section);
        place->section = xstrdup(line + 1);
        check_section(place, place->section);
        return NULL;
    }
    if (line[0] == '-')
        return line_error(place, line,
                          ", options in configuration file must be specified without leading -");
    char *equals = strchr(line, '=');
    if (!equals)
        return no_value_error(place, line);
    *equals = '\0';
    char *name = trim(line);
    /* Is it a comment or a part of the password? Whoever guesses wrong is locked out, or worse,
     * has a shorter password than he thinks. */
    if (hash && strstr(name, "rpcpassword"))
        return xasprintf("Error reading configuration file: parse error on line %d, using # in "
                         "rpcpassword can be ambiguous and should be avoided",
                         place->line);
    return add_setting(place, name, trim(equals + 1));
}

bool config_file_parse(struct options *options, struct span text, const char *path, char **error)
{
    ASSERT(options && path && error);
    struct place place = {.options = options, .path = path, .section = xstrdup("")};
    const char *at = (const char *)text.p, *end = at ? at + text.len : at;
    *error = NULL;
    /* Editors of other systems put it there; it would be a part of the first key. */
    if (text.len >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) {
        options_message(options, OPTION_MESSAGE_LOGGED,
                        "%s begins with a UTF-8 byte order mark, which is passed over", path);
        at += 3;
    }
    while (at < end && !*error) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((newline ? newline : end) - at);
        place.line++;
        char *line = xmalloc(len + 1);
        memcpy(line, at, len);
        line[len] = '\0';
        /* A zero byte would hide the rest of its line from us. */
        *error = strlen(line) == len ? parse_line(&place, line)
                                     : line_error(&place, line, " (zero byte in line)");
        xfree(line);
        at = newline ? newline + 1 : end;
    }
    xfree(place.section);
    return *error == NULL;
}

/* The index-th includeconf that the file gave for the top or for that network; NULL past the end.
 */
static const char *find_include(const struct options *options, const char *network, size_t index)
{
    for (size_t i = 0; i < options->values.n; i++) {
        const struct option_value *value = &options->values.at[i];
        bool counts = value->source == OPTION_FROM_CONFIG && !value->negated &&
                      strcmp(value->def->name, "includeconf") == 0 &&
                      (*value->section == '\0' || strcmp(value->section, network) == 0);
        if (counts && index-- == 0)
            return value->text;
    }
    return NULL;
}

static bool parse_included(struct options *options, const char *path, config_file_read_fn *read,
                           void *ctx, char **error)
{
    struct buffer text;
    buffer_init(&text);
    int rc = read(ctx, path, &text);
    bool ok = rc == 0 && config_file_parse(options, buffer_span(&text), path, error);
    if (rc == -EISDIR)
        *error = xasprintf("Error reading configuration file: Included config file \"%s\" is a "
                           "directory.",
                           path);
    else if (rc != 0)
        *error = xasprintf("Error reading configuration file: Failed to include configuration "
                           "file %s",
                           path);
    buffer_deinit(&text);
    return ok;
}

bool config_file_parse_all(struct options *options, struct span text, const char *path,
                           config_file_read_fn *read, void *ctx, char **error)
{
    ASSERT(read && error);
    if (!config_file_parse(options, text, path, error))
        return false;
    if (options_is_negated(options, "includeconf"))
        return true;
    const char *network = options_chain(options, error);
    if (!network)
        return false;

    size_t n = 0, i = 0;
    while (find_include(options, network, n))
        n++;
    for (; i < n; i++)
        if (!parse_included(options, find_include(options, network, i), read, ctx, error))
            return false;
    /* One level only: else two files could include each other. */
    for (const char *deeper; (deeper = find_include(options, network, i)); i++)
        options_message(options, OPTION_MESSAGE_READ,
                        "-includeconf cannot be used from included files; ignoring "
                        "-includeconf=%s",
                        deeper);
    return true;
}
