/* run_events.c - see run_events.h */
#include "sim/report/run_events.h"

#include "sim/report/run_reach.h"
#include "util/hex.h"
#include "util/utf8.h"

#define TIME_US_MAX  (INT64_C(1) << 50) /* 35 years */
#define COUNT_MAX    (INT64_C(1) << 53) /* what every reader of JSON knows exactly */
#define VALUE_MAX    100                /* bytes of a parameter's name or value that are kept */
#define DECIMALS_MAX 12                 /* of a fraction; the sixth is the last that counts */

struct line {
    struct run *run;
    const struct json_value *json;
    char **error;
};

/* -- Members ------------------------------------------------------------------------------------
 */

static bool read_count(struct line *line, const char *name, int64_t max, int64_t *out)
{
    const struct json_value *json = json_find(line->json, name);
    if (json && json_integer_in(json, 0, max, out))
        return true;
    return fail_with(line->error, "\"%s\" is missing or no whole number from 0 to %lld", name,
                     (long long)max);
}

/* A fraction in millionths. */
static bool read_e6(struct line *line, const char *name, int64_t *out_e6)
{
    int64_t value;
    const struct json_value *json = json_find(line->json, name);
    if (!json || json->kind != JSON_KIND_NUMBER || !json_fixed_point(json, DECIMALS_MAX, &value))
        return fail_with(line->error, "\"%s\" is missing or no number", name);
    *out_e6 = value / 1000000;
    return true;
}

static bool read_node(struct line *line, const char *name, uint32_t *out)
{
    int64_t node;
    if (!read_count(line, name, RUN_NODES_MAX - 1, &node))
        return false;
    if ((size_t)node >= line->run->nodes.n)
        return fail_with(line->error, "\"%s\" is %lld, but there are %zu nodes", name,
                         (long long)node, line->run->nodes.n);
    *out = (uint32_t)node;
    return true;
}

static bool read_hash(struct line *line, const char *name, uint8_t out[32])
{
    const struct json_value *json = json_find(line->json, name);
    if (json && json->kind == JSON_KIND_STRING &&
        hex_decode(out, 32, (const char *)json->text.p, json->text.len))
        return true;
    return fail_with(line->error, "\"%s\" is missing or not 64 hexadecimal digits", name);
}

/* The number of a name in one of the run's tables; fallback if the member is missing. */
static bool read_name(struct line *line, const char *name, struct names *names,
                      const char *fallback, uint32_t *out)
{
    const struct json_value *json = json_find(line->json, name);
    if (json && json->kind != JSON_KIND_STRING)
        return fail_with(line->error, "\"%s\" is no string", name);
    size_t max = names == &line->run->places ? RUN_PLACES_MAX : RUN_ROLES_MAX;
    if (names_add(names, json ? json->text : span_of_string(fallback), max, out))
        return true;
    return fail_with(line->error, "\"%s\" is empty, too long, or the %zuth of its sort", name,
                     max + 1);
}

/* -- The first line -----------------------------------------------------------------------------
 */

/* A copy of at most VALUE_MAX bytes, cut between characters. */
static char *shorten(struct span text)
{
    size_t len = 0;
    while (len < text.len) {
        size_t step = utf8_sequence_bytes(span_of(text.p + len, text.len - len));
        if (step == 0 || len + step > VALUE_MAX)
            break;
        len += step;
    }
    char *copy = xmalloc(len + 1);
    memcpy(copy, text.p, len);
    copy[len] = 0;
    return copy;
}

static void keep_parameter(struct run *run, const struct json_value *json)
{
    bool is_told = json->kind == JSON_KIND_NUMBER || json->kind == JSON_KIND_STRING ||
                   json->kind == JSON_KIND_BOOL;
    bool is_frame =
        span_equal(json->name, span_of("t", 1)) || span_equal(json->name, span_of("ev", 2)) ||
        span_equal(json->name, span_of("format", 6)) || span_equal(json->name, span_of("name", 4));
    if (!is_told || is_frame || run->parameters.n == RUN_PARAMETERS_MAX)
        return;
    struct span value = json->kind != JSON_KIND_BOOL ? json->text
                        : json->boolean              ? span_of_string("yes")
                                                     : span_of_string("no");
    *ARRAY_ADD(&run->parameters) =
        (struct run_parameter){.name = shorten(json->name), .value = shorten(value)};
}

