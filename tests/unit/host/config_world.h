/* config_world.h - a command line, read into a config in a fresh data directory. */
#ifndef TESTS_UNIT_HOST_CONFIG_WORLD_H
#define TESTS_UNIT_HOST_CONFIG_WORLD_H

#include "host/config.h"
#include "support/unit.h"
#include "temp_dir.h"
#include "util/alloc.h"

#define ARGS_MAX 16

struct world {
    struct temp_dir dir;
    char datadir_arg[128];
    struct config config;
    char *error;
};

static inline int setup(void **state)
{
    struct world *w = xcalloc(1, sizeof *w);
    temp_dir_make(&w->dir);
    snprintf(w->datadir_arg, sizeof w->datadir_arg, "-datadir=%s", w->dir.path);
    *state = w;
    return 0;
}

static inline void clear(struct world *w)
{
    config_deinit(&w->config);
    xfree(w->error);
    w->error = NULL;
}

static inline int teardown(void **state)
{
    struct world *w = *state;
    clear(w);
    temp_dir_remove(&w->dir);
    xfree(w);
    return 0;
}

/* Arguments after the data directory, ended by NULL. */
static inline bool init(struct world *w, ...)
{
    const char *argv[ARGS_MAX] = {"cairnd", w->datadir_arg};
    int argc = 2;
    va_list args;
    va_start(args, w);
    const char *arg;
    while ((arg = va_arg(args, const char *)))
        argv[argc++] = arg;
    va_end(args);
    clear(w);
    return config_init(&w->config, argc, argv, &w->error);
}

#define ASSERT_OK(...)                                                                             \
    do {                                                                                           \
        if (!init(__VA_ARGS__, NULL))                                                              \
            fail_msg("%s", w->error);                                                              \
    } while (0)

static inline bool says(const struct world *w, enum option_message_kind kind, const char *text)
{
    const struct options *options = &w->config.options;
    for (size_t i = 0; i < options->messages.n; i++)
        if (options->messages.at[i].kind == kind && strstr(options->messages.at[i].text, text))
            return true;
    return false;
}

#endif
