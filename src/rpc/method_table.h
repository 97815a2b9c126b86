/* method_table.h - one row per method: parameters, help, handler.
 *
 * Layer: rpc. Argument checks, help, cairn-cli's conversions and completion all come from here. */
#ifndef RPC_METHOD_TABLE_H
#define RPC_METHOD_TABLE_H

#include "rpc/rpc_internal.h"

enum rpc_type {
    RPC_TYPE_NONE, /* ends the list */
    RPC_TYPE_STRING,
    RPC_TYPE_HEX,
    RPC_TYPE_NUMBER,
    RPC_TYPE_BOOL,
    RPC_TYPE_OBJECT,
    RPC_TYPE_ARRAY,
    RPC_TYPE_AMOUNT,    /* number or string */
    RPC_TYPE_VERBOSITY, /* number or bool: the handler checks */
    RPC_TYPE_OUTPUTS,   /* array or object: the handler checks */
    RPC_TYPE_LIST,      /* array, shown by its name alone */
    RPC_TYPE_OPTIONS,   /* object, shown by its name alone */
    RPC_TYPE_ANY,       /* JSON of any kind */
};

struct rpc_param {
    /* Alternatives separated by '|', the first is shown. Of options, behind ':', the members that
     * can also be given by name like parameters. */
    const char *name;
    enum rpc_type type;
    const char *fallback; /* NULL: required; else what it is if left out, "" for nothing */
    const char *help;
};

enum rpc_method_flag {
    RPC_HIDDEN = 1,    /* not in help's list: for tests */
    RPC_TEXT_ARGS = 2, /* cairn-cli passes arguments of any kind as strings */
    RPC_JSON_ARGS = 4, /* cairn-cli passes arguments of any kind as JSON */
    RPC_QUICK = 8,     /* done also where the server is full: to look, and to stop the node */
    RPC_LARGE = 16,    /* its answer may have megabytes: it waits until there is room */
    RPC_PURE = 32,     /* looks at its arguments alone: a job, where the request is long */
    RPC_GONE = 64,     /* it exists no more: its help says what to do instead, and nothing else */
    RPC_HIDES_ARGS = 128, /* they are taken for old clients, and not shown */
    RPC_OF_DEV = 512,       /* in help's list with -dev alone; none of Core's */
    RPC_TEXT_OPTIONS = 256, /* members of its options may be text, where they are no JSON */
};

struct rpc_method {
    const char *name, *category;
    enum rpc_progress (*handler)(struct rpc_call *call);
    int flags;
    const char *help;   /* what it does, in full sentences */
    const char *result; /* what it answers, as result_shape.h has it */
    struct rpc_param params[RPC_ARGS_MAX + 1];
};

/* The method of that name, or NULL. */
const struct rpc_method *method_find(const struct rpc_methods *methods, struct span name);

/* How many arguments a method takes at most. */
size_t method_params_max(const struct rpc_method *method);
/* How many it needs: those up to its last parameter without a fallback. */
size_t method_params_required(const struct rpc_method *method);
/* The parameter that has name among its alternatives, or -1. */
int method_param_find(const struct rpc_method *method, struct span name);
/* The parameter among whose members, as options, that name is, or -1. */
int method_option_find(const struct rpc_method *method, struct span name);

/* All of the help of one method. */
void method_write_help(const struct rpc_method *method, struct buffer *buffer);
/* The list of all methods by category, each as "getblock "blockhash" ( verbosity )".
 *
 * In:  with_dev  those of -dev too */
void method_write_list(const struct rpc_methods *methods, bool with_dev, struct buffer *buffer);

/* Check number and kinds of call->args against the table. On failure the call has failed as
 * Core would have it: -1 with the help, or -3. */
NODISCARD bool method_check_args(struct rpc_call *call);

#endif
