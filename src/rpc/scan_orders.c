/* scan_orders.c - see scan_orders.h. */
#include "rpc/scan_orders.h"

#include <stdlib.h>

enum {
    RANGE_END_DEFAULT = 1000,
    RANGE_MAX = 1000000, /* indexes of one descriptor */
    ARENA_BYTES = 1 << 16,
    DERIVING_BYTES = 4096,
    TEXT_BYTES_OF_KEY = 1000, /* so much of a descriptor counts as a key more */
};

int scan_compare_scripts(struct span a, struct span b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len ? memcmp(a.p, b.p, a.len) : 0;
}

bool scan_read_action(struct rpc_call *call, enum scan_action *action)
{
    static const char *const names[] = {
        [SCAN_START] = "start", [SCAN_ABORT] = "abort", [SCAN_STATUS] = "status"};
    const char *text = rpc_arg_string(call, 0, "");
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(text, names[i]) == 0) {
            *action = (enum scan_action)i;
            return true;
        }
    return rpc_refuse(call, RPC_INVALID_PARAMETER, "Invalid action '" RPC_TEXT "'", text);
}

void scan_orders_init(struct scan_orders *orders, const struct ec_context *ec)
{
    *orders = (struct scan_orders){.ec = ec};
    arena_init(&orders->arena, ARENA_BYTES);
}

void scan_orders_deinit(struct scan_orders *orders)
{
    arena_deinit(&orders->arena);
}

/* -- Reading ---------------------------------------------------------------------------------- */

static bool read_range_bounds(struct rpc_call *call, const struct json_value *range, int64_t *low,
                              int64_t *high)
{
    *low = 0;
    *high = RANGE_END_DEFAULT;
    if (!range || range->kind == JSON_KIND_NULL)
        return true;
    bool ok = false;
    if (range->kind == JSON_KIND_NUMBER)
        ok = json_integer_in(range, INT64_MIN, INT64_MAX, high);
    else if (range->kind == JSON_KIND_ARRAY && range->n == 2)
        ok = json_integer_in(json_at(range, 0), INT64_MIN, INT64_MAX, low) &&
             json_integer_in(json_at(range, 1), INT64_MIN, INT64_MAX, high);
    if (!ok)
        rpc_fail(call, RPC_INVALID_PARAMETER, "Range must be specified as end or as [begin,end]");
    else if (range->kind == JSON_KIND_ARRAY && *low > *high)
        rpc_fail(call, RPC_INVALID_PARAMETER,
                 "Range specified as [begin,end] must not have begin after end");
    return ok && !(range->kind == JSON_KIND_ARRAY && *low > *high);
}

bool rpc_read_range(struct rpc_call *call, const struct json_value *range, uint32_t *first,
                    uint32_t *last)
{
    int64_t low, high;
    if (!read_range_bounds(call, range, &low, &high))
        return false;
    const char *error = NULL;
    if (low < 0)
        error = "Range should be greater or equal than 0";
    else if (high < 0 || high > INT32_MAX)
        error = "End of range is too high";
    else if (high >= low + RANGE_MAX)
        error = "Range is too large";
    if (error)
        return rpc_refuse(call, RPC_INVALID_PARAMETER, "%s", error);
    *first = (uint32_t)low;
    *last = (uint32_t)high;
    return true;
}

/* Count what an order makes. */
static void count(struct scan_orders *orders, const struct scan_order *order, size_t text_len)
{
    uint64_t n_indexes = (uint64_t)order->last - order->first + 1;
    uint64_t n_keys = text_len / TEXT_BYTES_OF_KEY;
    for (size_t k = 0; k < order->list.n; k++)
        n_keys += desc_n_keys(order->list.variant[k]);
    orders->n_indexes += n_indexes * order->list.n;
    orders->n_keys += n_indexes * n_keys;
}

