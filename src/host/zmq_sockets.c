/* zmq_sockets.c - see zmq_sockets.h */
#include "host/zmq_sockets.h"

#include <errno.h>
#include <string.h>

#include "util/alloc.h"
#include "util/endian.h"

#ifndef CAIRN_ZMQ

bool zmq_sockets_are_built(void)
{
    return false;
}

struct zmq_sockets *zmq_sockets_open(const struct rpc_publisher *publishers, size_t n,
                                     const struct log *log, char **error)
{
    ASSERT(publishers && n > 0 && error);
    (void)log;
    *error = xstrdup("This program was built without libzmq");
    return NULL;
}

void zmq_sockets_close(struct zmq_sockets *sockets)
{
    ASSERT(!sockets);
}

struct zmq_sink zmq_sockets_sink(struct zmq_sockets *sockets)
{
    ASSERT(!sockets);
    return (struct zmq_sink){0};
}

#else
#include <dlfcn.h>
#include <zmq.h>

#define LIBRARY "libzmq.so.5" /* the interface of all of version 4 */

/* Loaded when something is published: with what it needs itself, the library takes 0.3 MB of each
 * node and a quarter of the time of a start. */
struct library {
    void *handle;
    void *(*ctx_new)(void);
    int (*ctx_term)(void *context);
    void *(*socket)(void *context, int type);
    int (*setsockopt)(void *socket, int option, const void *value, size_t len);
    int (*bind)(void *socket, const char *address);
    int (*send)(void *socket, const void *data, size_t len, int flags);
    int (*close)(void *socket);
    const char *(*strerror)(int error);
};

struct zmq_sockets {
    struct library zmq;
    void *context;
    const struct rpc_publisher *publishers;
    size_t n;
    const struct log *log;
    void **sockets; /* of each publisher; the first of an address owns it */
};

bool zmq_sockets_are_built(void)
{
    return true;
}

static bool load(struct library *zmq, char **error)
{
    /* ISO C has no way from a pointer to an object to one to a function; POSIX promises that they
     * look alike. */
    const struct {
        const char *name;
        void *to;
    } functions[] = {
        {"zmq_ctx_new", &zmq->ctx_new}, {"zmq_ctx_term", &zmq->ctx_term},
        {"zmq_socket", &zmq->socket},   {"zmq_setsockopt", &zmq->setsockopt},
        {"zmq_bind", &zmq->bind},       {"zmq_send", &zmq->send},
        {"zmq_close", &zmq->close},     {"zmq_strerror", &zmq->strerror},
    };
    /* It stays: what it has on its heap hangs on its own variables. */
    zmq->handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!zmq->handle)
        return fail_with(error, "Unable to load libzmq: %s", dlerror());
    for (size_t i = 0; i < COUNT_OF(functions); i++) {
        void *function = dlsym(zmq->handle, functions[i].name);
        if (!function)
            return fail_with(error, "Unable to load libzmq: %s", dlerror());
        memcpy(functions[i].to, &function, sizeof function);
    }
    return true;
}

static bool set_option(const struct library *zmq, void *socket, int option, int value)
{
    return zmq->setsockopt(socket, option, &value, sizeof value) == 0;
}

/* The socket that a publisher before this one has at the same address, or NULL. */
static void *find_shared(const struct zmq_sockets *sockets, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(sockets->publishers[i].address, sockets->publishers[index].address) == 0)
            return sockets->sockets[i];
    return NULL;
}

static bool open_socket(struct zmq_sockets *sockets, size_t index, char **error)
{
    const struct rpc_publisher *publisher = &sockets->publishers[index];
    const struct library *zmq = &sockets->zmq;
    void *socket = zmq->socket(sockets->context, ZMQ_PUB);
    sockets->sockets[index] = socket;
    if (!socket || !set_option(zmq, socket, ZMQ_LINGER, 0) ||
        !set_option(zmq, socket, ZMQ_SNDHWM, publisher->hwm) ||
        !set_option(zmq, socket, ZMQ_TCP_KEEPALIVE, 1) ||
        (strchr(publisher->address, '[') && !set_option(zmq, socket, ZMQ_IPV6, 1)) ||
        zmq->bind(socket, publisher->address) != 0)
        return fail_with(error, "Unable to publish %s at %s: %s", publisher->type,
                         publisher->address, zmq->strerror(errno));
    return true;
}

struct zmq_sockets *zmq_sockets_open(const struct rpc_publisher *publishers, size_t n,
                                     const struct log *log, char **error)
{
    ASSERT(publishers && n > 0 && error);
    struct zmq_sockets *sockets = xcalloc(1, sizeof *sockets);
    *sockets = (struct zmq_sockets){.publishers = publishers, .n = n, .log = log};
    sockets->sockets = xcalloc(n, sizeof *sockets->sockets);
    bool is_good = load(&sockets->zmq, error);
    sockets->context = is_good ? sockets->zmq.ctx_new() : NULL;
    is_good = is_good && (sockets->context || fail_with(error, "Unable to start libzmq"));
    for (size_t i = 0; is_good && i < n; i++) {
        sockets->sockets[i] = find_shared(sockets, i);
        is_good = sockets->sockets[i] || open_socket(sockets, i, error);
        if (is_good)
            log_printf(log, LOG_ZMQ, "publishing %s at %s", publishers[i].type,
                       publishers[i].address);
    }
    if (is_good)
        return sockets;
    zmq_sockets_close(sockets);
    return NULL;
}

void zmq_sockets_close(struct zmq_sockets *sockets)
{
    if (!sockets)
        return;
    for (size_t i = 0; i < sockets->n; i++) {
        if (sockets->sockets[i] && !find_shared(sockets, i))
            sockets->zmq.close(sockets->sockets[i]);
    }
    if (sockets->context)
        sockets->zmq.ctx_term(sockets->context);
    if (sockets->zmq.handle)
        dlclose(sockets->zmq.handle);
    xfree(sockets->sockets);
    xfree(sockets);
}

static bool send_part(const struct library *zmq, void *socket, struct span part, int flags)
{
    return zmq->send(socket, part.p, part.len, flags | ZMQ_DONTWAIT) >= 0;
}

static void send_message(void *ctx, size_t index, const char *topic, struct span body,
                         uint32_t sequence)
{
    struct zmq_sockets *sockets = ctx;
    const struct library *zmq = &sockets->zmq;
    void *socket = sockets->sockets[index];
    uint8_t number[4];
    store_le32(number, sequence);
    if (!send_part(zmq, socket, span_of_string(topic), ZMQ_SNDMORE) ||
        !send_part(zmq, socket, body, ZMQ_SNDMORE) ||
        !send_part(zmq, socket, span_of(number, sizeof number), 0))
        log_warning(sockets->log, "ZeroMQ: %s could not be published: %s", topic,
                    zmq->strerror(errno));
}

struct zmq_sink zmq_sockets_sink(struct zmq_sockets *sockets)
{
    ASSERT(sockets);
    return (struct zmq_sink){.ctx = sockets, .send = send_message};
}
#endif
