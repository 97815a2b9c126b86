/* sim_replay.c - see sim_replay.h. Without --to the node is a simulated one of this very build, in
 * virtual time, so that a run under a debugger is the same each time. */
#include "sim/program/sim_replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/program/sim_capture_file.h"
#include "sim/sim_guest.h"
#include "util/alloc.h"
#include "util/parse.h"

#define GUEST_ADDRESS   "9.9.9.9" /* of the peers, in the simulation */
#define STEP_US         100000    /* of virtual time */
#define SIM_LINGER_US   60000000
#define REAL_LINGER_US  2000000
#define REAL_MAX_GAP_US 1000000
#define SIM_MAX_GAP_US  INT64_C(3600000000) /* peers ping each other far more often */
#define GAP_MS_MAX      86400000
#define ADDRESS_BYTES   64

struct replay {
    const struct network *network;
    char address[ADDRESS_BYTES]; /* of a real node; "": simulated */
    uint16_t port;
    int64_t max_gap_us; /* negative: not given */
    bool shows_log;
    char **paths;
    struct sim_capture_file *files[PLAYER_SOURCES_MAX];
    struct player_source sources[PLAYER_SOURCES_MAX];
    size_t n;
};

static int print_usage(void)
{
    fputs(
        "cairn-sim replay FILE... - play captured messages to a node, for bug reports\n\n"
        "Each FILE is a msgs_recv.dat of -capturemessages, and is played over a connection of\n"
        "its own. The node is a simulated one in this process, in virtual time, or a real one:\n\n"
        "  --to=ADDRESS:PORT  a real node, whose clock and data are its own\n"
        "  --chain=NAME       main, test, testnet4, signet or regtest (regtest)\n"
        "  --max-gap-ms=N     longer pauses are cut to that (1000 with --to, else an hour)\n"
        "  --log              what the simulated node does, line by line\n",
        stdout);
    return 0;
}

/* -- Options ------------------------------------------------------------------------------------
 */

/* "1.2.3.4:5" or "[::1]:5". */
static bool read_address(struct replay *replay, const char *text)
{
    const char *colon = strrchr(text, ':');
    int64_t port;
    bool has_brackets = *text == '[' && colon && colon > text && colon[-1] == ']';
    if (!colon || !parse_int64(colon + 1, &port) || port < 1 || port > UINT16_MAX)
        return false;
    size_t len = (size_t)(colon - text) - (has_brackets ? 2 : 0);
    if (len == 0 || len >= sizeof replay->address)
        return false;
    memcpy(replay->address, text + (has_brackets ? 1 : 0), len);
    replay->address[len] = '\0';
    replay->port = (uint16_t)port;
    return true;
}

static bool read_option(struct replay *replay, const char *arg)
{
    int64_t ms;
    if (strcmp(arg, "--log") == 0) {
        replay->shows_log = true;
        return true;
    }
    if (strncmp(arg, "--chain=", 8) == 0) {
        replay->network = network_find(arg + 8);
        return replay->network;
    }
    if (strncmp(arg, "--max-gap-ms=", 13) == 0) {
        bool ok = parse_int64(arg + 13, &ms) && ms >= 0 && ms <= GAP_MS_MAX;
        replay->max_gap_us = ok ? ms * 1000 : 0;
        return ok;
    }
    return strncmp(arg, "--to=", 5) == 0 && read_address(replay, arg + 5);
}

static bool read_arguments(struct replay *replay, int argc, char **argv)
{
    replay->paths = argv;
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0 && replay->n == PLAYER_SOURCES_MAX) {
            fprintf(stderr, "cairn-sim: replay takes %d files at most\n", PLAYER_SOURCES_MAX);
            return false;
        }
        if (strncmp(argv[i], "--", 2) != 0) {
            replay->paths[replay->n++] = argv[i];
        } else if (!read_option(replay, argv[i])) {
            fprintf(stderr,
                    "cairn-sim: %s is no option or out of range; see cairn-sim replay "
                    "--help\n",
                    argv[i]);
            return false;
        }
    }
    if (replay->n == 0)
        fputs("cairn-sim: replay takes the files to be played; see cairn-sim replay --help\n",
              stderr);
    return replay->n > 0;
}

static bool open_files(struct replay *replay)
{
    for (size_t i = 0; i < replay->n; i++) {
        replay->files[i] = sim_capture_file_open(replay->paths[i]);
        if (!replay->files[i])
            return false;
        replay->sources[i] = sim_capture_file_source(replay->files[i]);
    }
    return true;
}

static struct player *start_player(const struct replay *replay, const struct env *env,
                                   struct player_options options)
{
    options.magic = replay->network->magic;
    options.sources = replay->sources;
    options.n_sources = replay->n;
    options.max_gap_us = replay->max_gap_us >= 0 ? replay->max_gap_us : options.max_gap_us;
    return player_new(env, &options);
}

