/* address_orders.c - see address_orders.h. */
#include "rpc/address_orders.h"

#include <stdio.h>
#include <stdlib.h>

#include "consensus/key_io.h"
#include "crypto/hash.h"
#include "util/hex.h"

void address_orders_init(struct address_orders *orders, const struct ec_context *ec)
{
    *orders = (struct address_orders){0};
    scan_orders_init(&orders->orders, ec);
}

void address_orders_deinit(struct address_orders *orders)
{
    scan_orders_deinit(&orders->orders);
    ARRAY_FREE(&orders->scripts);
}

static void add_script(void *arg, const struct scan_script *made)
{
    struct address_orders *orders = arg;
    struct address_script *script = ARRAY_ADD(&orders->scripts);
    *script = (struct address_script){
        .script = made->script, .desc = made->desc, .index = made->index, .at = made->at};
    sha256(made->script, script->hash.b);
}

/* As Electrum shows it: the SHA-256 of the script, its bytes in the opposite order. */
static bool add_hash(struct rpc_call *call, const struct json_value *value,
                     struct address_orders *orders)
{
    struct address_script script = {0};
    if (!rpc_read_id(call, value, "scripthash", script.hash.b))
        return false;
    *ARRAY_ADD(&orders->scripts) = script;
    orders->n_unknown++;
    return true;
}

/* An address is the descriptor addr() of it. */
static struct json_value *as_descriptor(struct rpc_call *call, const struct json_value *value)
{
    struct json_value *copy = arena_calloc(&call->arena, 1, sizeof *copy);
    uint8_t script[ADDRESS_SCRIPT_MAX];
    size_t script_len;
    *copy = *value;
    copy->next = NULL;
    if (value->kind != JSON_KIND_STRING ||
        !address_decode(call->rpc->node->network, (const char *)value->text.p, script, &script_len,
                        NULL))
        return copy;
    size_t len = value->text.len + sizeof "addr()";
    char *text = arena_calloc(&call->arena, 1, len);
    snprintf(text, len, "addr(%s)", (const char *)value->text.p);
    copy->text = span_of(text, len - 1);
    return copy;
}

/* Hashes are taken as they are; the rest becomes a list of descriptors. */
static bool sort_orders(struct rpc_call *call, const struct json_value *first,
                        struct address_orders *orders, struct json_value *descriptors)
{
    struct json_value **end = &descriptors->first;
    for (const struct json_value *value = first; value; value = value->next) {
        const struct json_value *hash = json_find(value, "scripthash");
        if (hash) {
            if (!add_hash(call, hash, orders))
                return false;
            continue;
        }
        *end = as_descriptor(call, value);
        end = &(*end)->next;
        descriptors->n++;
    }
    return true;
}

static int compare_scripts(const void *a, const void *b)
{
    const struct address_script *x = a, *y = b;
    int order = scan_compare_scripts(x->script, y->script);
    return order ? order : memcmp(x->hash.b, y->hash.b, sizeof x->hash.b);
}

/* In order, each once: a script asked for twice would be counted twice. */
static void tidy(struct address_orders *orders)
{
    size_t n = 0;
    if (orders->scripts.n > 0)
        qsort(orders->scripts.at, orders->scripts.n, sizeof orders->scripts.at[0], compare_scripts);
    for (size_t i = 0; i < orders->scripts.n; i++) {
        const struct address_script *script = &orders->scripts.at[i];
        if (n > 0 && compare_scripts(&orders->scripts.at[n - 1], script) == 0) {
            orders->n_unknown -= script->script.len == 0;
            continue;
        }
        orders->scripts.at[n++] = *script;
    }
    orders->scripts.n = n;
}

bool address_orders_read(struct rpc_call *call, struct address_orders *orders)
{
    const struct json_value *arg = rpc_arg(call, 0);
    struct json_value descriptors = {.kind = JSON_KIND_ARRAY};
    if (!arg)
        return rpc_refuse(call, RPC_INVALID_PARAMETER, "Which addresses? None is given");
    struct json_value one = *arg;
    one.next = NULL;
    if (!sort_orders(call, arg->kind == JSON_KIND_ARRAY ? arg->first : &one, orders,
                     &descriptors) ||
        !scan_orders_read(call, &descriptors, &orders->orders))
        return false;
    bool is_bounded = orders->orders.n_indexes + orders->n_unknown <= ADDRESS_SCRIPTS_MAX;
    if (is_bounded)
        scan_orders_derive(&orders->orders, add_script, orders);
    if (!is_bounded || orders->scripts.n > ADDRESS_SCRIPTS_MAX)
        return rpc_refuse(call, RPC_INVALID_PARAMETER, "More than %d scripts: ask for less",
                          ADDRESS_SCRIPTS_MAX);
    tidy(orders);
    return true;
}

static int compare_to_script(const void *script, const void *at)
{
    return scan_compare_scripts(*(const struct span *)script,
                                ((const struct address_script *)at)->script);
}

const struct address_script *address_orders_find(const struct address_orders *orders,
                                                 struct span script)
{
    ASSERT(orders->n_unknown <= orders->scripts.n);
    size_t n = orders->scripts.n - orders->n_unknown;
    const struct address_script *known = orders->scripts.at + orders->n_unknown;
    const struct address_script *found =
        n ? bsearch(&script, known, n, sizeof *known, compare_to_script) : NULL;
    struct script_hash hash;
    if (found || orders->n_unknown == 0)
        return found;
    sha256(script, hash.b);
    for (size_t i = 0; i < orders->n_unknown; i++)
        if (memcmp(orders->scripts.at[i].hash.b, hash.b, sizeof hash.b) == 0)
            return &orders->scripts.at[i];
    return NULL;
}
