/* config_dev.c - see config_dev.h */
#include "host/config_dev.h"

#include <string.h>

#include "host/config_base.h"
#include "util/alloc.h"
#include "util/parse.h"

#define POISSON "poisson:"

static struct dev_keys *make_keys(const struct network *network)
{
    static const uint8_t seed[32] = {0}; /* nothing here is secret */
    struct ec_context *ec = ec_context_new(seed);
    struct dev_keys *keys = dev_keys_new(ec, network);
    ec_context_free(ec);
    return keys;
}

static bool set_script(struct config_dev *dev, const struct options *options,
                       const struct network *network, char **error)
{
    const char *address = options_get_string(options, "mineraddress", NULL);
    size_t len;
    if (!address && dev->keys) { /* the first of the keys that everybody knows */
        dev->miner.script = span_of(dev->keys->at[0].script, DEV_KEY_SCRIPT);
        return true;
    }
    if (!address)
        return dev->miner.script.len > 0 ||
               REFUSE(error, "-automine needs -mineraddress, unless -dev is given");
    if (!address_decode(network, address, dev->script, &len, NULL))
        return REFUSE(error, "-mineraddress is no address of %s: '%s'", network->name, address);
    dev->miner.script = span_of(dev->script, len);
    return true;
}

static bool set_when(struct node_miner_options *miner, const char *when, char **error)
{
    size_t prefix = strlen(POISSON);
    miner->interval_s = 0;
    miner->on_tx = strcmp(when, "tx") == 0;
    if (miner->on_tx)
        return true;
    miner->is_poisson = strncmp(when, POISSON, prefix) == 0;
    const char *number = miner->is_poisson ? when + prefix : when;
    if (parse_int64(number, &miner->interval_s) && miner->interval_s > 0 &&
        miner->interval_s <= CONFIG_MINE_INTERVAL_MAX_S)
        return true;
    return REFUSE(error, "-automine must be tx, or 1 to %d seconds, or " POISSON
                         "<seconds>, not '%s'",
                  CONFIG_MINE_INTERVAL_MAX_S, when);
}

bool config_dev_init(struct config_dev *dev, const struct options *options,
                     const struct network *network, const struct config_signet *signet,
                     char **error)
{
    ASSERT(dev && network && error);
    const char *when = options_is_negated(options, "automine")
                           ? NULL
                           : options_get_string(options, "automine", NULL);
    bool is_on = options_get_bool(options, "dev", false);
    *dev = (struct config_dev){
        .miner = {.interval_s = signet->mine_interval_s, .script = signet->pays_to}};
    if (is_on) /* a test chain: config.c has looked */
        dev->keys = make_keys(network);
    if (!when)
        return !options_get_string(options, "mineraddress", NULL) ||
               REFUSE(error, "-mineraddress needs -automine");
    if (!network->mine_blocks_on_demand && !signet->signer)
        return REFUSE(error, "-automine is for chains whose blocks can be made here: regtest, or a "
                             "signet with -signetminerkey; the chain is %s",
                      network->name);
    if (signet->mine_interval_s > 0)
        return REFUSE(error, "-automine and -signetmineinterval: only one of them");
    return set_when(&dev->miner, when, error) && set_script(dev, options, network, error);
}

void config_dev_deinit(struct config_dev *dev)
{
    xfree(dev->keys);
    *dev = (struct config_dev){.keys = NULL};
}
