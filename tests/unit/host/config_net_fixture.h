/* config_net_fixture.h - a command line, read into the options about peers and the mempool.
 */
#ifndef TESTS_UNIT_HOST_CONFIG_NET_FIXTURE_H
#define TESTS_UNIT_HOST_CONFIG_NET_FIXTURE_H

#include "host/config.h"
#include "host/config_options.h"
#include "support/unit.h"
#include "util/alloc.h"

#define ARGS_MAX 16

struct fixture {
    struct options options;
    struct config config;
    struct config_net net; /* a copy */
    char *error;
    bool ok;
};

/* Read a command line, ended by NULL, on a network; done() frees what it is. */
static inline void read_args(struct fixture *f, enum network_kind kind, const char *const *args)
{
    const char *argv[ARGS_MAX + 1] = {"cairnd"};
    int argc = 1;
    size_t n;
    const struct option_def *defs = config_options(&n);
    while (args[argc - 1]) {
        assert_true(argc <= ARGS_MAX);
        argv[argc] = args[argc - 1];
        argc++;
    }
    options_init(&f->options, defs, n);
    f->error = NULL;
    assert_true(options_parse_args(&f->options, argc, argv, NULL, &f->error));
    memset(&f->config, 0, sizeof f->config);
    options_fill(&f->options, &f->config);
    f->ok = config_net_init(&f->config.net, &f->options, network_get(kind), "data", &f->error);
    f->net = f->config.net;
}

/* The same on regtest. */
#define READ(f, ...) read_args(f, NETWORK_REGTEST, (const char *const[]){__VA_ARGS__, NULL})

static inline void done(struct fixture *f)
{
    config_net_deinit(&f->config.net);
    options_deinit(&f->options);
    xfree(f->error);
}

#endif