/* -- What came of it ----------------------------------------------------------------------------
 */

/* Returns: every connection held until the end */
static bool print_results(const struct replay *replay, const struct player *player)
{
    bool all_held = true;
    for (size_t i = 0; i < replay->n; i++) {
        struct player_result result = player_result_of(player, i);
        printf("%s: %" PRIu64 " of %" PRIu64 " messages sent (pongs are not), %" PRIu64 " came "
               "back\n",
               replay->paths[i], result.n_sent, sim_capture_file_count(replay->files[i]),
               result.n_received);
        if (!result.has_connected)
            printf("  no connection: %s\n", strerror(-result.error));
        else if (result.was_closed)
            printf("  the node closed the connection after message %" PRIu64 " (%s)\n",
                   result.n_sent, result.last_name);
        all_held = all_held && result.has_connected && !result.was_closed;
    }
    return all_held;
}

/* -- A simulated node ---------------------------------------------------------------------------
 */

static void show_line(void *ctx, const char *line)
{
    (void)ctx;
    puts(line);
}

static void show_warning(void *ctx, size_t node, const char *line)
{
    (void)ctx;
    (void)node;
    fprintf(stderr, "the node warns: %s\n", line);
}

static int64_t first_unix_s(const struct replay *replay)
{
    int64_t first_us = sim_capture_file_begins_us(replay->files[0]);
    for (size_t i = 1; i < replay->n; i++)
        first_us = MIN_OF(first_us, sim_capture_file_begins_us(replay->files[i]));
    return first_us / 1000000;
}

static int print_node(struct sim_world *world)
{
    struct sim_summary summary;
    if (sim_world_failure(world) || sim_world_state(world, 0) != SIM_MACHINE_ON) {
        const char *failure = sim_world_failure(world);
        printf("the node has stopped: %s\n", failure ? failure : "without an error");
        return 1;
    }
    if (!sim_world_summary(world, 0, &summary)) {
        puts("the node does not answer any more");
        return 1;
    }
    printf("height %d\ntip    %s\n", summary.height, summary.tip);
    return 0;
}

static int play_simulated(const struct replay *replay)
{
    const struct sim_world_options options = {
        .seed = 1,
        .n_nodes = 1,
        .network = replay->network,
        .trace = replay->shows_log ? show_line : NULL,
        .warned = show_warning,
        .traces_logs = replay->shows_log,
    };
    struct sim_world *world = sim_world_new(&options);
    struct sim_guest *guest = sim_guest_new(world, GUEST_ADDRESS);
    const struct env *env = sim_guest_env(guest);
    sim_world_move_clock(world, 0, first_unix_s(replay) - env_unix_s(env));
    sim_world_start(world, 0);
    sim_world_run_for(world, STEP_US);
    struct player *player =
        start_player(replay, env,
                     (struct player_options){.address = sim_world_address(world, 0),
                                             .port = replay->network->p2p_port,
                                             .max_gap_us = SIM_MAX_GAP_US,
                                             .linger_us = SIM_LINGER_US});
    while (!player_has_ended(player) && sim_world_state(world, 0) == SIM_MACHINE_ON)
        sim_world_run_for(world, STEP_US);
    bool all_held = print_results(replay, player);
    int status = print_node(world);
    player_free(player);
    sim_guest_free(guest);
    sim_world_free(world);
    return status || !all_held;
}

/* -- A real node --------------------------------------------------------------------------------
 */

static int play_real(const struct replay *replay, const struct sim_outside *outside)
{
    const struct env *env = outside->open(outside->ctx);
    if (!env) {
        fputs("cairn-sim: the system gives no descriptors for a connection\n", stderr);
        return 1;
    }
    struct player *player = start_player(replay, env,
                                         (struct player_options){.address = replay->address,
                                                                 .port = replay->port,
                                                                 .max_gap_us = REAL_MAX_GAP_US,
                                                                 .linger_us = REAL_LINGER_US,
                                                                 .waits_for_pongs = true});
    while (!player_has_ended(player))
        outside->run_once(outside->ctx);
    bool all_held = print_results(replay, player);
    player_free(player);
    return !all_held;
}

int sim_replay_command(int argc, char **argv, const struct sim_outside *outside)
{
    ASSERT(argc > 0 && argv && outside);
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return print_usage();
    struct replay *replay = xcalloc(1, sizeof *replay);
    replay->network = network_find("regtest");
    replay->max_gap_us = -1;
    int status = 2;
    if (read_arguments(replay, argc, argv)) {
        status = 1;
        if (open_files(replay))
            status = *replay->address ? play_real(replay, outside) : play_simulated(replay);
    }
    for (size_t i = 0; i < replay->n && replay->files[i]; i++)
        sim_capture_file_close(replay->files[i]);
    xfree(replay);
    return status;
}
