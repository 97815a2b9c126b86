/* options.c - values of options, and which of them count.
 *
 * Values are kept as they came and never merged: each getter finds anew what counts, by the ranks
 * of get_ranks(). So it does not matter in which order sources are read, nor that the network is
 * chosen only after all of them. */
#include "util/options.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/parse.h"

enum { OPTIONS_ARENA_BYTES = 4096 };

/* The networks, as sections of a config file and as values of -chain. */
static const char *const networks[] = {"main", "test", "testnet4", "signet", "regtest"};

bool options_is_network(const char *s)
{
    for (size_t i = 0; i < COUNT_OF(networks); i++)
        if (strcmp(networks[i], s) == 0)
            return true;
    return false;
}

void options_init(struct options *options, const struct option_def *defs, size_t n_defs)
{
    ASSERT(defs || n_defs == 0);
    *options = (struct options){.defs = defs, .n_defs = n_defs};
    arena_init(&options->arena, OPTIONS_ARENA_BYTES);
}

void options_deinit(struct options *options)
{
    ARRAY_FREE(&options->values);
    ARRAY_FREE(&options->messages);
    arena_deinit(&options->arena);
    *options = (struct options){0};
}

static const char *keep_string(struct options *options, const char *s)
{
    size_t size = strlen(s) + 1;
    return memcpy(arena_alloc(&options->arena, size), s, size);
}

void options_message(struct options *options, enum option_message_kind kind, const char *format,
                     ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    ASSERT(len >= 0);
    char *text = arena_alloc(&options->arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);

    *ARRAY_ADD(&options->messages) = (struct option_message){.text = text, .kind = kind};
}

const struct option_def *options_find(const struct options *options, const char *name)
{
    for (size_t i = 0; i < options->n_defs; i++)
        if (strcmp(options->defs[i].name, name) == 0 && options_has(options, &options->defs[i]))
            return &options->defs[i];
    return NULL;
}

static const struct option_def *get_def(const struct options *options, const char *name)
{
    const struct option_def *def = options_find(options, name);
    ASSERT(def);
    return def;
}

/* Empty is true (-server), and so is any number but 0. Text that starts with no digit is false,
 * "true" included: that is Core's rule, and "-listen=false" relies on it. */
static bool text_is_true(const char *text)
{
    if (*text == '\0')
        return true;
    text += strspn(text, " \t\r\n");
    text += *text == '-' || *text == '+';
    text += strspn(text, "0");
    return *text >= '1' && *text <= '9';
}

/* What -noX, with or without a value, means. */
static bool add_negated(struct options *options, struct option_value out, const char *value,
                        char **error)
{
    if (out.def->flags & OPTION_NO_NEGATION)
        return fail_with(error, "Negating of -%s is meaningless and therefore forbidden",
                         out.def->name);
    bool twice = value && !text_is_true(value);
    if (twice)
        options_message(options, OPTION_MESSAGE_LOGGED,
                        "Parsed potentially confusing double-negative -%s=%s", out.def->name,
                        value);
    out.text = twice ? "1" : "0";
    out.negated = !twice;
    out.is_literal = true;
    *ARRAY_ADD(&options->values) = out;
    return true;
}

/* NULL, or (xfree it) why the option cannot have that value. */
static char *refuse_value(const struct option_def *def, enum option_source source,
                          const char *value)
{
    int64_t number;
    if (source == OPTION_FROM_COMMAND_LINE && (def->flags & OPTION_CONFIG_ONLY))
        return xasprintf("-%s cannot be used from commandline; -%s=\"%s\"", def->name, def->name,
                         value ? value : "");
    if (!value && (def->flags & OPTION_NEEDS_VALUE))
        return xasprintf("Can not set -%s with no value. Please specify value with -%s=value.",
                         def->name, def->name);
    /* Core reads "abc" as 0. A typing error in a port or a size is better told. */
    if (def->type == OPTION_INT && value && *value && !parse_int64(value, &number))
        return xasprintf("Invalid value '%s' for -%s: a whole number is expected", value,
                         def->name);
    return NULL;
}

