/* fuzz_address.c - text that decodes as an address encodes to the same script, and the other way
 * round; no text upsets the search for its mistakes. */
#include <stdint.h>
#include <string.h>

#include "consensus/key_io.h"
#include "util/assert.h"

static void check_text(const struct network *network, const char *text)
{
    uint8_t script[ADDRESS_SCRIPT_MAX], again[ADDRESS_SCRIPT_MAX], key[32];
    struct address_error error;
    char canonical[ADDRESS_SIZE];
    size_t len, again_len;
    bool compressed;
    if (address_decode(network, text, script, &len, &error)) {
        ASSERT(address_encode(network, span_of(script, len), canonical));
        ASSERT(address_decode(network, canonical, again, &again_len, NULL));
        ASSERT(span_equal(span_of(script, len), span_of(again, again_len)));
    } else {
        ASSERT(error.message[0] != '\0');
        for (size_t i = 0; i < error.bech32.n; i++)
            ASSERT(bech32_error_at(&error.bech32, i) < strlen(text));
    }
    if (wif_decode(network, text, key, &compressed)) {
        char wif[WIF_SIZE];
        uint8_t key_again[32];
        wif_encode(network, key, compressed, wif);
        ASSERT(wif_decode(network, wif, key_again, &compressed));
        ASSERT(memcmp(key, key_again, 32) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 200)
        return 0;
    const struct network *network = network_get(data[0] % NETWORK_COUNT);
    char text[256];
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    check_text(network, text);

    struct span script = span_of(data + 1, size - 1);
    char address[ADDRESS_SIZE];
    if (address_encode(network, script, address)) {
        uint8_t back[ADDRESS_SCRIPT_MAX];
        size_t len;
        ASSERT(address_decode(network, address, back, &len, NULL));
        ASSERT(span_equal(script, span_of(back, len)));
    }
    return 0;
}
