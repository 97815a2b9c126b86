/* test_named_node.c - nodes by name: found later, moved, never there, asked once. */
#include "p2p/state.h"
#include "support/mesh.h"
#include "support/unit.h"
#include "util/alloc.h"

#define SERVICES    (NODE_NETWORK | NODE_WITNESS)
#define SECOND      INT64_C(1000000)
#define ADDED_BYTES 256

/* A world whose only name has the addresses that the test gives it. */
struct fixture {
    struct chain_builder builder;
    struct mesh mesh;
    struct mesh_node *node;
    const char *addresses[4];
    size_t n_addresses;
    char name[64]; /* asked for last */
    env_resolve_fn *done;
    void *arg;
    int n_asked, n_cancelled;
};

static void answer(void *arg)
{
    struct fixture *f = arg;
    env_resolve_fn *done = f->done;
    f->done = NULL;
    if (done)
        done(f->arg, f->addresses, f->n_addresses);
}

static uint64_t fake_resolve(void *ctx, const char *name, env_resolve_fn *done, void *arg)
{
    struct fixture *f = ctx;
    snprintf(f->name, sizeof f->name, "%s", name);
    assert_null(f->done);
    f->done = done;
    f->arg = arg;
    (void)env_timer_start(sim_env_get(f->node->sim), 1000, answer, f);
    return (uint64_t)++f->n_asked;
}

static void fake_cancel(void *ctx, uint64_t id)
{
    struct fixture *f = ctx;
    assert_int_equal(id, f->n_asked);
    f->done = NULL;
    f->n_cancelled++;
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    chain_builder_init(&f->builder);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    mesh_deinit(&f->mesh);
    chain_builder_deinit(&f->builder);
    xfree(f);
    return 0;
}

FIXTURE(setup, teardown)

static void start(struct fixture *f, uint64_t seed, const struct p2p_options *options)
{
    const struct p2p_options alone = {.connect_only = true};
    mesh_init(&f->mesh, seed, &f->builder, NULL);
    f->node = mesh_add(&f->mesh, options ? options : &alone, NULL);
    struct env *env = (struct env *)sim_env_get(f->node->sim);
    env->names = (struct env_names){.ctx = f, .resolve = fake_resolve, .cancel = fake_cancel};
}

static void remember_added(void *arg, const char *address, const struct net_peer_info *peer)
{
    char *text = arg;
    snprintf(text, ADDED_BYTES, "%s%s%s", address, peer ? " " : "", peer ? peer->address : "");
}

TEST(a_name_that_is_not_known_yet_is_tried_again, struct fixture *f)
{
    char added[ADDED_BYTES] = "";
    start(f, 301, NULL);
    assert_int_equal(p2p_add_node(f->node->p2p, "later.example:700", false), NET_RESULT_OK);
    assert_int_equal(p2p_add_node(f->node->p2p, "later.example:700", false), NET_RESULT_EXISTS);
    mesh_run(&f->mesh, 10 * SECOND);
    assert_string_equal(f->name, "later.example");
    assert_int_equal(f->n_asked, 4); /* now, and after 1, 2 and 4 seconds */
    p2p_each_added(f->node->p2p, remember_added, added);
    assert_string_equal(added, "later.example:700");
    mesh_run(&f->mesh, 600 * SECOND);
    assert_in_range(f->n_asked, 14, 18); /* each minute */
    f->addresses[0] = "10.9.9.9";
    f->n_addresses = 1;
    struct raw_peer *raw = raw_listen(&f->mesh, 700);
    mesh_run(&f->mesh, 61 * SECOND);
    raw_handshake(raw, SERVICES);
    p2p_each_added(f->node->p2p, remember_added, added);
    assert_string_equal(added, "later.example:700 10.9.9.9:700");
    int n_asked = f->n_asked;
    mesh_run(&f->mesh, 300 * SECOND);
    assert_int_equal(f->n_asked, n_asked); /* nothing to be asked while it is there */
    assert_int_equal(p2p_disconnect_address(f->node->p2p, "later.example:700"), NET_RESULT_OK);
    mesh_run(&f->mesh, 2 * SECOND);
    assert_int_equal(f->n_asked, n_asked + 1);
}

TEST(each_address_of_a_name_is_tried, struct fixture *f)
{
    start(f, 302, NULL);
    f->addresses[0] = "10.9.9.8"; /* nobody */
    f->addresses[1] = "nonsense";
    f->addresses[2] = "10.9.9.9";
    f->n_addresses = 3;
    struct raw_peer *raw = raw_listen(&f->mesh, 700);
    assert_int_equal(p2p_add_node(f->node->p2p, "two.example:700", false), NET_RESULT_OK);
    mesh_run(&f->mesh, PEER_DIAL_US + SECOND);
    assert_true(raw->is_up);
    assert_int_equal(f->n_asked, 1);
}

