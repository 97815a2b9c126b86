/* base58.c - bytes as text without look-alike letters, plain and with a checksum. */
#include "crypto/base58.h"

#include "crypto/hash.h"
#include "crypto/mem.h"

static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

void base58_encode(struct span in, char *out)
{
    ASSERT(in.len <= BASE58_LEN_MAX);
    /* Leading zero bytes have no weight in the number: each is written as a digit of its own. */
    size_t zeros = 0;
    while (zeros < in.len && in.p[zeros] == 0)
        zeros++;

    uint8_t digits[BASE58_SIZE(BASE58_LEN_MAX)]; /* least significant first */
    size_t n = 0;
    for (size_t i = zeros; i < in.len; i++) {
        uint32_t carry = in.p[i];
        for (size_t j = 0; j < n; j++) {
            carry += (uint32_t)digits[j] << 8;
            digits[j] = (uint8_t)(carry % 58);
            carry /= 58;
        }
        for (; carry; carry /= 58)
            digits[n++] = (uint8_t)(carry % 58);
    }
    memset(out, alphabet[0], zeros);
    for (size_t i = 0; i < n; i++)
        out[zeros + i] = alphabet[digits[n - 1 - i]];
    out[zeros + n] = '\0';
    mem_wipe(digits, sizeof digits);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* number = number * 58 + digit, least significant byte first. False if it outgrows max_len: the
 * work grows with the square of the length, and a text of RPC may have megabytes. */
static bool add_digit(uint8_t *number, size_t *n, size_t max_len, size_t digit)
{
    size_t carry = digit;
    for (size_t j = 0; j < *n; j++) {
        carry += (size_t)number[j] * 58;
        number[j] = (uint8_t)carry;
        carry >>= 8;
    }
    if (carry) {
        if (*n == max_len)
            return false;
        number[(*n)++] = (uint8_t)carry;
    }
    return true;
}

bool base58_decode(const char *text, size_t max_len, uint8_t *out, size_t *len)
{
    ASSERT(max_len <= BASE58_LEN_MAX);
    while (is_blank(*text))
        text++;
    size_t zeros = 0;
    for (; *text == alphabet[0]; text++) {
        if (++zeros > max_len)
            return false;
    }
    uint8_t number[BASE58_LEN_MAX];
    size_t n = 0;
    for (; *text && !is_blank(*text); text++) {
        const char *found = strchr(alphabet, *text);
        if (!found || !add_digit(number, &n, max_len - zeros, (size_t)(found - alphabet)))
            return false;
    }
    while (is_blank(*text))
        text++;
    if (*text)
        return false;

    memset(out, 0, zeros);
    for (size_t i = 0; i < n; i++)
        out[zeros + i] = number[n - 1 - i];
    *len = zeros + n;
    mem_wipe(number, sizeof number);
    return true;
}

void base58check_encode(struct span in, char *out)
{
    ASSERT(in.len + 4 <= BASE58_LEN_MAX);
    uint8_t data[BASE58_LEN_MAX], digest[32];
    sha256d(in, digest);
    if (in.len)
        memcpy(data, in.p, in.len);
    memcpy(data + in.len, digest, 4);
    base58_encode(span_of(data, in.len + 4), out);
    mem_wipe(data, sizeof data);
}

bool base58check_decode(const char *text, size_t max_len, uint8_t *out, size_t *len)
{
    ASSERT(max_len + 4 <= BASE58_LEN_MAX);
    uint8_t data[BASE58_LEN_MAX], digest[32];
    size_t n;
    if (!base58_decode(text, max_len + 4, data, &n) || n < 4)
        return false;
    sha256d(span_of(data, n - 4), digest);
    bool ok = memcmp(digest, data + n - 4, 4) == 0;
    if (ok) {
        memcpy(out, data, n - 4);
        *len = n - 4;
    }
    mem_wipe(data, sizeof data);
    return ok;
}