bool options_add(struct options *options, enum option_source source, const char *section,
                 const char *key, const char *value, bool *known, char **error)
{
    ASSERT(section && key && known && error);
    bool negated = strncmp(key, "no", 2) == 0;
    const struct option_def *def = options_find(options, negated ? key + 2 : key);
    *known = def != NULL;
    if (!def)
        return true;

    struct option_value out = {
        .def = def,
        .source = source,
        .section = keep_string(options, section),
    };
    if (negated)
        return add_negated(options, out, value, error);
    *error = refuse_value(def, source, value);
    if (*error)
        return false;
    out.text = keep_string(options, value ? value : "");
    *ARRAY_ADD(&options->values) = out;
    return true;
}

/* One argument of the command line, which starts with a dash. */
static bool parse_arg(struct options *options, const char *arg, char **error)
{
    const char *start = arg + 1 + (arg[1] == '-');
    const char *equals = strchr(start, '=');
    size_t len = equals ? (size_t)(equals - start) : strlen(start);
    char *key = xmemdup(start, len + 1);
    key[len] = '\0';

    bool known = false;
    char *why = NULL;
    bool ok = options_add(options, OPTION_FROM_COMMAND_LINE, "", key, equals ? equals + 1 : NULL,
                          &known, &why);
    xfree(key);
    if (ok && known)
        return true;
    *error = known ? xasprintf("Error parsing command line arguments: %s", why)
                   : xasprintf("Error parsing command line arguments: Invalid parameter %s", arg);
    xfree(why);
    return false;
}

bool options_parse_args(struct options *options, int argc, const char *const *argv,
                        int *first_operand, char **error)
{
    ASSERT(argv && error);
    *error = NULL;
    int i = 1;
    /* A lone "-" is an operand: it stands for standard input. */
    for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++)
        if (!parse_arg(options, argv[i], error))
            return false;
    if (first_operand) {
        *first_operand = i < argc ? i : argc;
    } else if (i < argc)
        return fail_with(error,
                         "Command line contains unexpected token '%s', see -help for a list of "
                         "options.",
                         argv[i]);
    return true;
}

/* -- Which value counts ------------------------------------------------------------------ */

/* A source that ranks by itself: the command line, settings, one section, what is implied. */
struct rank {
    enum option_source source;
    const char *section;
};

enum { RANK_COUNT = 5 };

/* The highest first. Without a network there is no section that matches the second. */
static void get_ranks(const struct options *options, struct rank ranks[RANK_COUNT])
{
    ranks[0] = (struct rank){OPTION_FROM_COMMAND_LINE, ""};
    ranks[1] = (struct rank){OPTION_FROM_SETTINGS, ""};
    ranks[2] = (struct rank){OPTION_FROM_CONFIG, options->network};
    ranks[3] = (struct rank){OPTION_FROM_CONFIG, ""};
    ranks[4] = (struct rank){OPTION_IMPLIED, ""};
}

/* The values of one option in one rank, those withdrawn by a negation left out. */
struct choice {
    const struct option_value *first, *last; /* NULL if none are left */
    const struct option_value *negation;     /* the last -noX, or NULL */
    size_t after;                            /* index in options->values where counting starts */
};

static bool is_ranked(const struct option_value *value, const struct option_def *def,
                      const struct rank *rank)
{
    return value->def == def && value->source == rank->source && rank->section &&
           strcmp(value->section, rank->section) == 0;
}

/* In the order given: a negation withdraws all before it, and what comes after counts again. */
static struct choice choose(const struct options *options, const struct option_def *def,
                            const struct rank *rank)
{
    struct choice choice = {0};
    for (size_t i = 0; i < options->values.n; i++) {
        const struct option_value *value = &options->values.at[i];
        if (!is_ranked(value, def, rank))
            continue;
        if (value->negated) {
            choice = (struct choice){.negation = value, .after = i + 1};
        } else {
            choice.first = choice.first ? choice.first : value;
            choice.last = value;
        }
    }
    return choice;
}

