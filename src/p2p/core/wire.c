/* wire.c - see wire.h. */
#include "p2p/core/wire.h"

#define ADDRESS_V2_BYTES_MAX 512 /* BIP-155, Specification */

/* -- Addresses ----------------------------------------------------------------------------------
 */

static uint16_t read_port(struct reader *r)
{
    uint8_t bytes[2];
    read_bytes(r, bytes, 2);
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void write_port(struct writer *w, uint16_t port)
{
    uint8_t bytes[2] = {(uint8_t)(port >> 8), (uint8_t)port};
    write_bytes(w, bytes, 2);
}

static struct net_address read_address_16(struct reader *r)
{
    uint8_t bytes[16];
    read_bytes(r, bytes, sizeof bytes);
    uint16_t port = read_port(r);
    return net_address_of_16(bytes, port);
}

static void write_address_16(struct writer *w, const struct net_address *address)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const uint8_t nothing[16] = {0};
    if (address->network == NET_IPV4) {
        write_bytes(w, mapped, sizeof mapped);
        write_bytes(w, address->bytes, 4);
    } else {
        write_bytes(w, wire_address_fits_v1(address) ? address->bytes : nothing, 16);
    }
    write_port(w, address->port);
}

bool wire_address_fits_v1(const struct net_address *address)
{
    return address->network == NET_IPV4 || address->network == NET_IPV6;
}

static void read_address_v2(struct reader *r, struct net_address *address)
{
    uint8_t network = read_u8(r);
    struct span bytes = read_var_span(r);
    uint16_t port = read_port(r);
    *address = (struct net_address){0};
    if (bytes.len > ADDRESS_V2_BYTES_MAX)
        r->failed = true;
    /* Of networks that we do not know, or not any more, nothing is kept. BIP-155, Specification */
    if (r->failed || bytes.len != net_network_bytes(network) || network == NET_TORV2)
        return;
    if (network == NET_IPV6) {
        /* An IPv4 address dressed up as IPv6 must be sent as what it is. BIP-155, Specification */
        struct net_address v6 = net_address_of_16(bytes.p, port);
        if (v6.network == NET_IPV6)
            *address = v6;
        return;
    }
    address->network = network;
    address->port = port;
    if (bytes.len)
        memcpy(address->bytes, bytes.p, bytes.len);
}

void wire_address_decode(struct reader *r, bool v2, struct net_peer_address *address)
{
    *address = (struct net_peer_address){.time = read_u32(r)};
    if (v2) {
        /* BIP-155, Specification */
        address->services = read_compact_size(r);
        read_address_v2(r, &address->at);
    } else {
        address->services = read_u64(r);
        address->at = read_address_16(r);
    }
}

void wire_address_encode(struct writer *w, bool v2, const struct net_peer_address *address)
{
    ASSERT(v2 || wire_address_fits_v1(&address->at));
    write_u32(w, address->time);
    if (!v2) {
        write_u64(w, address->services);
        write_address_16(w, &address->at);
        return;
    }
    write_compact_size(w, address->services);
    write_u8(w, address->at.network);
    write_var_span(w, span_of(address->at.bytes, net_network_bytes(address->at.network)));
    write_port(w, address->at.port);
}

/* -- Version ------------------------------------------------------------------------------------
 */

bool wire_version_decode(struct reader *r, struct wire_version *version)
{
    *version = (struct wire_version){.start_height = -1, .relay = true};
    version->version = (int32_t)read_u32(r);
    version->services = read_u64(r);
    version->time = (int64_t)read_u64(r);
    version->receiver_services = read_u64(r);
    version->receiver = read_address_16(r);
    if (reader_left(r) > 0) {
        (void)read_u64(r); /* the sender's services again */
        version->sender = read_address_16(r);
        version->nonce = read_u64(r);
    }
    if (reader_left(r) > 0) {
        struct span name = read_var_span(r);
        if (name.len > WIRE_USER_AGENT_MAX)
            r->failed = true;
        for (size_t i = 0; !r->failed && i < name.len; i++)
            version->user_agent[i] = name.p[i] ? (char)name.p[i] : '?';
    }
    if (reader_left(r) > 0)
        version->start_height = (int32_t)read_u32(r);
    if (reader_left(r) > 0)
        /* BIP-37, Extensions to existing messages */
        version->relay = read_u8(r) != 0;
    return !r->failed;
}

void wire_version_encode(struct writer *w, const struct wire_version *version)
{
    ASSERT(strlen(version->user_agent) <= WIRE_USER_AGENT_MAX);
    write_u32(w, (uint32_t)version->version);
    write_u64(w, version->services);
    write_u64(w, (uint64_t)version->time);
    write_u64(w, version->receiver_services);
    write_address_16(w, &version->receiver);
    write_u64(w, version->services);
    write_address_16(w, &version->sender);
    write_u64(w, version->nonce);
    write_var_span(w, span_of_string(version->user_agent));
    write_u32(w, (uint32_t)version->start_height);
    write_u8(w, version->relay);
}

/* -- Lists --------------------------------------------------------------------------------------
 */

size_t wire_count_decode(struct reader *r, size_t max, size_t item_bytes)
{
    ASSERT(max > 0 && item_bytes > 0);
    uint64_t n = read_compact_size(r);
    if (n > max || n > reader_left(r) / item_bytes)
        r->failed = true;
    return r->failed ? 0 : (size_t)n;
}

bool wire_count_exceeds(struct reader r, size_t max)
{
    return read_compact_size(&r) > max;
}

void wire_inv_decode(struct reader *r, struct wire_inv *inv)
{
    inv->type = read_u32(r);
    read_bytes(r, inv->hash, 32);
}

void wire_inv_encode(struct writer *w, const struct wire_inv *inv)
{
    write_u32(w, inv->type);
    write_bytes(w, inv->hash, 32);
}

bool wire_locator_decode(struct reader *r, struct wire_locator *locator)
{
    locator->version = read_u32(r);
    locator->n = wire_count_decode(r, WIRE_LOCATOR_MAX, 32);
    locator->hashes = read_span(r, 32 * locator->n);
    read_bytes(r, locator->stop.b, 32);
    return !r->failed;
}
