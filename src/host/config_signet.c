/* config_signet.c - see config_signet.h */
#include "host/config_signet.h"

#include <sys/random.h>

#include "host/config_base.h"

/* Empty: none is given, or it was withdrawn. */
static const char *key_of(const struct options *options)
{
    return options_is_negated(options, "signetminerkey")
               ? NULL
               : options_get_string(options, "signetminerkey", NULL);
}

static bool make_signer(struct config_signet *config, const struct network *network,
                        const char *key, char **error)
{
    enum signet_signer_fault fault;
    uint8_t seed[32] = {0}; /* without randomness signing is as right, only not blinded */
    (void)!getrandom(seed, sizeof seed, 0);
    config->signer = signet_signer_new(network, key, seed, &fault);
    switch (fault) {
    case SIGNET_SIGNER_OK:
        config->pays_to = signet_signer_script(config->signer);
        return true;
    case SIGNET_SIGNER_NO_KEY:
        return REFUSE(error, "-signetminerkey is no private key: give it in WIF, or as 64 hex "
                             "digits");
    case SIGNET_SIGNER_OTHER_NETWORK:
        return REFUSE(error, "-signetminerkey is a private key of the main network, which is not "
                             "to be used on signet");
    case SIGNET_SIGNER_NO_FIT:
        return REFUSE(error, "-signetminerkey does not fit the challenge of this signet: name the "
                             "signet of that key with -signetchallenge");
    }
    return false;
}

static bool set_address(struct config_signet *config, const struct options *options,
                        const struct network *network, char **error)
{
    const char *address = options_get_string(options, "signetmineaddress", NULL);
    size_t len;
    if (!address)
        return true;
    if (!address_decode(network, address, config->script, &len, NULL))
        return REFUSE(error, "-signetmineaddress is no address of signet: '%s'", address);
    config->pays_to = span_of(config->script, len);
    return true;
}

/* The first of the options that is given and has no meaning without a signet's key. */
static const char *orphan_of(const struct options *options)
{
    static const char *const names[] = {"signetmineinterval", "signetmineaddress"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (options_is_set(options, names[i]) && !options_is_negated(options, names[i]))
            return names[i];
    return NULL;
}

bool config_signet_init(struct config_signet *config, const struct options *options,
                        const struct network *network, char **error)
{
    ASSERT(config && error);
    *config = (struct config_signet){.signer = NULL};
    const char *key = key_of(options), *orphan = orphan_of(options);
    if (!network->signet_blocks && (key || orphan))
        return REFUSE(error, "-%s is for signet only, and the chain is %s",
                      key ? "signetminerkey" : orphan, network->name);
    if (!key)
        return !orphan || REFUSE(error, "-%s needs -signetminerkey", orphan);
    config->mine_interval_s = options_get_int(options, "signetmineinterval", 0);
    if (config->mine_interval_s < 0 || config->mine_interval_s > CONFIG_MINE_INTERVAL_MAX_S)
        return REFUSE(error, "-signetmineinterval must be from 1 to %d seconds (0: never)",
                      CONFIG_MINE_INTERVAL_MAX_S);
    return make_signer(config, network, key, error) && set_address(config, options, network, error);
}

void config_signet_deinit(struct config_signet *config)
{
    signet_signer_free(config->signer);
    *config = (struct config_signet){.signer = NULL};
}
