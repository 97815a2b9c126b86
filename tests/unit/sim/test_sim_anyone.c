/* test_sim_anyone.c - the address that miners are paid at. */
#include "sim/sim_anyone.h"

#include "sim/sim_spend.h"
#include "support/unit.h"

TEST(the_address_has_the_mark_of_its_network_and_leads_to_the_script)
{
    char text[ADDRESS_SIZE];
    uint8_t script[ADDRESS_SCRIPT_MAX];
    size_t len;
    struct network other = *network_get(NETWORK_REGTEST);
    sim_anyone_address(&other, text);
    assert_string_equal(text, SIM_SPEND_ADDRESS);
    other.bech32_hrp = "vil";
    sim_anyone_address(&other, text);
    assert_memory_equal(text, "vil1q", 5);
    assert_true(address_decode(&other, text, script, &len, NULL));
    assert_true(span_equal(span_of(script, len), sim_anyone_script()));
}
