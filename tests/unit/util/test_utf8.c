/* test_utf8.c - both sides of each limit of RFC 3629, section 4. */
#include "support/unit.h"
#include "util/assert.h"
#include "util/utf8.h"

TEST(each_form_has_its_limits)
{
    static const struct {
        const char *text;
        size_t want;
    } rows[] = {
        {"a", 1},
        {"\x7f", 1},
        {"\x80", 0},
        {"\xc1\xbf", 0}, /* overlong */
        {"\xc2\x80", 2},
        {"\xdf\xbf", 2},
        {"\xc2", 0},
        {"\xc2\x7f", 0},
        {"\xc2\xc0", 0},
        {"\xe0\x9f\xbf", 0}, /* overlong */
        {"\xe0\xa0\x80", 3},
        {"\xed\x9f\xbf", 3},
        {"\xed\xa0\x80", 0}, /* a surrogate */
        {"\xef\xbf\xbf", 3},
        {"\xef\xbf", 0},
        {"\xf0\x8f\xbf\xbf", 0}, /* overlong */
        {"\xf0\x90\x80\x80", 4},
        {"\xf4\x8f\xbf\xbf", 4},
        {"\xf4\x90\x80\x80", 0}, /* above U+10FFFF */
        {"\xf5\x80\x80\x80", 0},
        {"\xf0\x90\x80\x7f", 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t have = utf8_sequence_bytes(span_of_string(rows[i].text));
        if (have != rows[i].want)
            print_error("row %zu\n", i);
        assert_int_equal(have, rows[i].want);
    }
}