static bool add_nodes(struct line *line, size_t n)
{
    struct run *run = line->run;
    uint32_t honest;
    if (!names_add(&run->roles, span_of_string("honest"), RUN_ROLES_MAX, &honest))
        return fail_with(line->error, "too many roles");
    while (run->nodes.n < n) {
        *ARRAY_ADD(&run->nodes) = (struct run_node){.power_e6 = 1000000,
                                                    .up_since_us = run->t_us,
                                                    .role = honest,
                                                    .is_up = true,
                                                    .is_honest = true};
        run->n_up++;
    }
    return true;
}

static bool on_run(struct line *line)
{
    struct run *run = line->run;
    int64_t format, n;
    if (run->has_begun)
        return fail_with(line->error, "a second event \"run\"");
    if (!read_count(line, "format", COUNT_MAX, &format) ||
        !read_count(line, "nodes", RUN_NODES_MAX, &n))
        return false;
    if (format != RUN_FORMAT)
        return fail_with(line->error, "the trace has format %lld; this program reads %d",
                         (long long)format, RUN_FORMAT);
    const struct json_value *seed = json_find(line->json, "seed");
    if (seed && !json_integer_in(seed, 0, INT64_MAX, &run->seed))
        return fail_with(line->error, "\"seed\" is no whole number");
    const struct json_value *name = json_find(line->json, "name");
    run->name = name && name->kind == JSON_KIND_STRING && name->text.len > 0 ? shorten(name->text)
                                                                             : xstrdup("run");
    for (const struct json_value *json = line->json->first; json; json = json->next)
        keep_parameter(run, json);
    run->has_begun = true;
    return add_nodes(line, (size_t)n);
}

/* -- Nodes and links ----------------------------------------------------------------------------
 */

static bool read_place(struct line *line, struct run_node *node)
{
    int64_t lat, lon;
    if (!json_find(line->json, "lat"))
        return true;
    if (!read_e6(line, "lat", &lat) || !read_e6(line, "lon", &lon) ||
        !read_name(line, "place", &line->run->places, "elsewhere", &node->place))
        return false;
    if (lat < -90000000 || lat > 90000000 || lon < -180000000 || lon > 180000000)
        return fail_with(line->error, "\"lat\" or \"lon\" is not on earth");
    node->lat_e6 = (int32_t)lat;
    node->lon_e6 = (int32_t)lon;
    node->has_place = line->run->has_geography = true;
    return true;
}

static bool on_node(struct line *line)
{
    struct run *run = line->run;
    int64_t id;
    if (!read_count(line, "node", RUN_NODES_MAX - 1, &id) || !add_nodes(line, (size_t)id + 1))
        return false;
    struct run_node *node = &run->nodes.at[id];
    if (!read_name(line, "role", &run->roles, "honest", &node->role) || !read_place(line, node))
        return false;
    node->is_honest = strcmp(names_get(&run->roles, node->role), "honest") == 0;
    return !json_find(line->json, "power") || read_e6(line, "power", &node->power_e6);
}

static bool add_link(struct line *line, int32_t change)
{
    struct run *run = line->run;
    struct run_link link = {.change = change};
    if (!read_node(line, "from", &link.from) || !read_node(line, "to", &link.to))
        return false;
    if (run->links.n == RUN_LINKS_MAX)
        run_sum_links(run);
    if (run->links.n == RUN_LINKS_MAX)
        return fail_with(line->error, "more than %d connections", RUN_LINKS_MAX);
    *ARRAY_ADD(&run->links) = link;
    return true;
}

static bool on_link(struct line *line)
{
    return add_link(line, 1);
}

static bool on_unlink(struct line *line)
{
    return add_link(line, -1);
}

static bool on_down(struct line *line)
{
    uint32_t node;
    if (!read_node(line, "node", &node))
        return false;
    if (!line->run->nodes.at[node].is_up)
        return fail_with(line->error, "node %u goes down a second time", node);
    run_reach_down(line->run, node);
    line->run->nodes.at[node].is_up = false;
    line->run->n_up--;
    line->run->n_downs++;
    return true;
}