/* Options like -port at the file's top are main's, and must not reach another network. */
static bool is_kept_from(const struct options *options, const struct option_def *def,
                         const struct rank *rank)
{
    return (def->flags & OPTION_NETWORK_ONLY) && rank->source == OPTION_FROM_CONFIG &&
           rank->section && *rank->section == '\0' && options->network &&
           strcmp(options->network, "main") != 0;
}

/* The one value that counts, or NULL. */
static const struct option_value *find_value(const struct options *options, const char *name)
{
    const struct option_def *def = get_def(options, name);
    struct rank ranks[RANK_COUNT];
    get_ranks(options, ranks);
    for (size_t i = 0; i < RANK_COUNT; i++) {
        struct choice choice = choose(options, def, &ranks[i]);
        /* A negation holds even where values would not. Core does so too. */
        if (is_kept_from(options, def, &ranks[i]) && (choice.last || !choice.negation))
            continue;
        if (choice.last)
            return ranks[i].source == OPTION_FROM_CONFIG ? choice.first : choice.last;
        if (choice.negation)
            return choice.negation;
    }
    return NULL;
}

bool options_is_set(const struct options *options, const char *name)
{
    return find_value(options, name) != NULL;
}

bool options_is_on_command_line(const struct options *options, const char *name)
{
    const struct option_value *value = find_value(options, name);
    return value && value->source == OPTION_FROM_COMMAND_LINE;
}

bool options_is_negated(const struct options *options, const char *name)
{
    const struct option_value *value = find_value(options, name);
    return value && value->negated;
}

const char *options_get_string(const struct options *options, const char *name,
                               const char *fallback)
{
    const struct option_value *value = find_value(options, name);
    return value ? value->text : fallback;
}

int64_t options_get_int(const struct options *options, const char *name, int64_t fallback)
{
    const struct option_value *value = find_value(options, name);
    int64_t number = 0;
    if (!value)
        return fallback;
    if (*value->text && !parse_int64(value->text, &number))
        ASSERT(value->def->type != OPTION_INT); /* options_add() has refused it */
    return number;
}

bool options_get_bool(const struct options *options, const char *name, bool fallback)
{
    const struct option_value *value = find_value(options, name);
    return value ? text_is_true(value->text) : fallback;
}

const char *options_get_list(const struct options *options, const char *name, size_t index)
{
    const struct option_def *def = get_def(options, name);
    struct rank ranks[RANK_COUNT];
    get_ranks(options, ranks);
    bool complete = false, emptied = false;
    size_t found = 0;
    for (size_t i = 0; i < RANK_COUNT; i++) {
        struct choice choice = choose(options, def, &ranks[i]);
        if (is_kept_from(options, def, &ranks[i]) && (choice.last || !choice.negation))
            continue;
        /* -noX ends the list, yet -noX followed by -X=value lets the config file's values in
         * again. That is odd, but it is how Core's users write "these and the file's". */
        bool revived = ranks[i].source == OPTION_FROM_CONFIG && !emptied;
        bool counts = !complete || revived;
        for (size_t j = choice.after; counts && j < options->values.n; j++)
            if (is_ranked(&options->values.at[j], def, &ranks[i]) && found++ == index)
                return options->values.at[j].text;
        complete |= choice.negation != NULL;
        emptied |= choice.negation && !choice.last && found == 0;
    }
    return NULL;
}

/* -- Targets -------------------------------------------------------------------------------- */

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

/* What holds of a number: given or not, within its limits. */
static int64_t number_of(const struct options *options, const struct option_def *def)
{
    int64_t number = 0;
    bool is_number = !def->fallback || parse_int64(def->fallback, &number);
    ASSERT(is_number && def->least <= def->most);
    number = options_get_int(options, def->name, number);
    return def->least || def->most ? clamp(number, def->least, def->most) : number;
}

