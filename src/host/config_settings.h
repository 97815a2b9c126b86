/* config_settings.h - settings.json: options that programs write, between the command line and the
 * config file in rank.
 *
 * Layer: host. Nothing of ours changes a setting yet, but who makes the file for bitcoind finds it
 * obeyed, and it is written back at each start as there. Spec: Core ReadSettings(),
 * WriteSettings(), messages too. */
#ifndef HOST_CONFIG_SETTINGS_H
#define HOST_CONFIG_SETTINGS_H

#include "rpc/json_in.h"
#include "util/env.h"
#include "util/options.h"

#define CONFIG_SETTINGS_NAME "settings.json"

struct config_settings {
    char *path;                        /* NULL: there is none, -nosettings */
    struct arena arena;                /* what was read */
    const struct json_value **members; /* by name, without the comment that we put there */
    size_t n;
};

/* Read the file of -settings, which need not be there, into options, and add messages about names
 * that are unknown.
 *
 * In:       data_dir  the network's; what a relative path starts from
 * Out:      settings  empty before; config_settings_deinit() in either case
 * Returns:  false with *error, lines for the user freed with xfree() */
NODISCARD bool config_settings_read(struct config_settings *settings, struct options *options,
                                    const char *data_dir, char **error);

/* Write the file anew, with the comment for who would edit it; nothing without a file.
 *
 * Returns:  false with *error, lines for the user freed with xfree() */
NODISCARD bool config_settings_write(const struct config_settings *settings, const struct env *env,
                                     char **error);

/* Call line for each setting, as text for the log; sensitive values are masked. */
void config_settings_describe(const struct config_settings *settings, const struct options *options,
                              void (*line)(void *ctx, const char *text), void *ctx);

/* Free what was read. */
void config_settings_deinit(struct config_settings *settings);

#endif
