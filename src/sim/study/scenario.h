/* scenario.h - what a run of cairn-sim is made of: fields with defaults and limits.
 *
 * Layer: sim. A field is a member of the scenario file and an option of the command line, by the
 * same name with '-' for '_'. scenario_read.h reads the file. */
#ifndef SIM_STUDY_SCENARIO_H
#define SIM_STUDY_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/array.h"

#define SCENARIO_NODES_MAX   10000
#define SCENARIO_LINKS_MAX   1000000
#define SCENARIO_NAME_BYTES  64
#define SCENARIO_PATH_BYTES  1024
#define SCENARIO_ERROR_BYTES 400
#define SCENARIO_NO_TARGET   UINT32_MAX

enum scenario_field {
    SCENARIO_SEED,
    SCENARIO_NODES,
    SCENARIO_MINUTES,
    SCENARIO_INTERVAL_S,
    SCENARIO_TXS_PER_MINUTE,
    SCENARIO_TOPOLOGY,
    SCENARIO_OUTBOUND,
    SCENARIO_GEOGRAPHY,
    SCENARIO_LATENCY_MIN_MS,
    SCENARIO_LATENCY_MAX_MS,
    SCENARIO_JITTER_MS,
    SCENARIO_LOSS_PPM,
    SCENARIO_RATE_KBYTES_PER_S,
    SCENARIO_TRANSPORT,
    SCENARIO_MINERS,
    SCENARIO_CHURN_PER_HOUR,
    SCENARIO_DOWN_S,
    SCENARIO_SAMPLE_S,
    SCENARIO_SHARED_CACHE,
    SCENARIO_FIELDS
};

enum scenario_topology {
    TOPOLOGY_OWN,    /* nodes find one another, one being named to each */
    TOPOLOGY_RANDOM, /* each has so many outbound connections, to nodes at random */
    TOPOLOGY_RING,
    TOPOLOGY_LINE,
    TOPOLOGY_STAR, /* around the first */
    TOPOLOGY_FULL,
    TOPOLOGY_LINKS, /* those that are listed */
};

enum scenario_geography { GEOGRAPHY_NONE, GEOGRAPHY_CITIES };

/* From the first, to the second. */
struct scenario_link {
    uint32_t from, to;
};

/* What is special about a node. */
struct scenario_machine {
    uint32_t node;
    int place;           /* of geography.h; -1: as drawn */
    int64_t power_milli; /* share of mining, in thousandths of an ordinary miner's; -1: as ever */
    int64_t rate_kbytes_per_s; /* 0: as all */
};

/* Nodes are parted from some second on, until another. */
struct scenario_partition {
    int64_t from_s, to_s;
    ARRAY(struct scenario_link) sides; /* {node, group}; who is not named is in group 0 */
};

struct scenario_attacker {
    uint32_t node, target; /* target: of eclipse alone; else SCENARIO_NO_TARGET */
    char kind[16];         /* selfish, eclipse, stall, lie */
};

struct scenario {
    char name[SCENARIO_NAME_BYTES];
    char chain[SCENARIO_PATH_BYTES]; /* a chain file: see node/chain_file.h; "": regtest */
    int64_t value[SCENARIO_FIELDS];
    bool is_given[SCENARIO_FIELDS];
    ARRAY(struct scenario_link) links;
    ARRAY(struct scenario_machine) machines;
    ARRAY(struct scenario_partition) partitions;
    ARRAY(struct scenario_attacker) attackers;
};

/* One field as it is read and documented. */
struct scenario_row {
    const char *name, *old; /* old: another name, as an option; or NULL */
    const char *help;
    int64_t value, min, max;  /* value: if it is not given; both limits are allowed */
    const char *const *words; /* of the values from 0 on, NULL-terminated; NULL: a number */
};

/* SCENARIO_FIELDS of them. */
extern const struct scenario_row scenario_rows[SCENARIO_FIELDS];

/* Is that node the private one of a selfish miner, which no other node reaches? */
bool scenario_is_private(const struct scenario *scenario, size_t node);
/* All defaults. */
void scenario_init(struct scenario *scenario);
/* Free what its lists own. */
void scenario_deinit(struct scenario *scenario);
/* The row of that name of len bytes, '-' and '_' being the same; SCENARIO_FIELDS: none. */
enum scenario_field scenario_find(const char *name, size_t len);
/* The name among n that looks most like one that is none of them; NULL: nothing does. */
const char *scenario_near(const char *name, const char *const *names, size_t n);
/* Set a field from an option's text. False, with a line in error, if it is none of its values. */
NODISCARD bool scenario_set(struct scenario *scenario, enum scenario_field field, const char *text,
                            char error[SCENARIO_ERROR_BYTES]);
/* What no field can say alone. False, with a line in error. */
NODISCARD bool scenario_check(const struct scenario *scenario, char error[SCENARIO_ERROR_BYTES]);

#endif
