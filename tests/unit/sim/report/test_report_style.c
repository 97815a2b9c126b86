/* test_report_style.c - the style knows all colours, both schemes, and asks for nothing elsewhere.
 */
#include "sim/report/report_style.h"
#include "support/unit.h"

TEST(each_colour_is_there_for_light_and_dark)
{
    for (int i = 1; i <= REPORT_COLORS; i++) {
        char definition[24];
        snprintf(definition, sizeof definition, "--c%d:#", i);
        const char *light = strstr(report_style_picture, definition);
        assert_non_null(light);
        const char *dark = strstr(light + 1, definition);
        assert_non_null(dark);
        assert_true(strncmp(light, dark, 12) != 0);
    }
    assert_non_null(strstr(report_style_picture, "prefers-color-scheme:dark"));
}

TEST(nothing_comes_from_elsewhere)
{
    static const char *const words[] = {"url(", "@import", "http", "<"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_null(strstr(report_style_picture, words[i]));
        assert_null(strstr(report_style_page, words[i]));
    }
}
