/* csv.h - rows of vector files: fields between commas, none of them quoted. */
#ifndef TESTS_SUPPORT_CSV_H
#define TESTS_SUPPORT_CSV_H

enum { CSV_FIELDS_MAX = 32 };

/* Take apart the line at text, in place; fields that are missing point to "".
 *
 * Returns:  the next line, or NULL if there was no line at text (then fields is not set) */
char *csv_row(char *text, char *fields[CSV_FIELDS_MAX]);

#endif
