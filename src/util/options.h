/* options.h - the options of a program: a table, the values given for them, and who wins.
 *
 * Layer: util. Pure: text in, values out; reading files and printing are the caller's. Values
 * come from the command line, from sections of the config file (config_file.h) and from other
 * options that imply them. Spec: Core ArgsManager; doc/configuration.md tells it to operators.
 *
 * Start here: options_init, options_parse_args, config_file_parse_all, options_chain,
 * options_select_network, then the getters. */
#ifndef UTIL_OPTIONS_H
#define UTIL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/arena.h"
#include "util/array.h"

/* -- The table -------------------------------------------------------------------------- */

/* Groups of the help text, in its order. X(name, heading) */
#define OPTION_CATEGORIES(X)                                                                       \
    X(GENERAL, "Options")                                                                          \
    X(CONNECTION, "Connection options")                                                            \
    X(WALLET, "Wallet options")                                                                    \
    X(NOTIFICATION, "ZeroMQ notification options")                                                 \
    X(DEBUG, "Debugging/Testing options")                                                          \
    X(CHAIN, "Chain selection options")                                                            \
    X(RELAY, "Node relay options")                                                                 \
    X(BLOCK, "Block creation options")                                                             \
    X(RPC, "RPC server options")                                                                   \
    X(COMMAND, "Commands")

enum option_category {
#define X(name, heading) OPTION_CATEGORY_##name,
    OPTION_CATEGORIES(X)
#undef X
        OPTION_CATEGORY_COUNT,
};

enum option_type {
    OPTION_BOOL,   /* "", or a number that is not 0, is true */
    OPTION_STRING, /* anything */
    OPTION_INT,    /* a whole number; "" is 0; anything else is an error */
};

enum option_flags {
    OPTION_MULTI = 1 << 0,             /* a list: every value counts */
    OPTION_NETWORK_ONLY = 1 << 1,      /* outside main, the config file's top does not count */
    OPTION_DEBUG_ONLY = 1 << 2,        /* in the help only with -help-debug */
    OPTION_IGNORED = 1 << 3,           /* known, but has no effect here: options_tell_ignored() */
    OPTION_SENSITIVE = 1 << 4,         /* its value is never logged */
    OPTION_NO_NEGATION = 1 << 5,       /* -noX is an error */
    OPTION_NEEDS_VALUE = 1 << 6,       /* -X without a value is an error */
    OPTION_COMMAND_LINE_ONLY = 1 << 7, /* an error in the config file */
    OPTION_CONFIG_ONLY = 1 << 8,       /* on the command line only -noX is allowed */
    OPTION_HIDDEN = 1 << 9,            /* never in the help */
    OPTION_HARMLESS = 1 << 10,         /* with OPTION_IGNORED: nobody misses its effect */
    OPTION_CLIENT_TOO = 1 << 11,       /* the program's client has it as well */
    OPTION_CLIENT_ONLY = 1 << 12,      /* the client alone has it */
};

/* The type of what options_fill() writes to. */
enum option_target {
    OPTION_TO_NOTHING,
    OPTION_TO_BOOL,
    OPTION_TO_INT,
    OPTION_TO_INT64,
    OPTION_TO_SIZE
};

/* One option. Names have no dash in front and never start with "no". */
struct option_def {
    const char *name;     /* "rpcport" */
    const char *argument; /* "<port>", or NULL: shown as -rpcport=<port> */
    const char *help;     /* one paragraph; what follows from the row is added */
    enum option_category category;
    enum option_type type;
    unsigned flags;
    const char *fallback; /* what holds if none is given; NULL: nothing, 0 or false */
    int64_t least, most;  /* of a number, which is moved inside; both 0: any */
    int64_t unit;         /* its target gets so many times the number; 0: once */
    enum option_target target;
    size_t at; /* where that is in the struct that options_fill() gets */
};

/* The part of a row that says where its value goes: a member of a struct. */
#define OPTION_INTO(type, member)                                                                  \
    .at = offsetof(type, member), .target = _Generic(((type *)NULL)->member, bool                  \
                                                     : OPTION_TO_BOOL, int                         \
                                                     : OPTION_TO_INT, int64_t                      \
                                                     : OPTION_TO_INT64, size_t                     \
                                                     : OPTION_TO_SIZE)

/* -- Values ------------------------------------------------------------------------------- */

enum option_source {
    OPTION_FROM_COMMAND_LINE,
    OPTION_FROM_SETTINGS, /* settings.json */
    OPTION_FROM_CONFIG,
    OPTION_IMPLIED, /* by options_imply() */
};

/* One value as it was given. Owned by struct options. */
struct option_value {
    const struct option_def *def;
    enum option_source source;
    const char *section; /* of the config file; "" is its top */
    const char *text;    /* "0" for -noX, "1" for -noX=0 */
    bool negated;        /* -noX: this and everything before it in the source is withdrawn */
    bool is_literal;     /* text stands for false or true, not for what somebody wrote */
};

/* Who hears of something that is no error. */
enum option_message_kind {
    OPTION_MESSAGE_LOGGED, /* who reads the log */
    OPTION_MESSAGE_TOLD,   /* who starts the program, too: on standard error */
    OPTION_MESSAGE_READ,   /* the same, of how the config files are read: with a small letter */
    OPTION_MESSAGE_LASTS,  /* who asks the running program for its warnings, too */
};

