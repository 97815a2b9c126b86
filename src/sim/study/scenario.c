/* scenario.c - see scenario.h */
#include "sim/study/scenario.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/parse.h"

#define NEAR_MAX 3 /* letters that a misspelt name may be off */

static const char *const topologies[] = {"own",  "random", "ring",  "line",
                                         "star", "full",   "links", NULL};
static const char *const geographies[] = {"none", "cities", NULL};
static const char *const transports[] = {"mixed", "v1", "v2", NULL};
static const char *const booleans[] = {"false", "true", NULL};

/* clang-format off */
const struct scenario_row scenario_rows[SCENARIO_FIELDS] = {
    [SCENARIO_SEED] = {"seed", NULL, "the same seed is the same run", 1, 0, INT64_MAX, NULL},
    [SCENARIO_NODES] = {"nodes", NULL, "nodes", 20, 2, SCENARIO_NODES_MAX, NULL},
    [SCENARIO_MINUTES] = {"minutes", NULL, "virtual minutes", 60, 1, 1000000, NULL},
    [SCENARIO_INTERVAL_S] = {"interval_s", "interval", "seconds between two blocks, on average",
                             60, 1, 1000000, NULL},
    [SCENARIO_TXS_PER_MINUTE] = {"txs_per_minute", "txs",
        "transactions a minute, each sent to a node at random",
                                 10, 0, 6000, NULL},
    [SCENARIO_TOPOLOGY] = {"topology", NULL,
        "who connects to whom", TOPOLOGY_OWN, 0, 0, topologies},
    [SCENARIO_OUTBOUND] = {"outbound", NULL,
        "connections that each node opens, with topology random",
                           8, 1, 1000, NULL},
    [SCENARIO_GEOGRAPHY] = {"geography", NULL,
        "where nodes are: latencies follow", GEOGRAPHY_NONE, 0, 0, geographies},
    [SCENARIO_LATENCY_MIN_MS] = {"latency_min_ms", "latency-min",
                                 "milliseconds one way, of the nearest pair, without geography",
        5, 0, 60000, NULL},
    [SCENARIO_LATENCY_MAX_MS] = {"latency_max_ms", "latency-max",
                                 "milliseconds one way, of the farthest pair, without geography",
        150, 0, 60000, NULL},
    [SCENARIO_JITTER_MS] = {"jitter_ms", "jitter",
        "milliseconds on top, at random", 5, 0, 60000, NULL},
    [SCENARIO_LOSS_PPM] = {"loss_ppm", "loss", "segments lost of a million", 1000, 0, 500000, NULL},
    [SCENARIO_RATE_KBYTES_PER_S] = {"rate_kbytes_per_s", "rate",
                                    "kilobytes a second of a stream; 0: no limit",
        1000, 0, 10000000, NULL},
    [SCENARIO_TRANSPORT] = {"transport", NULL,
        "what is encrypted; mixed: by two nodes of three", 0, 0, 0, transports},
    [SCENARIO_MINERS] = {"miners", NULL,
        "nodes that mine, the first ones; 0: all", 0, 0, SCENARIO_NODES_MAX, NULL},
    [SCENARIO_CHURN_PER_HOUR] = {"churn_per_hour", NULL,
        "nodes that stop in an hour, on average", 0, 0, 100000, NULL},
    [SCENARIO_DOWN_S] = {"down_s", NULL,
        "seconds until one that has stopped starts again", 300, 1, 1000000, NULL},
    [SCENARIO_SAMPLE_S] = {"sample_s", "sample",
        "seconds between two samples of the trace", 60, 1, 1000000, NULL},
    [SCENARIO_SHARED_CACHE] = {"shared_cache", NULL,
                               "a script that one node has checked, others look up: only faster",
        1, 0, 0, booleans},
};
/* clang-format on */

void scenario_init(struct scenario *scenario)
{
    ASSERT(scenario);
    *scenario = (struct scenario){.name = "cairn-sim"};
    for (size_t i = 0; i < SCENARIO_FIELDS; i++)
        scenario->value[i] = scenario_rows[i].value;
}

