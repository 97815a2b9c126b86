/* test_svg.c - elements are written as XML wants them, coordinates in tenths. */
#include "sim/report/svg.h"
#include "support/unit.h"

static void assert_text(struct buffer *out, const char *want)
{
    buffer_append(out, "", 1);
    assert_string_equal((const char *)out->p, want);
    buffer_deinit(out);
}

TEST(what_xml_would_mistake_is_escaped)
{
    struct buffer out;
    buffer_init(&out);
    svg_escape(&out, "<a href=\"x\">&\x01\n\xc3\xa9</a>");
    assert_text(&out, "&lt;a href=&quot;x&quot;&gt;&amp;\xc3\xa9&lt;/a&gt;");
}

TEST(coordinates_are_tenths)
{
    struct buffer out;
    buffer_init(&out);
    svg_line(&out, (struct svg_point){0, -5}, (struct svg_point){120, -123}, "x");
    assert_text(&out, "<path class=\"x\" d=\"M0 -0.5L12 -12.3\"/>\n");
    buffer_init(&out);
    svg_rect(&out, (struct svg_point){10, 20}, (struct svg_point){15, 20}, "r");
    assert_text(&out, "<rect x=\"1\" y=\"2\" width=\"0.5\" height=\"0\" class=\"r\"/>\n");
    buffer_init(&out);
    svg_circle(&out, (struct svg_point){10, 20}, 7, "r", "a<b");
    assert_text(&out,
                "<circle cx=\"1\" cy=\"2\" r=\"0.7\" class=\"r\"><title>a&lt;b</title></circle>\n");
    buffer_init(&out);
    svg_text(&out, (struct svg_point){10, 20}, "", "t");
    assert_text(&out, "<text x=\"1\" y=\"2\">t</text>\n");
}

TEST(a_picture_tells_what_it_shows)
{
    struct buffer out;
    buffer_init(&out);
    svg_begin(&out, "id", (const char *const[]){"A", "B & C"}, (struct svg_point){100, 50}, NULL);
    svg_end(&out);
    assert_text(&out, "<svg viewBox=\"0 0 10 5\" role=\"img\" aria-labelledby=\"id-t id-d\">\n"
                      "<title id=\"id-t\">A</title>\n<desc id=\"id-d\">B &amp; C</desc>\n</svg>\n");
}
