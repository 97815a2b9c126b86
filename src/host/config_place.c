/* config_place.c - see config_place.h. */
#include "host/config_place.h"

#include <netdb.h>
#include <string.h>

#include "host/sockets.h"

#define HOST_TEXT_MAX 256

char *config_keep(struct arena *strings, const char *s)
{
    size_t len = strlen(s) + 1;
    char *copy = arena_alloc(strings, len);
    memcpy(copy, s, len);
    return copy;
}

bool config_look_up(const char *name, size_t index, char out[CONFIG_ADDRESS_BYTES])
{
    ASSERT(name && out);
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    if (getaddrinfo(name, NULL, &hints, &found) != 0)
        return false;
    const struct addrinfo *at = found;
    while (at && index-- > 0)
        at = at->ai_next;
    bool ok = at && getnameinfo(at->ai_addr, at->ai_addrlen, out, CONFIG_ADDRESS_BYTES, NULL, 0,
                                NI_NUMERICHOST) == 0;
    freeaddrinfo(found);
    return ok;
}

bool config_resolve(struct arena *strings, const struct options *options, const char *spec,
                    uint16_t default_port, const char **address, uint16_t *port)
{
    char host[HOST_TEXT_MAX], numeric[CONFIG_ADDRESS_BYTES];
    struct sockaddr_storage parsed;
    *port = default_port;
    if (!sockets_split(spec, host, sizeof host, port))
        return false;
    bool is_numeric = sockets_parse(host, *port, &parsed) != 0;
    if (!is_numeric &&
        (!options_get_bool(options, "dns", true) || !config_look_up(host, 0, numeric)))
        return false;
    *address = config_keep(strings, is_numeric ? host : numeric);
    return true;
}