TEST(hidden_services_are_never_asked_for_in_dns, struct fixture *f)
{
    static const char *const names[] = {
        "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion",
        "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:700", "short.ONION",
        "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p:0"};
    start(f, 303, NULL);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(p2p_add_node(f->node->p2p, names[i], false), NET_RESULT_OK);
    mesh_run(&f->mesh, 200 * SECOND);
    assert_int_equal(f->n_asked, 0);
    assert_int_equal(f->node->p2p->named.n, COUNT_OF(names)); /* tried for ever */
}

TEST(without_dns_only_addresses_are_dialled, struct fixture *f)
{
    const struct p2p_options options = {.connect_only = true, .no_dns = true};
    start(f, 304, &options);
    struct raw_peer *raw = raw_listen(&f->mesh, 700);
    assert_int_equal(p2p_add_node(f->node->p2p, "a.example", false), NET_RESULT_OK);
    assert_int_equal(p2p_add_node(f->node->p2p, "10.9.9.9:700", false), NET_RESULT_OK);
    mesh_run(&f->mesh, 10 * SECOND);
    assert_int_equal(f->n_asked, 0);
    assert_true(raw->is_up);
}

TEST(what_is_tried_once_is_forgotten, struct fixture *f)
{
    start(f, 305, NULL);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(p2p_try_node(f->node->p2p, "once.example:700", false), NET_RESULT_OK);
        mesh_run(&f->mesh, 30 * SECOND);
        assert_int_equal(f->n_asked, i + 1);
        assert_int_equal(f->node->p2p->named.n, 0);
        f->addresses[f->n_addresses++] = "10.9.9.8"; /* nobody there */
    }
    assert_int_equal(p2p_remove_node(f->node->p2p, "once.example:700"), NET_RESULT_UNKNOWN);
    for (int i = 0; i < P2P_ONCE_MAX; i++)
        assert_int_equal(p2p_try_node(f->node->p2p, "many.example:1", false), NET_RESULT_OK);
    assert_int_equal(p2p_try_node(f->node->p2p, "many.example:1", false), NET_RESULT_FULL);
}

TEST(a_node_can_be_removed_while_its_name_is_looked_up, struct fixture *f)
{
    start(f, 306, NULL);
    assert_int_equal(p2p_add_node(f->node->p2p, "gone.example", false), NET_RESULT_OK);
    while (f->n_asked == 0)
        mesh_run(&f->mesh, 10);
    assert_int_equal(p2p_remove_node(f->node->p2p, "gone.example"), NET_RESULT_OK);
    assert_int_equal(f->n_cancelled, 1);
    mesh_run(&f->mesh, 10 * SECOND);
    assert_int_equal(f->n_asked, 1);
    /* And when all ends. */
    assert_int_equal(p2p_add_node(f->node->p2p, "end.example", false), NET_RESULT_OK);
    while (f->n_asked == 1)
        mesh_run(&f->mesh, 10);
    mesh_stop_node(f->node);
    assert_int_equal(f->n_cancelled, 2);
}

TEST(a_text_that_cannot_be_a_name_is_refused, struct fixture *f)
{
    char text[NAMED_TEXT_MAX + 2];
    start(f, 307, NULL);
    memset(text, 'a', sizeof text);
    text[NAMED_TEXT_MAX + 1] = '\0';
    assert_int_equal(p2p_add_node(f->node->p2p, text, false), NET_RESULT_BAD_ADDRESS);
    assert_int_equal(p2p_try_node(f->node->p2p, text, false), NET_RESULT_BAD_ADDRESS);
    text[NAMED_TEXT_MAX] = '\0';
    assert_int_equal(p2p_add_node(f->node->p2p, text, false), NET_RESULT_OK);
    assert_int_equal(p2p_add_node(f->node->p2p, "", false), NET_RESULT_BAD_ADDRESS);
    /* A port that is none makes the whole a name, as in Core. */
    assert_int_equal(p2p_add_node(f->node->p2p, "a.example:65536", false), NET_RESULT_OK);
    struct named_node *node = named_node_find(f->node->p2p, "a.example:65536", NAMED_ADDED);
    assert_string_equal(node->host, "a.example:65536");
    assert_int_equal(node->port, MESH_PORT);
}
