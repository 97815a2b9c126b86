/* svg.h - pictures in SVG: elements, attributes escaped, coordinates as whole numbers.
 *
 * Layer: sim. Coordinates and sizes are tenths of a pixel, so that the same numbers are the same
 * bytes on every machine. Colours are classes; report_style.h says what they look like. */
#ifndef SIM_REPORT_SVG_H
#define SIM_REPORT_SVG_H

#include <stdbool.h>

#include "util/buffer.h"

struct svg_point {
    int x, y;
};

/* Append text with what XML would mistake replaced; control characters are left out. */
void svg_escape(struct buffer *out, const char *text);

/* Begin a picture. Whoever cannot see it hears title and description.
 *
 * In: id    unique in the page
 *     size  width and height
 *     css   its own style, for a file of its own; NULL: the page has one */
void svg_begin(struct buffer *out, const char *id, const char *const title_desc[2],
               struct svg_point size, const char *css);
/* End a picture. */
void svg_end(struct buffer *out);

/* A text whose baseline starts at a point; of class "e" it ends there, of class "m" its middle is.
 */
void svg_text(struct buffer *out, struct svg_point at, const char *class, const char *text);
/* A straight line. */
void svg_line(struct buffer *out, struct svg_point from, struct svg_point to, const char *class);
/* A rectangle between two corners. */
void svg_rect(struct buffer *out, struct svg_point from, struct svg_point to, const char *class);
/* A circle; hint is shown under a pointer, NULL: none. */
void svg_circle(struct buffer *out, struct svg_point at, int radius, const char *class,
                const char *hint);

/* Begin a path, give it points, end it. op is M (move there), L (a line there); Z closes. */
void svg_path_begin(struct buffer *out, const char *class);
void svg_path_to(struct buffer *out, char op, struct svg_point at);
void svg_path_end(struct buffer *out, bool is_closed);

#endif
