/* messages.c - see messages.h. */
#include "p2p/session/messages.h"

#include <string.h>

#include "p2p/peer/peer.h"

#define LOCATOR_MAX (4 + 1 + 32 * WIRE_LOCATOR_MAX + 32)
#define INV_MAX     (3 + WIRE_INV_BYTES * WIRE_INV_MAX)
#define ADDR_MAX    (3 + 30 * WIRE_ADDRESSES_MAX)
#define ADDRV2_MAX  (3 + 533 * WIRE_ADDRESSES_MAX)
#define HEADERS_MAX (3 + 89 * WIRE_HEADERS_MAX)
#define VERSION_MAX WIRE_VERSION_BYTES_MAX
#define ANY         FRAME_PAYLOAD_MAX

/* Sorted by name. A length that only a hostile peer would send ends the connection; minima are what
 * the oldest peers that we speak to send.
 */
/* clang-format off */
static const struct message messages[MESSAGES_COUNT] = {
    /* name         min  max         phase              since  handler */
    {"addr",          1, ADDR_MAX,   MESSAGE_READY,     0,     addr_relay_on_addr},
    {"addrv2",        1, ADDRV2_MAX, MESSAGE_READY,     0,     addr_relay_on_addrv2}, /* BIP155 */
    {"block",        81, ANY,        MESSAGE_READY,     0,     block_fetch_on_block},
    {"feefilter",     8, 8,          MESSAGE_READY,     70013, relay_on_fee_filter}, /* BIP133 */
    {"filteradd",     0, ANY,        MESSAGE_READY,     0,     peer_on_filter}, /* BIP37 */
    {"filterclear",   0, ANY,        MESSAGE_READY,     0,     peer_on_filter},
    {"filterload",    0, ANY,        MESSAGE_READY,     0,     peer_on_filter},
    {"getaddr",       0, 0,          MESSAGE_READY,     0,     addr_relay_on_getaddr},
    {"getblocks",    37, LOCATOR_MAX, MESSAGE_READY,     0,     serve_on_getblocks},
    {"getdata",       1, INV_MAX,    MESSAGE_READY,     0,     serve_on_getdata},
    {"getheaders",   37, LOCATOR_MAX, MESSAGE_READY,     0,     serve_on_getheaders},
    {"headers",       1, HEADERS_MAX, MESSAGE_READY,     0,     header_sync_on_headers},
    {"inv",           1, INV_MAX,    MESSAGE_READY,     0,     relay_on_inv},
    {"mempool",       0, 0,          MESSAGE_READY,     0,     relay_on_mempool}, /* BIP35 */
    {"merkleblock",   0, ANY,        MESSAGE_READY,     0,     peer_on_ignored},
    {"notfound",      1, INV_MAX,    MESSAGE_READY,     0,     peer_on_not_found},
    {"ping",          0, 64,         MESSAGE_READY,     0,     peer_on_ping}, /* BIP31 */
    {"pong",          0, 64,         MESSAGE_READY,     60001, peer_on_pong},
    {"reject",        0, 4096,       MESSAGE_READY,     0,     peer_on_ignored}, /* BIP61 */
    {"sendaddrv2",    0, 64,         MESSAGE_HANDSHAKE, 70016, peer_on_sendaddrv2}, /* BIP155 */
    {"sendcmpct",     9, 9,          MESSAGE_READY,     70014, peer_on_ignored}, /* BIP152 */
    {"sendheaders",   0, 64,         MESSAGE_READY,     70012, peer_on_sendheaders}, /* BIP130 */
    {"sendtxrcncl",   0, 64,         MESSAGE_HANDSHAKE, 70016, peer_on_ignored}, /* BIP330 */
    {"tx",           10, ANY,        MESSAGE_READY,     0,     tx_relay_on_tx},
    {"verack",        0, 64,         MESSAGE_HANDSHAKE, 0,     peer_on_verack},
    {"version",      46, VERSION_MAX, MESSAGE_VERSION,   0,     peer_on_version},
    {"wtxidrelay",    0, 64,         MESSAGE_HANDSHAKE, 70016, peer_on_wtxidrelay}, /* BIP339 */
};
/* clang-format on */

const struct message *message_find(const char *name)
{
    size_t low = 0, high = COUNT_OF(messages);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, messages[middle].name);
        if (order == 0)
            return &messages[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

size_t message_index(const struct message *message)
{
    ASSERT(message >= messages && message < messages + COUNT_OF(messages));
    return (size_t)(message - messages);
}

const struct message *message_at(size_t index)
{
    ASSERT(index < COUNT_OF(messages));
    return &messages[index];
}