/* What does not fit into the target is cut to what does: limits of a row come first, but rows
 * without limits take any number. */
static void fill(const struct options *options, const struct option_def *def, void *to)
{
    if (def->type == OPTION_BOOL) {
        bool fallback = def->fallback && text_is_true(def->fallback);
        ASSERT(def->target == OPTION_TO_BOOL);
        *(bool *)to = options_get_bool(options, def->name, fallback);
        return;
    }
    int64_t value;
    if (__builtin_mul_overflow(number_of(options, def), def->unit ? def->unit : 1, &value))
        value = INT64_MAX;
    switch (def->target) {
    case OPTION_TO_NOTHING:
        break;
    case OPTION_TO_BOOL:
        *(bool *)to = value != 0;
        break;
    case OPTION_TO_INT:
        *(int *)to = (int)clamp(value, INT_MIN, INT_MAX);
        break;
    case OPTION_TO_INT64:
        *(int64_t *)to = value;
        break;
    case OPTION_TO_SIZE:
        *(size_t *)to = (size_t)clamp(value, 0, INT64_MAX);
        break;
    }
}

void options_fill(const struct options *options, void *target)
{
    ASSERT(target);
    for (size_t i = 0; i < options->n_defs; i++) {
        const struct option_def *def = &options->defs[i];
        if (def->target != OPTION_TO_NOTHING && options_has(options, def))
            fill(options, def, (char *)target + def->at);
    }
}

/* True if the value asks for nothing: -noX, -X=0, and of a text also the empty one. */
static bool asks_for_nothing(const struct option_value *value)
{
    if (value->negated)
        return true;
    if (value->def->type == OPTION_STRING)
        return *value->text == '\0' || strcmp(value->text, "0") == 0;
    return !text_is_true(value->text);
}

void options_tell_ignored(struct options *options)
{
    for (size_t i = 0; i < options->n_defs; i++) {
        const struct option_def *def = &options->defs[i];
        if (!(def->flags & OPTION_IGNORED) || !options_has(options, def))
            continue;
        const struct option_value *value = find_value(options, def->name);
        if (!value || value->source == OPTION_IMPLIED)
            continue;
        bool is_missed = !(def->flags & OPTION_HARMLESS) && !asks_for_nothing(value);
        options_message(options, is_missed ? OPTION_MESSAGE_LASTS : OPTION_MESSAGE_LOGGED,
                        "Option -%s does nothing here: this version of the node lacks what it "
                        "controls",
                        def->name);
    }
}

bool options_imply(struct options *options, const char *name, const char *value)
{
    if (options_is_set(options, name))
        return false;
    *ARRAY_ADD(&options->values) = (struct option_value){.def = get_def(options, name),
                                                         .source = OPTION_IMPLIED,
                                                         .section = "",
                                                         .text = keep_string(options, value)};
    return true;
}

/* -- Networks ---------------------------------------------------------------------------- */

/* As find_value(), for options that choose the network: only the file's top can, its last value
 * wins there, and a negation on the command line is passed over. Core: get_chain_type. */
static const struct option_value *find_chain_value(const struct options *options, const char *name)
{
    const struct option_def *def = options_find(options, name);
    if (!def)
        return NULL;
    struct choice choice = choose(options, def, &(struct rank){OPTION_FROM_COMMAND_LINE, ""});
    if (choice.last)
        return choice.last;
    choice = choose(options, def, &(struct rank){OPTION_FROM_CONFIG, ""});
    return choice.last;
}

const char *options_chain_file(const struct options *options)
{
    const struct option_value *value = find_chain_value(options, "chainfile");
    /* -nochainfile takes back what a config file says, so that one can look at another chain. */
    if (!value || *value->text == '\0' || options_is_negated(options, "chainfile"))
        return NULL;
    return value->text;
}

