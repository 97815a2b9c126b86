/* geography.h - cities, and how long bytes take from one to another.
 *
 * Layer: sim. Pure. */
#ifndef SIM_STUDY_GEOGRAPHY_H
#define SIM_STUDY_GEOGRAPHY_H

#include <stddef.h>
#include <stdint.h>

struct city {
    const char *name;
    int32_t lat_centi, lon_centi; /* hundredths of a degree, north and east */
    uint32_t share;               /* of the nodes, as a guess: about where reachable ones are */
};

/* Cities there are. */
size_t geography_count(void);
/* The i-th. */
const struct city *geography_city(size_t i);
/* The one of that name; -1: there is none. */
int geography_find(const char *name);
/* One way between two of them. */
int64_t geography_latency_us(size_t a, size_t b);
/* A city drawn by the shares, from a random number. */
size_t geography_draw(uint64_t random);

#endif