static bool on_up(struct line *line)
{
    uint32_t node;
    if (!read_node(line, "node", &node))
        return false;
    if (line->run->nodes.at[node].is_up)
        return fail_with(line->error, "node %u comes up, but it is not down", node);
    line->run->nodes.at[node].is_up = true;
    line->run->nodes.at[node].up_since_us = line->run->t_us;
    line->run->n_up++;
    return true;
}

/* -- Blocks and transactions --------------------------------------------------------------------
 */

static bool on_mined(struct line *line)
{
    struct run *run = line->run;
    uint8_t hash[32], parent[32];
    uint32_t miner;
    int64_t height, n_txs, bytes;
    if (!read_node(line, "node", &miner) || !read_count(line, "height", INT32_MAX, &height) ||
        !read_hash(line, "hash", hash) || !read_hash(line, "parent", parent) ||
        !read_count(line, "txs", COUNT_MAX, &n_txs) ||
        !read_count(line, "bytes", COUNT_MAX, &bytes))
        return false;
    if (run_find_block(run, hash))
        return fail_with(line->error, "this block was mined before");
    if (run->blocks.n == RUN_BLOCKS_MAX)
        return fail_with(line->error, "more than %d blocks", RUN_BLOCKS_MAX);
    struct run_block *block = run_add_block(run, hash);
    block->parent = run_find_block(run, parent);
    if (block->parent && block->parent->height + 1 != (uint32_t)height)
        return fail_with(line->error, "height %lld, but its parent's is %u", (long long)height,
                         block->parent->height);
    if (block->parent)
        block->parent->n_children++;
    block->mined_us = run->t_us;
    block->height = (uint32_t)height;
    block->miner = miner;
    block->n_txs = (uint64_t)n_txs;
    block->bytes = (uint64_t)bytes;
    return run_reach_mined(run, block) ||
           fail_with(line->error, "too many blocks that few nodes have");
}

static bool on_tip(struct line *line)
{
    uint8_t hash[32];
    uint32_t node;
    if (!read_node(line, "node", &node) || !read_hash(line, "hash", hash))
        return false;
    run_reach_tip(line->run, node, run_find_block(line->run, hash));
    return true;
}

static bool on_tx(struct line *line)
{
    uint32_t node;
    line->run->n_txs_sent++;
    return read_node(line, "node", &node);
}

/* -- Samples, faults, attacks -------------------------------------------------------------------
 */

static bool read_traffic(struct line *line, struct run_sample *sample)
{
    const struct json_value *traffic = json_find(line->json, "traffic");
    if (!traffic || traffic->kind != JSON_KIND_OBJECT)
        return fail_with(line->error, "\"traffic\" is missing or no object");
    for (const struct json_value *json = traffic->first; json; json = json->next) {
        int64_t bytes;
        uint32_t type;
        if (!json_integer_in(json, 0, COUNT_MAX, &bytes))
            return fail_with(line->error, "\"traffic\" holds something that is no number of bytes");
        if (!names_add(&line->run->types, json->name, RUN_TYPES_MAX, &type))
            return fail_with(line->error, "more than %d types of message, or a long name of one",
                             RUN_TYPES_MAX);
        sample->bytes[type] += (uint64_t)bytes;
    }
    return true;
}

static bool read_mempool(struct line *line, struct run_sample *sample)
{
    const struct json_value *mempool = json_find(line->json, "mempool");
    bool ok = mempool && mempool->kind == JSON_KIND_ARRAY && mempool->n == 3;
    for (size_t i = 0; ok && i < 3; i++)
        ok = json_integer_in(json_at(mempool, i), 0, COUNT_MAX, &sample->mempool[i]);
    return ok || fail_with(line->error, "\"mempool\" is missing or not three whole numbers");
}