/* A file describes a chain: nothing else may name one. */
static const char *chain_of_file(bool is_alone, char **error)
{
    if (!is_alone)
        *error = xasprintf("-chainfile names a chain of its own: it cannot be used with -regtest, "
                           "-signet, -testnet, -testnet4 or -chain.");
    return is_alone ? "" : NULL;
}

/* What -dev is alone on: where blocks are made at will. */
static const char *chain_unasked(const struct options *options)
{
    const struct option_value *dev = find_chain_value(options, "dev");
    return dev && text_is_true(dev->text) ? "regtest" : "main";
}

const char *options_chain(const struct options *options, char **error)
{
    static const struct {
        const char *option, *chain;
    } switches[] = {
        {"regtest", "regtest"},
        {"signet", "signet"},
        {"testnet", "test"},
        {"testnet4", "testnet4"},
    };
    *error = NULL;
    const struct option_value *named = find_chain_value(options, "chain");
    const char *chain = named ? named->text : NULL;
    unsigned asked = named != NULL;
    for (size_t i = 0; i < COUNT_OF(switches); i++) {
        const struct option_value *value = find_chain_value(options, switches[i].option);
        if (value && text_is_true(value->text)) {
            chain = switches[i].chain;
            asked++;
        }
    }
    if (asked > 1) {
        *error = xasprintf("Invalid combination of -regtest, -signet, -testnet, -testnet4 and "
                           "-chain. Can use at most one.");
        return NULL;
    }
    if (options_chain_file(options))
        return chain_of_file(asked == 0, error);
    for (size_t i = 0; chain && i < COUNT_OF(networks); i++)
        if (strcmp(chain, networks[i]) == 0)
            return networks[i];
    if (chain) {
        *error = xasprintf("Unknown chain %s.", chain);
        return NULL;
    }
    return chain_unasked(options);
}

/* True if the option has values, and all of them at the file's top. */
static bool is_only_at_top(const struct options *options, const struct option_def *def)
{
    bool at_top = false;
    for (size_t i = 0; i < options->values.n; i++) {
        const struct option_value *value = &options->values.at[i];
        if (value->def != def)
            continue;
        if (value->source == OPTION_FROM_CONFIG && *value->section == '\0')
            at_top = true;
        else if (value->source == OPTION_FROM_COMMAND_LINE ||
                 strcmp(value->section, options->network) == 0)
            return false;
    }
    return at_top;
}

bool options_select_network(struct options *options, const char *network, char **error)
{
    ASSERT(options && network && *network);
    *error = NULL;
    options->network = keep_string(options, network);
    if (strcmp(network, "main") == 0)
        return true;
    for (size_t i = 0; i < options->n_defs; i++) {
        const struct option_def *def = &options->defs[i];
        if (!(def->flags & OPTION_NETWORK_ONLY) || !is_only_at_top(options, def))
            continue;
        return fail_with(error,
                         "Config setting for -%s only applied on %s network when in [%s] "
                         "section.",
                         def->name, network, network);
    }
    return true;
}

/* -- For the log --------------------------------------------------------------------------- */

void options_describe(const struct options *options, void (*line)(void *ctx, const char *text),
                      void *ctx)
{
    ASSERT(line);
    for (size_t i = 0; i < options->values.n; i++) {
        const struct option_value *value = &options->values.at[i];
        if (value->source == OPTION_IMPLIED || value->source == OPTION_FROM_SETTINGS)
            continue;
        bool from_config = value->source == OPTION_FROM_CONFIG;
        bool in_section = *value->section != '\0';
        const char *text = value->is_literal ? value->negated ? "false" : "true" : value->text;
        const char *quote = value->is_literal ? "" : "\"";
        if (value->def->flags & OPTION_SENSITIVE) {
            text = "****";
            quote = "";
        }
        char *s =
            xasprintf("%s: %s%s%s%s=%s%s%s", from_config ? "Config file arg" : "Command-line arg",
                      in_section ? "[" : "", value->section, in_section ? "] " : "",
                      value->def->name, quote, text, quote);
        line(ctx, s);
        xfree(s);
    }
}
