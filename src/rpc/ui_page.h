/* ui_page.h - the dashboard's page, put together of src/rpc/ui/, and what a browser may do with it.
 *
 * Layer: rpc, for this layer only. One answer is all there is: styles and script are in the page,
 * and its policy names them by their digests, so that nothing else can be run that somebody might
 * get into it. */
#ifndef RPC_UI_PAGE_H
#define RPC_UI_PAGE_H

#include "util/buffer.h"

struct ui_page {
    struct buffer html;
    char *headers; /* of the answer, beside UI_HEADERS; NULL: not made yet */
};

/* Make it. Owns: the caller */
void ui_page_init(struct ui_page *page);
/* Free it; one that was not made is allowed. */
void ui_page_deinit(struct ui_page *page);

#endif
