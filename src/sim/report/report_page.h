/* report_page.h - runs as one page of HTML: no script, nothing from elsewhere, the same bytes for
 * the same traces.
 *
 * Layer: sim. It is well-formed XML too, so that tools can take it apart. */
#ifndef SIM_REPORT_REPORT_PAGE_H
#define SIM_REPORT_REPORT_PAGE_H

#include "sim/report/run.h"
#include "util/buffer.h"

/* Append the page of a finished run. */
void report_page(const struct run *run, struct buffer *out);

/* Append the page of two: figures with their differences, diagrams with both. */
void report_page_of_two(const struct run *a, const struct run *b, struct buffer *out);

/* How many pictures a run has that could be files: some are empty. */
size_t report_pictures_count(void);
/* Append one as a file of its own. Returns: its name, without an ending; NULL if it is empty */
const char *report_picture(const struct run *run, size_t number, struct buffer *out);

#endif
