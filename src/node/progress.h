/* progress.h - how a catch-up is going, and the line that tells it.
 *
 * Layer: node. Pure: fed with the time and the tip, gives rates over the last half minute. Figures
 * for people alone: nothing is decided by them. */
#ifndef NODE_PROGRESS_H
#define NODE_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

#include "util/assert.h"

#define PROGRESS_SAMPLES    32
#define PROGRESS_LINE_BYTES 192

struct progress_sample {
    int64_t now_us;
    int32_t height;
    double part; /* of all transactions that is verified, 0..1 */
};

/* All zeros: nothing is known yet. */
struct progress {
    struct progress_sample samples[PROGRESS_SAMPLES]; /* a ring, one a second at most */
    size_t n, next;
};

/* Note where the tip is. */
void progress_add(struct progress *progress, int64_t now_us, int32_t height, double part);

/* Blocks a second over the samples kept; 0 if unknown. */
double progress_blocks_per_s(const struct progress *progress);
/* Seconds until everything is verified at the present rate; -1 if unknown. */
int64_t progress_seconds_left(const struct progress *progress);

/* "height 100000  2010-12-29   4.2%  512 blocks/s  3 h 20 min left".
 * Out: line, PROGRESS_LINE_BYTES. In: tip_time_s, the time of the tip's block. Returns: line. */
char *progress_format(const struct progress *progress, int64_t tip_time_s, char *line);

/* What the mesh has moved up to a moment. */
struct traffic {
    int64_t now_us;
    size_t n_peers;
    uint64_t received, sent; /* bytes */
};

/* "8 peers  down 1.2 MB/s  up 3.4 kB/s": rates between two moments; no rates if before is not
 * earlier. Out: out, PROGRESS_LINE_BYTES. Returns: out. */
char *progress_format_traffic(const struct traffic *before, const struct traffic *now, char *out);

#endif
