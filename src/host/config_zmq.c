/* config_zmq.c - see config_zmq.h */
#include "host/config_zmq.h"

#include <stdio.h>
#include <string.h>

#include "host/config_base.h"
#include "util/alloc.h"

#define HWM_DEFAULT 1000

/* libzmq calls the sockets of the file system ipc. */
static char *address_of(const char *value)
{
    bool is_unix = strncmp(value, "unix:", 5) == 0;
    return is_unix ? xasprintf("ipc://%s", value + 5) : xstrdup(value);
}

static bool add_publishers(struct config_zmq *zmq, const struct options *options, const char *type,
                           char **error)
{
    char name[64], hwm[64];
    const char *value;
    snprintf(name, sizeof name, "zmq%s", type);
    snprintf(hwm, sizeof hwm, "zmq%shwm", type);
    for (size_t i = 0; (value = options_get_list(options, name, i)); i++) {
        if (strncmp(value, "unix:", 5) != 0 && !strstr(value, "://"))
            return REFUSE(error, "Invalid port specified in -%s: '%s'", name, value);
        if (zmq->publishers.n == CONFIG_PUBLISHERS_MAX)
            return REFUSE(error, "More than %d options -zmqpub*.", CONFIG_PUBLISHERS_MAX);
        *ARRAY_ADD(&zmq->publishers) = (struct rpc_publisher){
            .type = type,
            .address = address_of(value),
            .hwm = (int)options_get_int(options, hwm, HWM_DEFAULT),
        };
    }
    return true;
}

bool config_zmq_init(struct config_zmq *zmq, const struct options *options, char **error)
{
    ASSERT(zmq->publishers.n == 0 && error);
    static const char *const types[] = {"pubhashblock", "pubhashtx", "pubrawblock", "pubrawtx",
                                        "pubsequence"};
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (!add_publishers(zmq, options, types[i], error))
            return false;
    return true;
}

void config_zmq_deinit(struct config_zmq *zmq)
{
    ASSERT(zmq);
    for (size_t i = 0; i < zmq->publishers.n; i++)
        xfree((char *)zmq->publishers.at[i].address);
    ARRAY_FREE(&zmq->publishers);
}
