/* hidden_name.c - see hidden_name.h. */
#include "p2p/core/hidden_name.h"

#include <string.h>

#include "crypto/hash.h"

#define KEY_BYTES   32
#define ONION_BYTES (KEY_BYTES + 3) /* the checksum's two and the version follow the key */

static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

static const struct {
    enum net_network network;
    const char *suffix;
} kinds[] = {{NET_TORV3, ".onion"}, {NET_I2P, ".b32.i2p"}};

/* RFC 4648 in lower case without padding. */
static char *write_base32(const uint8_t *bytes, size_t len, char *out)
{
    unsigned held = 0, bits = 0;
    for (size_t i = 0; i < len; i++) {
        held = held << 8 | bytes[i];
        bits += 8;
        while (bits >= 5) {
            bits -= 5;
            *out++ = digits[held >> bits & 31];
        }
    }
    if (bits > 0)
        *out++ = digits[held << (5 - bits) & 31];
    return out;
}

char *hidden_name_format(const struct net_address *address, char *out)
{
    if (address->network == NET_IPV6) {
        memcpy(write_base32(address->bytes + 6, 10, out), ".internal", sizeof ".internal");
        return out;
    }
    ASSERT(address->network == NET_TORV3 || address->network == NET_I2P);
    static const char label[] = ".onion checksum";
    uint8_t bytes[ONION_BYTES], checked[sizeof label - 1 + KEY_BYTES + 1], hash[32];
    bool is_onion = address->network == NET_TORV3;
    memcpy(bytes, address->bytes, KEY_BYTES);
    memcpy(checked, label, sizeof label - 1);
    memcpy(checked + sizeof label - 1, bytes, KEY_BYTES);
    checked[sizeof checked - 1] = 3; /* the version */
    sha3_256(span_of(checked, sizeof checked), hash);
    memcpy(bytes + KEY_BYTES, hash, 2);
    bytes[ONION_BYTES - 1] = 3;
    char *end = write_base32(bytes, is_onion ? ONION_BYTES : KEY_BYTES, out);
    const char *suffix = kinds[is_onion ? 0 : 1].suffix;
    memcpy(end, suffix, strlen(suffix) + 1);
    return out;
}

static bool read_base32(const char *text, size_t len, uint8_t out[KEY_BYTES])
{
    unsigned held = 0, bits = 0;
    for (size_t i = 0, n = 0; i < len; i++) {
        const char *digit = strchr(digits, text[i]);
        if (!digit)
            return false;
        held = (held << 5 | (unsigned)(digit - digits)) & 0xfff;
        bits += 5;
        if (bits >= 8 && n < KEY_BYTES) {
            bits -= 8;
            out[n++] = (uint8_t)(held >> bits);
        } else if (bits >= 8) {
            bits -= 8; /* checksum and version: compared as text */
        }
    }
    return true;
}

bool hidden_name_parse(const char *text, struct net_address *out)
{
    char lower[NET_ADDRESS_TEXT_MAX], again[NET_ADDRESS_TEXT_MAX];
    size_t len = strlen(text);
    if (len >= sizeof lower)
        return false;
    for (size_t i = 0; i <= len; i++)
        lower[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i]);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        size_t suffix = strlen(kinds[i].suffix);
        if (len <= suffix || strcmp(lower + len - suffix, kinds[i].suffix) != 0)
            continue;
        *out = (struct net_address){.network = (uint8_t)kinds[i].network};
        /* The length, the bits left over, the checksum and the version are right if the address
         * has this very name. */
        return read_base32(lower, len - suffix, out->bytes) &&
               strcmp(hidden_name_format(out, again), lower) == 0;
    }
    return false;
}