void scenario_deinit(struct scenario *scenario)
{
    ASSERT(scenario);
    for (size_t i = 0; i < scenario->partitions.n; i++)
        ARRAY_FREE(&scenario->partitions.at[i].sides);
    ARRAY_FREE(&scenario->partitions);
    ARRAY_FREE(&scenario->links);
    ARRAY_FREE(&scenario->machines);
    ARRAY_FREE(&scenario->attackers);
}

/* -- Names ------------------------------------------------------------------------------------ */

static bool is_name(const char *name, const char *text, size_t len)
{
    if (!name || strlen(name) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((name[i] == '_' ? '-' : name[i]) != (text[i] == '_' ? '-' : text[i]))
            return false;
    return true;
}

enum scenario_field scenario_find(const char *name, size_t len)
{
    ASSERT(name);
    for (size_t i = 0; i < SCENARIO_FIELDS; i++)
        if (is_name(scenario_rows[i].name, name, len) || is_name(scenario_rows[i].old, name, len))
            return (enum scenario_field)i;
    return SCENARIO_FIELDS;
}

/* The number of a word of a row; -1: it is none. */
static int64_t word_of(const struct scenario_row *row, const char *word)
{
    for (size_t i = 0; row->words[i]; i++)
        if (strcmp(row->words[i], word) == 0)
            return (int64_t)i;
    return -1;
}

/* Letters to be put in, taken out or changed: Levenshtein's distance, of names up to 63 bytes. */
static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(b), row[64];
    if (n > 63)
        return SIZE_MAX;
    for (size_t i = 0; i <= n; i++)
        row[i] = i;
    for (size_t k = 1; *a; a++, k++) {
        size_t corner = row[0];
        row[0] = k;
        for (size_t i = 1; i <= n; i++) {
            size_t change = corner + (*a != b[i - 1]), other = 1 + MIN_OF(row[i], row[i - 1]);
            corner = row[i];
            row[i] = MIN_OF(change, other);
        }
    }
    return row[n];
}

const char *scenario_near(const char *name, const char *const *names, size_t n)
{
    ASSERT(name && names);
    const char *best = NULL;
    size_t least = NEAR_MAX + 1;
    for (size_t i = 0; i < n; i++) {
        size_t d = names[i] ? distance(name, names[i]) : SIZE_MAX;
        if (d < least) {
            least = d;
            best = names[i];
        }
    }
    return best;
}

/* -- Values ----------------------------------------------------------------------------------- */

static void tell_words(const struct scenario_row *row, const char *text, char *error)
{
    int n = snprintf(error, SCENARIO_ERROR_BYTES, "%s is \"%.40s\", but must be one of", row->name,
                     text);
    for (size_t i = 0; row->words[i] && n > 0 && n < SCENARIO_ERROR_BYTES; i++)
        n += snprintf(error + n, SCENARIO_ERROR_BYTES - (size_t)n, "%s %s", i ? "," : "",
                      row->words[i]);
}

bool scenario_set(struct scenario *scenario, enum scenario_field field, const char *text,
                  char error[SCENARIO_ERROR_BYTES])
{
    ASSERT(scenario && field < SCENARIO_FIELDS && text);
    const struct scenario_row *row = &scenario_rows[field];
    int64_t value = 0;
    scenario->is_given[field] = true;
    if (row->words) {
        value = word_of(row, text);
        if (value < 0)
            tell_words(row, text, error);
        scenario->value[field] = value;
        return value >= 0;
    }
    if (!parse_int64(text, &value) || value < row->min || value > row->max) {
        snprintf(error, SCENARIO_ERROR_BYTES,
                 "%s is \"%.40s\", but must be a number from %" PRId64 " to %" PRId64, row->name,
                 text, row->min, row->max);
        return false;
    }
    scenario->value[field] = value;
    return true;
}

