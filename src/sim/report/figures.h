/* figures.h - a run in numbers: the rows of the summary.
 *
 * Layer: sim. One list serves the text, the page and the comparison. */
#ifndef SIM_REPORT_FIGURES_H
#define SIM_REPORT_FIGURES_H

#include "sim/report/figure_text.h"
#include "sim/report/run.h"

struct figure {
    const char *group; /* a heading; rows of one stand together */
    char label[NAME_BYTES_MAX + 32];
    enum figure_kind kind;
    double value;
};

struct figures {
    ARRAY(struct figure) rows;
};

/* Work out all figures of a finished run. What a run has none of has no row. Free with
 * figures_free(). */
void figures_of_run(const struct run *run, struct figures *out);
/* Free the rows. */
void figures_free(struct figures *figures);

/* The row of that group and label, or NULL. */
const struct figure *figures_find(const struct figures *figures, const char *group,
                                  const char *label);

/* Append all rows as a text in two columns. */
void figures_print(const struct figures *figures, struct buffer *out);
/* The same of two runs, in three columns; what only b has stands at the end. */
void figures_print_both(const struct figures *a, const struct figures *b, struct buffer *out);

/* How many blocks a stale branch has that ends with this block; 0 if it is no end of one. */
uint32_t stale_branch_blocks(const struct run_block *block);

/* The message types of a run by the bytes they took, the largest first.
 *
 * Out:      order  RUN_TYPES_MAX numbers of types
 *           bytes  of each type by its number, all samples
 * Returns:  how many types there are */
size_t traffic_by_size(const struct run *run, uint32_t *order, double *bytes);

#endif