/* "desc", or {"desc": "...", "range": ...}. */
static bool read_order(struct rpc_call *call, const struct json_value *value,
                       struct scan_orders *orders, struct scan_order *order)
{
    const struct json_value *text = value, *range = NULL;
    if (value->kind == JSON_KIND_OBJECT) {
        text = json_find(value, "desc");
        range = json_find(value, "range");
        if (!text || text->kind == JSON_KIND_NULL)
            return rpc_refuse(call, RPC_INVALID_PARAMETER,
                              "Descriptor needs to be provided in scan object");
    } else if (value->kind != JSON_KIND_STRING) {
        return rpc_refuse(call, RPC_INVALID_PARAMETER,
                          "Scan object needs to be either a string or an object");
    }
    if (!rpc_expect_kind(call, text, JSON_KIND_STRING) ||
        !rpc_read_range(call, range, &order->first, &order->last))
        return false;
    if (!desc_parse(orders->ec, call->rpc->node->network, text->text, &orders->arena, &order->list))
        return rpc_refuse(call, RPC_INVALID_ADDRESS_OR_KEY, "%s", order->list.error);
    if (order->list.needs_secret)
        return rpc_refuse(call, RPC_INVALID_ADDRESS_OR_KEY,
                          "Cannot derive script without private keys: '%s'",
                          (const char *)text->text.p);
    if (!order->list.is_range)
        order->first = order->last = 0;
    count(orders, order, text->text.len);
    return true;
}

bool scan_orders_read(struct rpc_call *call, const struct json_value *objects,
                      struct scan_orders *orders)
{
    if (!objects)
        return rpc_refuse(call, RPC_MISC_ERROR,
                          "scanobjects argument is required for the start action");
    orders->at = arena_calloc(&orders->arena, objects->n + 1, sizeof *orders->at);
    for (const struct json_value *v = objects->first; v; v = v->next) {
        struct scan_order *order = &orders->at[orders->n++];
        if (!read_order(call, v, orders, order))
            return false;
        if (orders->n_indexes > SCAN_INDEXES_MAX || orders->n_keys > SCAN_KEYS_MAX)
            return rpc_refuse(call, RPC_INVALID_PARAMETER, "Range is too large");
    }
    return true;
}

/* -- Scripts ---------------------------------------------------------------------------------- */

static struct span keep(struct scan_orders *orders, struct span script)
{
    uint8_t *p = arena_alloc(&orders->arena, script.len + 1);
    if (script.len > 0)
        memcpy(p, script.p, script.len);
    return span_of(p, script.len);
}

/* What is derived on the way is a thousand times the script, where it has a thousand keys. */
static void derive_one(struct scan_orders *orders, const struct desc *desc, uint32_t index,
                       scan_script_fn *fn, void *arg)
{
    struct span scripts[DESC_SCRIPTS_MAX];
    struct arena arena;
    arena_init(&arena, DERIVING_BYTES);
    size_t n = desc_scripts(orders->ec, desc, index, &arena, scripts);
    ASSERT(n <= DESC_SCRIPTS_MAX);
    for (size_t i = 0; i < n; i++)
        fn(arg, &(struct scan_script){keep(orders, scripts[i]), desc, index, (uint32_t)i});
    arena_deinit(&arena);
}

void scan_orders_derive(struct scan_orders *orders, scan_script_fn *fn, void *arg)
{
    ASSERT(orders && fn);
    for (size_t i = 0; i < orders->n; i++) {
        const struct scan_order *order = &orders->at[i];
        ASSERT(order->first <= order->last);
        for (uint64_t index = order->first; index <= order->last; index++) {
            for (size_t k = 0; k < order->list.n; k++)
                derive_one(orders, order->list.variant[k], (uint32_t)index, fn, arg);
        }
    }
}

/* -- The scripts alone ------------------------------------------------------------------------- */

static void add_script(void *arg, const struct scan_script *made)
{
    struct scan_scripts *scripts = arg;
    *ARRAY_ADD(scripts) = made->script;
}

static int compare_spans(const void *a, const void *b)
{
    return scan_compare_scripts(*(const struct span *)a, *(const struct span *)b);
}

void scan_scripts_make(struct scan_orders *orders, struct scan_scripts *out)
{
    ASSERT(orders && out && out->n == 0);
    scan_orders_derive(orders, add_script, out);
    if (out->n > 0)
        qsort(out->at, out->n, sizeof out->at[0], compare_spans);
}

bool scan_scripts_have(const struct scan_scripts *scripts, struct span script)
{
    return scripts->n > 0 &&
           bsearch(&script, scripts->at, scripts->n, sizeof script, compare_spans) != NULL;
}

void scan_scripts_deinit(struct scan_scripts *scripts)
{
    ARRAY_FREE(scripts);
}
