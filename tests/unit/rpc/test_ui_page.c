/* test_ui_page.c - the dashboard's page is whole, and its policy lets nothing else run. What a
 * browser makes of both: tests/functional/test_ui.py */
#include "rpc/ui_page.h"

#include <string.h>

#include "host/http.h"
#include "rpc/ui.h"
#include "support/unit.h"

TEST(styles_and_script_are_in_the_page)
{
    struct ui_page page = {0};
    ui_page_init(&page);
    buffer_append(&page.html, "", 1);
    const char *html = (const char *)page.html.p;
    const char *style = strstr(html, "<style>\n:root"), *script = strstr(html, "<script>\n\"use s");
    assert_true(style && script && style < script);
    assert_non_null(strstr(style, "}\n</style>"));
    assert_non_null(strstr(script, "connect();\n</script>\n</body>"));
    assert_non_null(strstr(page.headers, "Content-Security-Policy: default-src 'none'; script-src "
                                         "'sha256-"));
    assert_non_null(strstr(page.headers, "; style-src 'sha256-"));
    assert_true(strlen(page.headers) + strlen(UI_HEADERS) < HTTP_HEADERS_MAX);
    ui_page_deinit(&page);
    assert_null(page.headers);
    ui_page_deinit(&page);
}
