/* fuzz_config.c - any text as a config file: it is refused, or its values survive being written
 * out and read again. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "util/alloc.h"
#include "util/config_file.h"

/* clang-format off */
static const struct option_def table[] = {
    {"server",      NULL, "", OPTION_CATEGORY_RPC,        OPTION_BOOL,   0},
    {"datadir",     NULL, "", OPTION_CATEGORY_GENERAL,    OPTION_STRING, OPTION_NO_NEGATION},
    {"par",         NULL, "", OPTION_CATEGORY_GENERAL,    OPTION_INT,    0},
    {"debug",       NULL, "", OPTION_CATEGORY_DEBUG,      OPTION_STRING, OPTION_MULTI},
    {"port",        NULL, "", OPTION_CATEGORY_CONNECTION, OPTION_INT,    OPTION_NETWORK_ONLY},
    {"rpcpassword", NULL, "", OPTION_CATEGORY_RPC,        OPTION_STRING, OPTION_SENSITIVE},
    {"includeconf", NULL, "", OPTION_CATEGORY_GENERAL,    OPTION_STRING,
     OPTION_MULTI | OPTION_CONFIG_ONLY},
    {"chain",       NULL, "", OPTION_CATEGORY_CHAIN,      OPTION_STRING, 0},
    {"regtest",     NULL, "", OPTION_CATEGORY_CHAIN,      OPTION_BOOL,   0},
};
/* clang-format on */

/* The text itself is what each include includes: one level, whatever it says. */
static int read_same(void *ctx, const char *path, struct buffer *out)
{
    (void)path;
    const struct span *text = ctx;
    buffer_append(out, text->p, text->len);
    return 0;
}

/* Every value as a line under its own heading; "[]" is the top of the file. */
static void write_values(const struct options *options, struct buffer *out)
{
    for (size_t i = 0; i < options->values.n; i++) {
        const struct option_value *value = &options->values.at[i];
        const char *text = value->is_literal ? value->negated ? "1" : "0" : value->text;
        buffer_append_format(out, "[%s]\n%s%s=%s\n", value->section, value->is_literal ? "no" : "",
                             value->def->name, text);
    }
}

static void check_getters(struct options *options)
{
    char *error = NULL;
    const char *network = options_chain(options, &error);
    if (network && *network && options_select_network(options, network, &error)) {
        for (size_t i = 0; i < COUNT_OF(table); i++) {
            const char *text = options_get_string(options, table[i].name, NULL);
            ASSERT(options_is_set(options, table[i].name) == (text != NULL));
            (void)options_get_int(options, table[i].name, 0);
            (void)options_get_bool(options, table[i].name, false);
            for (size_t j = 0; options_get_list(options, table[i].name, j); j++)
                ASSERT(j < options->values.n);
        }
    }
    xfree(error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A list is searched from its start for each index, and includes multiply the text. */
    if (size > 4096)
        return 0;
    struct span text = span_of(data, size);
    struct options first, second, included;
    struct buffer once, twice;
    char *error = NULL;
    options_init(&first, table, COUNT_OF(table));
    options_init(&second, table, COUNT_OF(table));
    options_init(&included, table, COUNT_OF(table));
    buffer_init(&once);
    buffer_init(&twice);
    if (config_file_parse(&first, text, "fuzz", &error)) {
        write_values(&first, &once);
        ASSERT(config_file_parse(&second, buffer_span(&once), "fuzz", &error));
        write_values(&second, &twice);
        ASSERT(span_equal(buffer_span(&once), buffer_span(&twice)));
        check_getters(&first);
        if (config_file_parse_all(&included, text, "fuzz", read_same, &text, &error))
            check_getters(&included);
    } else {
        ASSERT(strncmp(error, "Error reading configuration file: ", 34) == 0);
    }
    xfree(error);
    options_deinit(&first);
    options_deinit(&second);
    options_deinit(&included);
    buffer_deinit(&once);
    buffer_deinit(&twice);
    return 0;
}
