/* pcp.c - see pcp.h. */
#include "p2p/core/pcp.h"

#include <string.h>

#include "util/endian.h"

#define PCP_VERSION       2
#define NATPMP_VERSION    0
#define OPCODE_MAP        1 /* RFC 6887, 11 */
#define OPCODE_ADDRESS    0 /* RFC 6886, 3.2 */
#define OPCODE_TCP        2 /* RFC 6886, 3.3 */
#define IS_RESPONSE       0x80
#define PROTOCOL_TCP      6
#define RESULT_OK         0
#define RESULT_VERSION    1 /* unsupported: in both protocols */
#define MAP_BYTES         60
#define HEAD_BYTES        24 /* of a PCP response */
#define NATPMP_HEAD_BYTES 8
#define ADDRESS_BYTES     12
#define NATPMP_MAP_BYTES  16

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void pcp_begin(struct pcp *pcp, const struct net_address *own, const uint8_t nonce[PCP_NONCE_BYTES])
{
    ASSERT((own->network == NET_IPV4 || own->network == NET_IPV6) && own->port != 0);
    *pcp = (struct pcp){.step = PCP_MAP, .own = *own};
    memcpy(pcp->nonce, nonce, sizeof pcp->nonce);
}

/* As IPv6 writes it. Of IPv4 the bytes behind the prefix, of IPv6 all. RFC 6887, 5 */
static void write_address(const struct net_address *address, uint8_t out[16])
{
    bool is_ipv4 = address->network == NET_IPV4;
    if (is_ipv4)
        memcpy(out, mapped, sizeof mapped);
    memcpy(out + (is_ipv4 ? sizeof mapped : 0), address->bytes, is_ipv4 ? 4 : 16);
}

/* RFC 6887, 7.1 and 11.1 */
static size_t write_map(const struct pcp *pcp, uint8_t *out)
{
    memset(out, 0, MAP_BYTES);
    out[0] = PCP_VERSION;
    out[1] = OPCODE_MAP;
    store_be32(out + 4, PCP_LIFETIME_S);
    write_address(&pcp->own, out + 8);
    memcpy(out + 24, pcp->nonce, PCP_NONCE_BYTES);
    out[36] = PROTOCOL_TCP;
    store_be16(out + 40, pcp->own.port);
    store_be16(out + 42, pcp->own.port); /* suggested outside, on any address */
    write_address(&(struct net_address){.network = pcp->own.network}, out + 44);
    return MAP_BYTES;
}

/* RFC 6886, 3.3 */
static size_t write_natpmp_map(const struct pcp *pcp, uint8_t *out)
{
    memset(out, 0, 12);
    out[1] = OPCODE_TCP;
    store_be16(out + 4, pcp->own.port);
    store_be16(out + 6, pcp->own.port);
    store_be32(out + 8, PCP_LIFETIME_S);
    return 12;
}

static void fail(struct pcp *pcp, const char *error, unsigned code)
{
    pcp->step = PCP_FAILED;
    pcp->error = error;
    pcp->code = code;
}

size_t pcp_ask(struct pcp *pcp, uint8_t *out)
{
    ASSERT(pcp->step < PCP_DONE && pcp->tries <= PCP_TRIES);
    if (pcp->tries == PCP_TRIES) {
        fail(pcp, "the gateway does not answer", 0);
        return 0;
    }
    pcp->tries++;
    if (pcp->step == PCP_MAP)
        return write_map(pcp, out);
    if (pcp->step == PCP_NATPMP_MAP)
        return write_natpmp_map(pcp, out);
    out[0] = NATPMP_VERSION;
    out[1] = OPCODE_ADDRESS;
    return 2;
}

static bool next(struct pcp *pcp, enum pcp_step step)
{
    pcp->step = step;
    pcp->tries = 0;
    return true;
}

static bool finish(struct pcp *pcp, uint32_t lifetime_s)
{
    pcp->lifetime_s = lifetime_s;
    if (lifetime_s < PCP_LIFETIME_MIN_S)
        fail(pcp, "the gateway's mapping is over at once", 0);
    else if (pcp->external.network != pcp->own.network || pcp->external.port == 0)
        fail(pcp, "the gateway gives no address", 0);
    else
        pcp->step = PCP_DONE;
    return true;
}

/* The gateway does not know this version. */
static bool fall_back(struct pcp *pcp)
{
    if (pcp->own.network == NET_IPV4)
        return next(pcp, PCP_ADDRESS);
    fail(pcp, "the gateway does not know this version", RESULT_VERSION);
    return true;
}

/* RFC 6887, 7.2 and 11.1. A gateway of before answers in its own version. RFC 6886, 9.1 */
static bool hear_map(struct pcp *pcp, struct span bytes)
{
    const uint8_t *p = bytes.p;
    if (bytes.len >= 4 && p[0] == NATPMP_VERSION && load_be16(p + 2) == RESULT_VERSION)
        return fall_back(pcp);
    if (bytes.len < HEAD_BYTES || p[0] != PCP_VERSION || p[1] != (IS_RESPONSE | OPCODE_MAP))
        return false;
    if (p[3] == RESULT_VERSION)
        return fall_back(pcp);
    if (bytes.len < MAP_BYTES || memcmp(p + 24, pcp->nonce, PCP_NONCE_BYTES) != 0 ||
        p[36] != PROTOCOL_TCP || load_be16(p + 40) != pcp->own.port)
        return false;
    if (p[3] != RESULT_OK) {
        fail(pcp, "the gateway refuses", p[3]);
        return true;
    }
    pcp->external = net_address_of_16(p + 44, load_be16(p + 42));
    return finish(pcp, load_be32(p + 4));
}

/* RFC 6886, 3.2 */
static bool hear_address(struct pcp *pcp, struct span bytes)
{
    const uint8_t *p = bytes.p;
    if (bytes.len < NATPMP_HEAD_BYTES || p[0] != NATPMP_VERSION ||
        p[1] != (IS_RESPONSE | OPCODE_ADDRESS))
        return false;
    if (load_be16(p + 2) != RESULT_OK) {
        fail(pcp, "the gateway refuses", load_be16(p + 2));
        return true;
    }
    if (bytes.len < ADDRESS_BYTES)
        return false;
    pcp->external = net_address_of_ipv4(p + 8, 0);
    return next(pcp, PCP_NATPMP_MAP);
}

/* RFC 6886, 3.3 */
static bool hear_natpmp_map(struct pcp *pcp, struct span bytes)
{
    const uint8_t *p = bytes.p;
    if (bytes.len < NATPMP_HEAD_BYTES || p[0] != NATPMP_VERSION ||
        p[1] != (IS_RESPONSE | OPCODE_TCP))
        return false;
    if (load_be16(p + 2) != RESULT_OK) {
        fail(pcp, "the gateway refuses", load_be16(p + 2));
        return true;
    }
    if (bytes.len < NATPMP_MAP_BYTES || load_be16(p + 8) != pcp->own.port)
        return false;
    pcp->external.port = load_be16(p + 10);
    return finish(pcp, load_be32(p + 12));
}

bool pcp_hear(struct pcp *pcp, struct span bytes)
{
    switch (pcp->step) {
    case PCP_MAP:
        return hear_map(pcp, bytes);
    case PCP_ADDRESS:
        return hear_address(pcp, bytes);
    case PCP_NATPMP_MAP:
        return hear_natpmp_map(pcp, bytes);
    case PCP_DONE:
    case PCP_FAILED:
        break;
    }
    return false;
}