struct option_message {
    const char *text;
    enum option_message_kind kind;
};

struct options {
    const struct option_def *defs;
    size_t n_defs;
    bool is_client;                    /* rows of the client count, those of the program do not */
    ARRAY(struct option_value) values; /* in the order given */
    ARRAY(struct option_message) messages;
    bool has_odd_sections; /* of a config file, which one message tells of ... */
    size_t odd_sections;   /* ... with this index */
    const char *network;   /* the section that counts, NULL before options_select_network() */
    struct arena arena;    /* all strings */
};

/* Start with no values.
 *
 * In:       defs  borrowed until options_deinit(); the program's constant table */
void options_init(struct options *options, const struct option_def *defs, size_t n_defs);

/* Is a row one of this program? */
static inline bool options_has(const struct options *options, const struct option_def *def)
{
    if (options->is_client)
        return def->flags & (OPTION_CLIENT_TOO | OPTION_CLIENT_ONLY);
    return !(def->flags & OPTION_CLIENT_ONLY);
}

/* Write the value of each row that has a target: the one that was given or else the fallback,
 * within the limits, times the unit.
 *
 * Out:      target  the struct that the rows' targets are members of */
void options_fill(const struct options *options, void *target);

/* Free all values and messages. */
void options_deinit(struct options *options);

/* Read the command line: -name, -name=value, --name, -noname. Stops at the first argument that is
 * no option.
 *
 * In:       argc, argv     as main() got them; borrowed for the call
 * Out:      first_operand  index of the first argument that is no option (argc if there is none);
 *                          NULL: such an argument is an error
 * Returns:  false with *error set (xfree it) for unknown options and values that cannot be */
NODISCARD bool options_parse_args(struct options *options, int argc, const char *const *argv,
                                  int *first_operand, char **error);

/* Which chain the options ask for: -chain=, -regtest, -signet, -testnet, -testnet4, -chainfile=; or
 * -dev, where none of these does.
 *
 * Returns:  "main", "test", "testnet4", "signet" or "regtest"; "" for the one that the file of
 *           options_chain_file() describes; or NULL with *error set (xfree it) where they
 *           contradict each other or there is no such chain
 * Spec:     Core ArgsManager::GetChainArg() */
NODISCARD const char *options_chain(const struct options *options, char **error);

/* The value of -chainfile, with which options that choose another chain are refused; NULL without
 * it. */
const char *options_chain_file(const struct options *options);

/* From now on the config section of this network counts, before the file's top.
 *
 * In:       network  as options_chain() returned it, or the name of the chain that a file describes
 * Returns:  false with *error set (xfree it) if an option that is set only at the file's top
 *           applies to main only (-port, -bind, ...): the operator meant another network */
NODISCARD bool options_select_network(struct options *options, const char *network, char **error);

/* Set an option because another one implies it (-connect implies -listen=0), unless it is set.
 *
 * Returns:  true if it was not set before */
bool options_imply(struct options *options, const char *name, const char *value);

/* Add a message for each option that was given and has no effect here. An option that asks for
 * something is told to everybody and for as long as the program runs; one that is switched off, or
 * that only tunes what is not here, goes to the log. Call once everything is read. */
void options_tell_ignored(struct options *options);

/* -- Getters: the name must be in the table (asserts) ---------------------------------------- */

/* True if it was given at all, also by -noX. */
bool options_is_set(const struct options *options, const char *name);

/* True if what counts was given on the command line. */
bool options_is_on_command_line(const struct options *options, const char *name);

/* True if what counts is -noX. */
bool options_is_negated(const struct options *options, const char *name);

/* The value that counts; fallback if it was not given. Strings live as long as options does.
 * Negated is "0". On the command line the last value wins, in the config file the first (Core's
 * rule, which config files rely on). */
const char *options_get_string(const struct options *options, const char *name,
                               const char *fallback);
/* The value that counts as a number, "" and negated as 0; fallback if it was not given. */
int64_t options_get_int(const struct options *options, const char *name, int64_t fallback);
/* The value that counts as a truth, negated as false; fallback if it was not given. */
bool options_get_bool(const struct options *options, const char *name, bool fallback);

/* The index-th value of a list, or NULL past its end: those of the command line come first, then
 * the settings', the network's section, then the config file's top. Negation withdraws what came
 * before it and what has lower rank. */
const char *options_get_list(const struct options *options, const char *name, size_t index);

/* Call line for each value of command line and config file, as text for the log; sensitive values
 * are masked. */
void options_describe(const struct options *options, void (*line)(void *ctx, const char *text),
                      void *ctx);

/* -- For config_file.c ----------------------------------------------------------------------- */

/* The row of that name, or NULL if this program has none. */
const struct option_def *options_find(const struct options *options, const char *name);

/* Record one name and value.
 *
 * In:       key, value  key may start with "no"; value NULL: none was given
 * Out:      *known      false if no such option is in the table: nothing was recorded
 * Returns:  false with *error set (xfree it) if the value cannot be */
NODISCARD bool options_add(struct options *options, enum option_source source, const char *section,
                           const char *key, const char *value, bool *known, char **error);

/* Add a message from a printf format. */
void options_message(struct options *options, enum option_message_kind kind, const char *format,
                     ...) PRINTF(3, 4);

/* True if s names a section of a config file, that is a network. */
bool options_is_network(const char *s);

#endif