static bool on_sample(struct line *line)
{
    struct run *run = line->run;
    struct run_sample sample = {.t_us = run->t_us, .n_up = run->n_up, .agreement_e6 = -1};
    int64_t n_tips, agreement;
    if (run->samples.n == RUN_SAMPLES_MAX)
        return fail_with(line->error, "more than %d samples", RUN_SAMPLES_MAX);
    if (!read_count(line, "tips", RUN_NODES_MAX, &n_tips) || !read_mempool(line, &sample) ||
        !read_traffic(line, &sample))
        return false;
    sample.n_tips = (uint32_t)n_tips;
    if (json_find(line->json, "agreement")) {
        if (!read_e6(line, "agreement", &agreement))
            return false;
        if (agreement < 0 || agreement > 1000000)
            return fail_with(line->error, "\"agreement\" is not between 0 and 1");
        sample.agreement_e6 = (int32_t)agreement;
    }
    *ARRAY_ADD(&run->samples) = sample;
    return true;
}

static void end_partition(struct run *run)
{
    if (run->partitions.n > 0 && run->partitions.at[run->partitions.n - 1].to_us < 0)
        run->partitions.at[run->partitions.n - 1].to_us = run->t_us;
}

static bool on_partition(struct line *line)
{
    struct run *run = line->run;
    const struct json_value *groups = json_find(line->json, "groups");
    if (!groups || groups->kind != JSON_KIND_ARRAY)
        return fail_with(line->error, "\"groups\" is missing or no array");
    if (run->partitions.n == RUN_MARKS_MAX)
        return fail_with(line->error, "more than %d partitions", RUN_MARKS_MAX);
    end_partition(run);
    *ARRAY_ADD(&run->partitions) =
        (struct run_partition){.from_us = run->t_us, .to_us = -1, .n_groups = groups->n};
    return true;
}

static bool on_heal(struct line *line)
{
    end_partition(line->run);
    return true;
}

static bool on_attack(struct line *line)
{
    struct run *run = line->run;
    struct run_attack attack = {.t_us = run->t_us};
    if (!read_node(line, "node", &attack.node) ||
        !read_name(line, "kind", &run->kinds, "attack", &attack.kind) ||
        !read_name(line, "what", &run->whats, "acts", &attack.what))
        return false;
    if (run->attacks.n == RUN_MARKS_MAX)
        return fail_with(line->error, "more than %d acts of attackers", RUN_MARKS_MAX);
    *ARRAY_ADD(&run->attacks) = attack;
    return true;
}

static bool on_end(struct line *line)
{
    const struct json_value *agreed = json_find(line->json, "agreed");
    line->run->has_agreed = agreed && agreed->kind == JSON_KIND_BOOL && agreed->boolean;
    line->run->has_ended = true;
    return read_count(line, "txs_mined", COUNT_MAX, &line->run->n_txs_mined) &&
           read_count(line, "bytes", COUNT_MAX, &line->run->n_bytes);
}

/* -- Dispatch -----------------------------------------------------------------------------------
 */

/* clang-format off */
static const struct {
    const char *name;
    bool (*apply)(struct line *line);
} events[] = {
    {"tip", on_tip},
    {"tx", on_tx},
    {"link", on_link},
    {"unlink", on_unlink},
    {"mined", on_mined},
    {"sample", on_sample},
    {"node", on_node},
    {"down", on_down},
    {"up", on_up},
    {"partition", on_partition},
    {"heal", on_heal},
    {"attack", on_attack},
    {"run", on_run},
    {"end", on_end},
};
/* clang-format on */

bool run_apply(struct run *run, const struct json_value *json, char **error)
{
    ASSERT(run && json && error);
    struct line line = {.run = run, .json = json, .error = error};
    const struct json_value *event = json_find(json, "ev");
    int64_t t_us;
    if (!event || event->kind != JSON_KIND_STRING)
        return fail_with(error, "\"ev\" is missing or no string");
    if (!run->has_begun && !json_text_is(event, "run"))
        return fail_with(error, "the first event of a trace is \"run\", not this");
    if (run->has_ended)
        return fail_with(error, "something comes behind the event \"end\"");
    if (!read_e6(&line, "t", &t_us))
        return false;
    if (t_us < run->t_us || t_us > TIME_US_MAX)
        return fail_with(error, "the time goes back, or far beyond any run");
    run->t_us = t_us;
    for (size_t i = 0; i < COUNT_OF(events); i++)
        if (json_text_is(event, events[i].name))
            return events[i].apply(&line);
    return true;
}
