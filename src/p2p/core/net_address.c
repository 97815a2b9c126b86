/* net_address.c - see net_address.h. */
#include "p2p/core/net_address.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "crypto/hash.h"
#include "p2p/core/hidden_name.h"
#include "util/hex.h"
#include "util/parse.h"

static const uint8_t mapped_ipv4[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

size_t net_network_bytes(uint8_t network)
{
    /* BIP-155, Specification */
    static const uint8_t bytes[] = {0, 4, 16, 10, 32, 32, 16};
    return network < COUNT_OF(bytes) ? bytes[network] : 0;
}

const char *net_network_name(uint8_t network)
{
    static const char *const names[] = {"", "ipv4", "ipv6", "", "onion", "i2p", "cjdns"};
    return network < COUNT_OF(names) ? names[network] : "";
}

enum net_network net_network_of(const char *name)
{
    for (enum net_network i = NET_IPV4; i <= NET_CJDNS; i++)
        if (name[0] != '\0' && strcasecmp(name, net_network_name(i)) == 0)
            return i;
    return NET_NONE;
}

const char *net_address_network_name(const struct net_address *address)
{
    if (net_address_is_internal(address))
        return "internal";
    return net_address_is_routable(address) ? net_network_name(address->network)
                                            : "not_publicly_routable";
}

struct net_address net_address_of_ipv4(const uint8_t bytes[4], uint16_t port)
{
    struct net_address address = {.network = NET_IPV4, .port = port};
    memcpy(address.bytes, bytes, 4);
    return address;
}

struct net_address net_address_of_16(const uint8_t bytes[16], uint16_t port)
{
    if (memcmp(bytes, mapped_ipv4, sizeof mapped_ipv4) == 0)
        return net_address_of_ipv4(bytes + 12, port);
    struct net_address address = {.network = NET_IPV6, .port = port};
    memcpy(address.bytes, bytes, 16);
    return address;
}

/* -- Reading text ------------------------------------------------------------------------------ */

/* Read a decimal number up to max from *s on; no sign, no leading zero but "0" itself. */
static bool take_decimal(const char **s, unsigned max, unsigned *out)
{
    const char *p = *s;
    unsigned value = 0;
    if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9'))
        return false;
    while (*p >= '0' && *p <= '9') {
        unsigned digit = (unsigned)(*p++ - '0');
        if (digit > max || value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *s = p;
    *out = value;
    return true;
}

static bool take_ipv4(const char **s, uint8_t out[4])
{
    for (int i = 0; i < 4; i++) {
        unsigned part;
        if (i > 0 && *(*s)++ != '.')
            return false;
        if (!take_decimal(s, 255, &part))
            return false;
        out[i] = (uint8_t)part;
    }
    return true;
}

/* Up to four hexadecimal digits. */
static bool take_word(const char **s, uint16_t *out)
{
    unsigned value = 0, n = 0;
    while (n < 4 && hex_digit(**s) >= 0) {
        value = value << 4 | (unsigned)hex_digit(**s);
        (*s)++, n++;
    }
    *out = (uint16_t)value;
    return n > 0 && hex_digit(**s) < 0;
}

/* One more group of an IPv6 address: a word, or at the end an IPv4 address, which is two. */
static bool take_group(const char **s, uint8_t *bytes, unsigned *n)
{
    const char *start = *s;
    uint16_t word;
    if (*n <= 12 && take_ipv4(s, bytes + *n)) {
        *n += 4;
        return true;
    }
    *s = start;
    if (*n > 14 || !take_word(s, &word) || **s == '.')
        return false;
    bytes[(*n)++] = (uint8_t)(word >> 8);
    bytes[(*n)++] = (uint8_t)word;
    return true;
}

static bool take_ipv6(const char **s, uint8_t out[16])
{
    uint8_t bytes[16] = {0};
    unsigned n = 0;
    int gap = -1; /* bytes before "::" */
    if ((*s)[0] == ':' && (*s)[1] == ':') {
        gap = 0;
        *s += 2;
    }
    while (n < 16 && (hex_digit(**s) >= 0)) {
        if (!take_group(s, bytes, &n))
            return false;
        if (n == 16 || **s != ':')
            break;
        if ((*s)[1] == ':') {
            if (gap >= 0)
                return false;
            gap = (int)n;
            *s += 2;
        } else if (hex_digit((*s)[1]) >= 0) {
            (*s)++;
        } else {
            return false;
        }
    }
    if (gap < 0 ? n != 16 : n > 14)
        return false;
    memset(out, 0, 16);
    unsigned head = gap < 0 ? n : (unsigned)gap;
    memcpy(out, bytes, head);
    memcpy(out + 16 - (n - head), bytes + head, n - head);
    return true;
}

/* The part behind the host: nothing, or ":port". */
static bool take_port(const char *s, uint16_t default_port, uint16_t *out)
{
    unsigned port;
    *out = default_port;
    if (*s == '\0')
        return true;
    if (*s++ != ':' || !take_decimal(&s, 65535, &port) || port == 0 || *s != '\0')
        return false;
    *out = (uint16_t)port;
    return true;
}

/* I2P as its bridge speaks here has no ports: 0 is the only one, and may be written. */
static bool parse_hidden(const char *text, uint16_t default_port, struct net_address *out)
{
    char host[NET_ADDRESS_TEXT_MAX];
    size_t len = strcspn(text, ":");
    if (len >= sizeof host)
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    if (!hidden_name_parse(host, out))
        return false;
    bool is_i2p = out->network == NET_I2P;
    if (is_i2p && strcmp(text + len, ":0") == 0)
        return true;
    return take_port(text + len, is_i2p ? 0 : default_port, &out->port);
}

bool net_address_parse_short(const char *text, uint16_t default_port, struct net_address *out)
{
    ASSERT(text && out);
    const char *s = text;
    uint8_t bytes[4] = {0};
    unsigned part = 0;
    int n = 0;
    for (; n < 3; n++) {
        bool is_last = s[strspn(s, "0123456789")] != '.';
        if (!take_decimal(&s, is_last ? UINT32_MAX >> (8 * n) : 255, &part))
            return false;
        if (is_last)
            break;
        bytes[n] = (uint8_t)part;
        s++;
    }
    uint16_t port;
    if (n == 3 || !take_port(s, default_port, &port))
        return false;
    for (int i = 3; i >= n; i--, part >>= 8)
        bytes[i] = (uint8_t)part;
    *out = net_address_of_ipv4(bytes, port);
    return true;
}

bool net_address_parse(const char *text, uint16_t default_port, struct net_address *out)
{
    ASSERT(text && out);
    uint8_t bytes[16];
    uint16_t port;
    const char *s = text;
    if (take_ipv4(&s, bytes) && take_port(s, default_port, &port)) {
        *out = net_address_of_ipv4(bytes, port);
        return true;
    }
    if (parse_hidden(text, default_port, out))
        return true;
    bool has_bracket = text[0] == '[';
    s = text + has_bracket;
    if (!take_ipv6(&s, bytes) || (has_bracket && *s++ != ']'))
        return false;
    if (!has_bracket && *s != '\0')
        return false;
    if (!take_port(s, default_port, &port))
        return false;
    *out = net_address_of_16(bytes, port);
    return true;
}

/* -- Writing text ------------------------------------------------------------------------------ */

/* RFC 5952: lower case, no leading zeros, the longest run of two or more zero words as "::". */
static char *format_ipv6(const uint8_t bytes[16], char *out)
{
    unsigned word[8], gap_at = 8, gap_len = 1, at = 0;
    for (unsigned i = 0; i < 8; i++)
        word[i] = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
    for (unsigned i = 0; i < 8; i++) {
        unsigned len = 0;
        while (i + len < 8 && word[i + len] == 0)
            len++;
        if (len > gap_len) {
            gap_at = i;
            gap_len = len;
        }
    }
    for (unsigned i = 0; i < 8; i++) {
        if (i == gap_at) {
            at += (unsigned)snprintf(out + at, NET_ADDRESS_TEXT_MAX - at, "::");
            i += gap_len - 1;
            continue;
        }
        bool needs_colon = i > 0 && !(gap_at < 8 && i == gap_at + gap_len);
        at += (unsigned)snprintf(out + at, NET_ADDRESS_TEXT_MAX - at, "%s%x",
                                 needs_colon ? ":" : "", word[i]);
    }
    return out;
}

char *net_address_format_host(const struct net_address *address, char *out)
{
    ASSERT(address->network <= NET_CJDNS);
    const uint8_t *b = address->bytes;
    switch (address->network) {
    case NET_IPV4:
        snprintf(out, NET_ADDRESS_TEXT_MAX, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
        return out;
    case NET_IPV6:
        return net_address_is_internal(address) ? hidden_name_format(address, out)
                                                : format_ipv6(b, out);
    case NET_CJDNS:
        return format_ipv6(b, out);
    case NET_I2P:
    case NET_TORV3:
        return hidden_name_format(address, out);
    }
    snprintf(out, NET_ADDRESS_TEXT_MAX, "unknown");
    return out;
}

char *net_address_format(const struct net_address *address, char *out)
{
    char host[NET_ADDRESS_TEXT_MAX];
    net_address_format_host(address, host);
    bool is_v6 = address->network == NET_IPV6 || address->network == NET_CJDNS;
    size_t n = strlen(host);
    ASSERT(n + 9 < NET_ADDRESS_TEXT_MAX);
    snprintf(out, NET_ADDRESS_TEXT_MAX, is_v6 ? "[%.70s]:%u" : "%.70s:%u", host, address->port);
    return out;
}

/* -- Kinds of addresses -------------------------------------------------------------------------
 */

bool net_address_same_host(const struct net_address *a, const struct net_address *b)
{
    return a->network == b->network && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool net_address_equal(const struct net_address *a, const struct net_address *b)
{
    return a->port == b->port && net_address_same_host(a, b);
}

struct prefix {
    uint8_t network;
    uint8_t bytes[16];
    unsigned bits;
};

/* Every address of the gossip comes here some times. */
static bool has_prefix(const struct net_address *address, const struct prefix *prefix)
{
    unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;
    if (address->network != prefix->network || memcmp(address->bytes, prefix->bytes, whole) != 0)
        return false;
    return rest == 0 || (address->bytes[whole] ^ prefix->bytes[whole]) >> (8 - rest) == 0;
}

static bool is_in(const struct net_address *address, const struct prefix *table, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (has_prefix(address, &table[i]))
            return true;
    return false;
}

bool net_address_is_local(const struct net_address *address)
{
    static const struct prefix local[] = {
        {NET_IPV4, {0x7f}, 8},
        {NET_IPV4, {0x00}, 8},
        {NET_IPV6,
         {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
          0x01},
         128},
    };
    return is_in(address, local, COUNT_OF(local));
}

bool net_address_is_private(const struct net_address *address)
{
    static const struct prefix own[] = {
        {NET_IPV4, {0x0a}, 8},        /* RFC 1918 */
        {NET_IPV4, {0xc0, 0xa8}, 16}, /* RFC 1918 */
        {NET_IPV4, {0xac, 0x10}, 12}, /* RFC 1918 */
        {NET_IPV4, {0xa9, 0xfe}, 16}, /* RFC 3927, link-local */
        {NET_IPV6, {0xfc}, 7},        /* RFC 4193 */
        {NET_IPV6, {0xfe, 0x80}, 10}, /* RFC 4862, link-local */
    };
    return is_in(address, own, COUNT_OF(own));
}

bool net_address_is_valid(const struct net_address *address)
{
    static const struct prefix nobodys[] = {
        {NET_IPV4, {0x00}, 32},
        {NET_IPV4, {0xff, 0xff, 0xff, 0xff}, 32},
        {NET_IPV6, {0x00}, 128},
        {NET_IPV6, {0x20, 0x01, 0x0d, 0xb8}, 32}, /* RFC 3849, documentation */
    };
    return address->network != NET_NONE && !is_in(address, nobodys, COUNT_OF(nobodys));
}

bool net_address_is_routable(const struct net_address *address)
{
    static const struct prefix reserved[] = {
        {NET_IPV4, {0xc6, 0x12}, 15},             /* RFC 2544 */
        {NET_IPV4, {0x64, 0x40}, 10},             /* RFC 6598 */
        {NET_IPV4, {0xc0, 0x00, 0x02}, 24},       /* RFC 5737 */
        {NET_IPV4, {0xc6, 0x33, 0x64}, 24},       /* RFC 5737 */
        {NET_IPV4, {0xcb, 0x00, 0x71}, 24},       /* RFC 5737 */
        {NET_IPV4, {0xe0}, 3},                    /* multicast, reserved, broadcast */
        {NET_IPV6, {0x20, 0x01, 0x0d, 0xb8}, 32}, /* RFC 3849, documentation */
        {NET_IPV6, {0x20, 0x01, 0x00, 0x10}, 28}, /* RFC 4843 */
        {NET_IPV6, {0x20, 0x01, 0x00, 0x20}, 28}, /* RFC 7343 */
        {NET_IPV6, {0xff}, 8},                    /* multicast */
        {NET_IPV6, {0x00}, 128},
    };
    if (address->network == NET_NONE || address->network == NET_TORV2 ||
        net_network_bytes(address->network) == 0)
        return false;
    if (address->network == NET_CJDNS)
        return address->bytes[0] == 0xfc;
    return !net_address_is_local(address) && !net_address_is_private(address) &&
           !is_in(address, reserved, COUNT_OF(reserved));
}

/* -- Names and hashes ---------------------------------------------------------------------------
 */

/* Core's: no address of a network begins so. RFC 4193 */
static const uint8_t internal_prefix[6] = {0xfd, 0x6b, 0x88, 0xc0, 0x87, 0x24};

struct net_address net_address_of_internal(const char *name)
{
    struct net_address address = {.network = NET_IPV6};
    uint8_t hash[32];
    ASSERT(name);
    sha256(span_of_string(name), hash);
    memcpy(address.bytes, internal_prefix, sizeof internal_prefix);
    memcpy(address.bytes + sizeof internal_prefix, hash, 16 - sizeof internal_prefix);
    return address;
}

bool net_address_is_internal(const struct net_address *address)
{
    return address->network == NET_IPV6 &&
           memcmp(address->bytes, internal_prefix, sizeof internal_prefix) == 0;
}

bool net_address_linked_ipv4(const struct net_address *address, uint8_t out[4])
{
    static const struct prefix six_to_four = {NET_IPV6, {0x20, 0x02}, 16}; /* RFC 3964 */
    static const struct prefix teredo = {NET_IPV6, {0x20, 0x01}, 32};      /* RFC 4380 */
    static const struct prefix translated[] = {
        {NET_IPV6, {0x00, 0x64, 0xff, 0x9b}, 96}, /* RFC 6052 */
        {NET_IPV6, {[8] = 0xff, [9] = 0xff}, 96}, /* RFC 6145 */
    };
    const uint8_t *b = address->bytes;
    if (address->network == NET_IPV4) {
        memcpy(out, b, 4);
    } else if (has_prefix(address, &six_to_four)) {
        memcpy(out, b + 2, 4);
    } else if (has_prefix(address, &teredo)) {
        for (size_t i = 0; i < 4; i++)
            out[i] = (uint8_t)~b[12 + i];
    } else if (is_in(address, translated, COUNT_OF(translated))) {
        memcpy(out, b + 12, 4);
    } else {
        return false;
    }
    return true;
}

bool net_port_is_bad(uint16_t port)
{
    /* clang-format off */
    static const uint16_t bad[] = { /* rising */
        1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101,
        102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389,
        427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636,
        989, 990, 993, 995, 1719, 1720, 1723, 2049, 3306, 3389, 3659, 4045, 5060, 5061, 5432, 5900,
        6000, 6566, 6665, 6666, 6667, 6668, 6669, 6697, 10080, 27017,
    };
    /* clang-format on */
    size_t i = 0;
    while (i < COUNT_OF(bad) && bad[i] < port)
        i++;
    return i < COUNT_OF(bad) && bad[i] == port;
}

static uint64_t hash_address(struct siphash_key key, const struct net_address *address,
                             uint16_t port)
{
    uint8_t bytes[1 + NET_ADDRESS_BYTES_MAX + 2];
    bytes[0] = address->network;
    memcpy(bytes + 1, address->bytes, NET_ADDRESS_BYTES_MAX);
    bytes[33] = (uint8_t)(port >> 8);
    bytes[34] = (uint8_t)port;
    return siphash24(key, span_of(bytes, sizeof bytes));
}

uint64_t net_address_hash(struct siphash_key key, const struct net_address *address)
{
    return hash_address(key, address, address->port);
}

/* -- Ranges -------------------------------------------------------------------------------------
 */

/* A mask written as an address: ones, then zeros. */
static bool mask_bits(const struct net_address *mask, unsigned *bits)
{
    unsigned n = 0, size = 8 * (unsigned)net_network_bytes(mask->network);
    while (n < size && mask->bytes[n / 8] >> (7 - n % 8) & 1)
        n++;
    *bits = n;
    for (; n < size; n++)
        if (mask->bytes[n / 8] >> (7 - n % 8) & 1)
            return false;
    return true;
}

bool net_range_parse(const char *text, struct net_range *out)
{
    ASSERT(text && out);
    char host[NET_ADDRESS_TEXT_MAX];
    const char *slash = strchr(text, '/');
    size_t n = slash ? (size_t)(slash - text) : strlen(text);
    if (n >= sizeof host)
        return false;
    memcpy(host, text, n);
    host[n] = '\0';
    if (hidden_name_parse(host, &out->base)) {
        out->bits = 8 * (unsigned)net_network_bytes(out->base.network);
        return !slash;
    }
    if (!net_address_parse(host, 0, &out->base) || out->base.port != 0)
        return false;
    unsigned size = 8 * (unsigned)net_network_bytes(out->base.network);
    out->bits = size;
    if (!slash)
        return true;
    struct net_address mask;
    if (net_address_parse(slash + 1, 0, &mask))
        return mask.network == out->base.network && mask_bits(&mask, &out->bits);
    const char *s = slash + 1;
    return take_decimal(&s, size, &out->bits) && *s == '\0';
}

bool net_range_contains(const struct net_range *range, const struct net_address *address)
{
    ASSERT(range->bits <= 8 * NET_ADDRESS_BYTES_MAX);
    if (address->network != range->base.network)
        return false;
    unsigned whole = range->bits / 8, rest = range->bits % 8;
    if (memcmp(address->bytes, range->base.bytes, whole) != 0)
        return false;
    if (rest == 0)
        return true;
    unsigned mask = 0xffu << (8 - rest);
    return ((address->bytes[whole] ^ range->base.bytes[whole]) & mask & 0xff) == 0;
}

void net_address_host_id(const struct net_address *address, uint8_t out[32])
{
    memset(out, 0, 32);
    memcpy(out, address->bytes, 31);
    out[31] = (uint8_t)(address->network ^ address->bytes[31]);
}
