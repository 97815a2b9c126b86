/* svg.c - see svg.h */
#include "sim/report/svg.h"

#include <stdlib.h>

#include "util/assert.h"

void svg_escape(struct buffer *out, const char *text)
{
    ASSERT(out && text);
    for (; *text; text++) {
        if (*text == '<')
            buffer_append_string(out, "&lt;");
        else if (*text == '>')
            buffer_append_string(out, "&gt;");
        else if (*text == '&')
            buffer_append_string(out, "&amp;");
        else if (*text == '"')
            buffer_append_string(out, "&quot;");
        else if ((unsigned char)*text >= 0x20)
            buffer_append(out, text, 1);
    }
}

/* Tenths, without a point where there are none. */
static void add_number(struct buffer *out, int tenths)
{
    int size = abs(tenths);
    buffer_append_format(out, "%s%d", tenths < 0 ? "-" : "", size / 10);
    if (size % 10 != 0)
        buffer_append_format(out, ".%d", size % 10);
}

static void add_attribute(struct buffer *out, const char *name, int tenths)
{
    buffer_append_format(out, " %s=\"", name);
    add_number(out, tenths);
    buffer_append_string(out, "\"");
}

void svg_begin(struct buffer *out, const char *id, const char *const title_desc[2],
               struct svg_point size, const char *css)
{
    ASSERT(out && id && title_desc && size.x > 0 && size.y > 0);
    buffer_append_string(out, "<svg");
    if (css)
        buffer_append_string(out, " xmlns=\"http://www.w3.org/2000/svg\"");
    buffer_append_string(out, " viewBox=\"0 0 ");
    add_number(out, size.x);
    buffer_append_string(out, " ");
    add_number(out, size.y);
    buffer_append_format(out, "\" role=\"img\" aria-labelledby=\"%s-t %s-d\">\n<title id=\"%s-t\">",
                         id, id, id);
    svg_escape(out, title_desc[0]);
    buffer_append_format(out, "</title>\n<desc id=\"%s-d\">", id);
    svg_escape(out, title_desc[1]);
    buffer_append_string(out, "</desc>\n");
    if (!css)
        return;
    buffer_append_format(out, "<style>%s</style>\n", css);
    svg_rect(out, (struct svg_point){0, 0}, size, "bg");
}

void svg_end(struct buffer *out)
{
    ASSERT(out);
    buffer_append_string(out, "</svg>\n");
}

void svg_text(struct buffer *out, struct svg_point at, const char *class, const char *text)
{
    ASSERT(out && class && text);
    buffer_append_string(out, "<text");
    add_attribute(out, "x", at.x);
    add_attribute(out, "y", at.y);
    if (*class)
        buffer_append_format(out, " class=\"%s\"", class);
    buffer_append_string(out, ">");
    svg_escape(out, text);
    buffer_append_string(out, "</text>\n");
}

void svg_line(struct buffer *out, struct svg_point from, struct svg_point to, const char *class)
{
    ASSERT(out && class);
    svg_path_begin(out, class);
    svg_path_to(out, 'M', from);
    svg_path_to(out, 'L', to);
    svg_path_end(out, false);
}

void svg_rect(struct buffer *out, struct svg_point from, struct svg_point to, const char *class)
{
    ASSERT(out && class && from.x <= to.x && from.y <= to.y);
    buffer_append_string(out, "<rect");
    add_attribute(out, "x", from.x);
    add_attribute(out, "y", from.y);
    add_attribute(out, "width", to.x - from.x);
    add_attribute(out, "height", to.y - from.y);
    buffer_append_format(out, " class=\"%s\"/>\n", class);
}

void svg_circle(struct buffer *out, struct svg_point at, int radius, const char *class,
                const char *hint)
{
    ASSERT(out && class && radius >= 0);
    buffer_append_string(out, "<circle");
    add_attribute(out, "cx", at.x);
    add_attribute(out, "cy", at.y);
    add_attribute(out, "r", radius);
    buffer_append_format(out, " class=\"%s\"", class);
    if (!hint) {
        buffer_append_string(out, "/>\n");
        return;
    }
    buffer_append_string(out, "><title>");
    svg_escape(out, hint);
    buffer_append_string(out, "</title></circle>\n");
}

void svg_path_begin(struct buffer *out, const char *class)
{
    ASSERT(out && class);
    buffer_append_format(out, "<path class=\"%s\" d=\"", class);
}

void svg_path_to(struct buffer *out, char op, struct svg_point at)
{
    ASSERT(out && (op == 'M' || op == 'L'));
    buffer_append(out, &op, 1);
    add_number(out, at.x);
    buffer_append_string(out, " ");
    add_number(out, at.y);
}

void svg_path_end(struct buffer *out, bool is_closed)
{
    ASSERT(out);
    buffer_append_string(out, is_closed ? "Z\"/>\n" : "\"/>\n");
}