/* The field of a list that names a node which there is not; NULL: all are there. */
static const char *find_stranger(const struct scenario *s, uint32_t *node)
{
    uint32_t n = (uint32_t)s->value[SCENARIO_NODES];
    for (size_t i = 0; i < s->links.n; i++)
        if ((*node = MAX_OF(s->links.at[i].from, s->links.at[i].to)) >= n)
            return "links";
    for (size_t i = 0; i < s->machines.n; i++)
        if ((*node = s->machines.at[i].node) >= n)
            return "machines";
    for (size_t i = 0; i < s->attackers.n; i++)
        if ((*node = s->attackers.at[i].node) >= n)
            return "attackers";
    for (size_t i = 0; i < s->partitions.n; i++)
        for (size_t k = 0; k < s->partitions.at[i].sides.n; k++)
            if ((*node = s->partitions.at[i].sides.at[k].from) >= n)
                return "partitions";
    return NULL;
}

bool scenario_is_private(const struct scenario *scenario, size_t node)
{
    ASSERT(scenario);
    for (size_t i = 0; i < scenario->attackers.n; i++)
        if (scenario->attackers.at[i].node == node &&
            strcmp(scenario->attackers.at[i].kind, "selfish") == 0)
            return true;
    return false;
}

/* What is wrong with the attackers. */
static void check_attackers(const struct scenario *s, char *error)
{
    unsigned n_selfish = 0;
    for (size_t i = 0; i < s->attackers.n; i++) {
        const struct scenario_attacker *attacker = &s->attackers.at[i];
        bool has_target = strcmp(attacker->kind, "eclipse") == 0;
        n_selfish += strcmp(attacker->kind, "selfish") == 0;
        if (has_target != (attacker->target != SCENARIO_NO_TARGET))
            snprintf(error, SCENARIO_ERROR_BYTES, "attackers: eclipse has a target, %s",
                     has_target ? "which is missing" : "the others have none");
        else if (has_target && (attacker->target >= (uint32_t)s->value[SCENARIO_NODES] ||
                                scenario_is_private(s, attacker->target)))
            snprintf(error, SCENARIO_ERROR_BYTES, "attackers: target: node %u cannot be reached",
                     attacker->target);
        for (size_t k = 0; k < i && !error[0]; k++)
            if (s->attackers.at[k].node == attacker->node)
                snprintf(error, SCENARIO_ERROR_BYTES, "attackers: node %u is there twice",
                         attacker->node);
    }
    if (n_selfish > 0 && s->value[SCENARIO_NODES] < 2)
        snprintf(error, SCENARIO_ERROR_BYTES, "attackers: selfish needs another node");
    if (n_selfish > 1)
        snprintf(error, SCENARIO_ERROR_BYTES, "attackers: selfish: no more than one");
}

bool scenario_check(const struct scenario *scenario, char error[SCENARIO_ERROR_BYTES])
{
    ASSERT(scenario);
    const int64_t *value = scenario->value;
    uint32_t node;
    const char *field = find_stranger(scenario, &node);
    error[0] = '\0';
    if (field)
        snprintf(error, SCENARIO_ERROR_BYTES, "%s: there is no node %u, as nodes is %" PRId64,
                 field, node, value[SCENARIO_NODES]);
    else if (value[SCENARIO_MINERS] > value[SCENARIO_NODES])
        snprintf(error, SCENARIO_ERROR_BYTES, "miners: there are no more than %" PRId64 " nodes",
                 value[SCENARIO_NODES]);
    else if (scenario->links.n > 0 && value[SCENARIO_TOPOLOGY] != TOPOLOGY_LINKS)
        snprintf(error, SCENARIO_ERROR_BYTES, "links: topology must be \"links\"");
    else if (value[SCENARIO_TOPOLOGY] == TOPOLOGY_RANDOM &&
             value[SCENARIO_OUTBOUND] * 2 > value[SCENARIO_NODES] - 1)
        snprintf(error, SCENARIO_ERROR_BYTES,
                 "outbound: %" PRId64 " nodes cannot have %" PRId64
                 " outbound connections each: no more than one between two",
                 value[SCENARIO_NODES], value[SCENARIO_OUTBOUND]);
    else
        check_attackers(scenario, error);
    return error[0] == '\0';
}
