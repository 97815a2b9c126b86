/* figure_text.h - numbers as people read them: grouped, rounded, with their unit.
 *
 * Layer: sim. */
#ifndef SIM_REPORT_FIGURE_TEXT_H
#define SIM_REPORT_FIGURE_TEXT_H

#include "util/buffer.h"

enum figure_kind {
    FIGURE_COUNT,   /* 12,345; a decimal below 100 where it is no whole number */
    FIGURE_PERCENT, /* 2.3 % */
    FIGURE_SECONDS, /* 482 ms, 3.07 s, 12 min 5 s, 3 h 20 min */
    FIGURE_BYTES,   /* 12.3 kB, of 1000 */
    FIGURE_FLAG,    /* yes, no */
};

/* Append a value as its kind is written. */
void figure_text(struct buffer *out, enum figure_kind kind, double value);

#endif
