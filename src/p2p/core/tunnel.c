/* tunnel.c - see tunnel.h. */
#include "p2p/core/tunnel.h"

#include <string.h>

#include "util/alloc.h"

struct tunnel *tunnel_new(const char *host, uint16_t port, const char *credential)
{
    ASSERT(host[0] != '\0' && strlen(host) <= SOCKS5_TEXT_MAX);
    struct tunnel *tunnel = xcalloc(1, sizeof *tunnel);
    memcpy(tunnel->host, host, strlen(host) + 1);
    tunnel->port = port;
    if (credential) {
        ASSERT(strlen(credential) < sizeof tunnel->credential);
        memcpy(tunnel->credential, credential, strlen(credential) + 1);
    }
    return tunnel;
}

void tunnel_free(struct tunnel *tunnel)
{
    if (tunnel && tunnel->sam)
        sam_deinit(tunnel->sam);
    if (tunnel)
        xfree(tunnel->sam);
    xfree(tunnel);
}

void tunnel_begin(struct tunnel *tunnel, struct buffer *out)
{
    ASSERT(!tunnel->is_begun && !tunnel->sam);
    tunnel->is_begun = true;
    socks5_begin(&tunnel->socks5, tunnel->host, tunnel->port,
                 tunnel->credential[0] ? tunnel->credential : NULL, out);
}

bool tunnel_read(struct tunnel *tunnel, struct span *bytes, struct buffer *out)
{
    ASSERT(tunnel->is_begun && !tunnel->is_up);
    if (tunnel->sam) {
        enum sam_step sam_step = sam_read(tunnel->sam, bytes, out);
        tunnel->is_up = sam_step == SAM_UP;
        tunnel->error = tunnel->sam->error;
        return sam_step != SAM_FAILED;
    }
    enum socks5_step step = socks5_read(&tunnel->socks5, bytes, out);
    tunnel->is_up = step == SOCKS5_UP;
    tunnel->error = tunnel->socks5.error;
    return step != SOCKS5_FAILED;
}
