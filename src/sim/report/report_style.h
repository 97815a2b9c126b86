/* report_style.h - what reports look like: light and dark, wide and narrow, on paper.
 *
 * Layer: sim. The colours are told apart by those who see few, and are dark (light) enough for
 * text. */
#ifndef SIM_REPORT_REPORT_STYLE_H
#define SIM_REPORT_REPORT_STYLE_H

#define REPORT_COLORS 6 /* classes c1 to c6: strokes; f1 to f6: fills; t1 to t6: text */

/* Colours and classes of the pictures: in the page, and in each picture that is a file. */
extern const char report_style_picture[];
/* The rest of the page. */
extern const char report_style_page[];

#endif
