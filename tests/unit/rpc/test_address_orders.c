/* test_address_orders.c - scripts are found among those that were asked for. */
#include "rpc/address_orders.h"

#include "crypto/hash.h"
#include "support/unit.h"

static struct span script_of(uint8_t *byte)
{
    return span_of(byte, 1);
}

TEST(scripts_are_found_by_bytes_or_by_hash)
{
    struct address_orders orders = {0};
    uint8_t bytes[] = {1, 2, 3, 4};
    /* The first is known by its hash alone. */
    struct address_script *script = ARRAY_ADD(&orders.scripts);
    *script = (struct address_script){0};
    sha256(script_of(&bytes[3]), script->hash.b);
    orders.n_unknown = 1;
    for (int i = 0; i < 2; i++)
        *ARRAY_ADD(&orders.scripts) = (struct address_script){.script = script_of(&bytes[i])};
    for (int i = 0; i < 2; i++)
        assert_ptr_equal(address_orders_find(&orders, script_of(&bytes[i])),
                         &orders.scripts.at[i + 1]);
    assert_null(address_orders_find(&orders, script_of(&bytes[2])));
    assert_ptr_equal(address_orders_find(&orders, script_of(&bytes[3])), &orders.scripts.at[0]);
    ARRAY_FREE(&orders.scripts);
}
