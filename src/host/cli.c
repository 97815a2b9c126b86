/* cli.c - cairn-cli: one call to a running node from the command line. */
#include "host/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "consensus/key_io.h"
#include "crypto/hash.h"
#include "host/cli_config.h"
#include "host/cli_newchain.h"
#include "host/http_client.h"
#include "rpc/cli_answer.h"
#include "rpc/cli_netinfo.h"
#include "rpc/cli_request.h"
#include "util/array.h"

#define CLI_VERSION    "v0.1.0"
#define WARMUP_CODE    (-28)
#define NO_METHOD_CODE (-32601)
#define ARENA_BYTES    65536
#define GENERATE_ARGS  2

/* One run of the program. */
struct cli {
    struct cli_config config;
    struct arena arena;
    char *stdin_password;
    ARRAY(const char *) args; /* method and arguments */
    time_t deadline;          /* of -rpcwait; 0: none */
};

/* -- Standard input ----------------------------------------------------------------------- */

/* A line without its end, in a new allocation; NULL at the end of the input. */
static char *read_line(void)
{
    struct buffer line;
    int c;
    buffer_init(&line);
    while ((c = getchar()) != EOF && c != '\n') {
        uint8_t byte = (uint8_t)c;
        buffer_append(&line, &byte, 1);
    }
    if (c == EOF && line.len == 0) {
        buffer_deinit(&line);
        return NULL;
    }
    if (line.len > 0 && line.p[line.len - 1] == '\r')
        line.len--;
    buffer_append(&line, "", 1);
    return (char *)line.p;
}

static char *read_password(void)
{
    struct termios old, silent;
    bool is_terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &old) == 0;
    if (is_terminal) {
        fputs("RPC password> ", stderr);
        silent = old;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSANOW, &silent);
    }
    char *password = read_line();
    if (is_terminal) {
        tcsetattr(STDIN_FILENO, TCSANOW, &old);
        fputs("\n", stderr);
    }
    return password;
}

static void add_arg(struct cli *cli, const char *arg)
{
    size_t size = strlen(arg) + 1;
    char *copy = arena_alloc(&cli->arena, size);
    memcpy(copy, arg, size);
    *ARRAY_ADD(&cli->args) = copy;
}

/* Arguments of the command line, then those of standard input. */
static bool collect_args(struct cli *cli, int argc, const char *const *argv, char **error)
{
    const struct options *options = &cli->config.options;
    if (options_get_bool(options, "stdinrpcpass", false)) {
        cli->stdin_password = read_password();
        if (!cli->stdin_password)
            return fail_with(error,
                             "-stdinrpcpass specified but failed to read from standard input");
    }
    for (int i = cli->config.first_operand; i < argc; i++)
        add_arg(cli, argv[i]);
    if (options_get_bool(options, "stdin", false)) {
        char *line;
        while ((line = read_line())) {
            add_arg(cli, line);
            xfree(line);
        }
    }
    return true;
}

/* -- Calls -------------------------------------------------------------------------------- */

static char *connection_message(const struct cli *cli, const char *why)
{
    if (cli->config.socket_path)
        return xasprintf("Could not connect to the server at %s%s%s%s\n\n"
                         "Make sure the cairnd server is running with the same -rpcsocket.\n"
                         "Use \"cairn-cli -help\" for more info.",
                         cli->config.socket_path, *why ? " (" : "", why, *why ? ")" : "");
    return xasprintf("Could not connect to the server %s:%u%s%s%s\n\n"
                     "Make sure the cairnd server is running and that you are connecting to the "
                     "correct RPC port.\nUse \"cairn-cli -help\" for more info.",
                     cli->config.host, (unsigned)cli->config.port, *why ? " (" : "", why,
                     *why ? ")" : "");
}

/* Why the node did not let us in. */
static char *login_message(const struct cli *cli, bool has_login)
{
    const char *why = "Cookie file credentials were invalid and no rpcpassword was specified.";
    if (cli_config_has_password(&cli->config, cli->stdin_password))
        why = "Incorrect rpcuser or rpcpassword were specified.";
    else if (!cli->config.cookie_path)
        why = "Cookie file was disabled via -norpccookiefile and no rpcpassword was specified.";
    else if (!has_login)
        why = "Failed to read cookie file and no rpcpassword was specified.";
    return xasprintf("Authorization failed: %s Configuration file: (%s)", why,
                     cli->config.config_path ? cli->config.config_path : "");
}

/* NULL if the answer can be read, else why not. */
static char *status_message(const struct cli *cli, int status, const struct buffer *body,
                            bool has_login)
{
    if (status == 401)
        return login_message(cli, has_login);
    if (status == 503)
        return xasprintf("Server response: %.*s", (int)body->len, (const char *)body->p);
    if (status >= 400 && status != 400 && status != 404 && status != 500)
        return xasprintf("server returned HTTP error %d", status);
    if (body->len == 0)
        return xstrdup("no response from server");
    return NULL;
}

/* Why a call did not come to an answer. */
struct call_error {
    char *text;
    bool is_connection; /* the node could not be reached */
    bool is_transient;  /* with -rpcwait: try again */
};

/* Send once. Returns: the parsed answer in the arena, or NULL with the error. */
static struct json_value *post_once(struct cli *cli, struct span request, struct call_error *error)
{
    struct buffer body;
    struct json_value *reply = NULL;
    char *why = NULL;
    int status = 0;
    char *login = cli_config_login(&cli->config, cli->stdin_password);
    char *path = cli_config_path(&cli->config);
    struct http_client_request http = {.host = cli->config.host,
                                       .port = cli->config.port,
                                       .socket_path = cli->config.socket_path,
                                       .path = path,
                                       .login = login ? login : "",
                                       .body = request,
                                       .timeout_s = cli->config.timeout_s};
    buffer_init(&body);
    enum http_client_outcome outcome = http_client_post(&http, &status, &body, &why);
    if (outcome == HTTP_CLIENT_NO_CONNECTION) {
        error->text = connection_message(cli, "");
        error->is_connection = true;
    } else if (outcome == HTTP_CLIENT_LOST) {
        error->text = connection_message(cli, why);
        error->is_connection = true;
    } else {
        error->text = status_message(cli, status, &body, login != NULL);
        /* A cookie that is not there yet is part of starting. */
        error->is_transient = status == 401 && !login && cli->config.cookie_path;
        if (!error->text && !json_parse(buffer_span(&body), &cli->arena, &reply))
            error->text = xstrdup("couldn't parse reply from server");
    }
    xfree(why);
    xfree(login);
    xfree(path);
    buffer_deinit(&body);
    return reply;
}

static bool is_warming_up(const struct json_value *reply)
{
    const struct json_value *first = reply->kind == JSON_KIND_ARRAY ? reply->first : reply;
    return first && cli_error_code(first) == WARMUP_CODE;
}

/* Send, again and again with -rpcwait. Returns: the answer, or NULL with *error. */
static struct json_value *post(struct cli *cli, struct span request, char **error)
{
    for (;;) {
        struct call_error failure = {0};
        struct json_value *reply = post_once(cli, request, &failure);
        bool again =
            reply ? is_warming_up(reply) : failure.is_connection || failure.is_transient;
        bool may_wait = cli->config.wait && (!cli->deadline || time(NULL) < cli->deadline);
        if (!again || !may_wait) {
            if (!reply && failure.is_connection)
                *error = xasprintf("timeout on transient error: %s", failure.text);
            else if (!reply)
                *error = xstrdup(failure.text);
            xfree(failure.text);
            return reply;
        }
        xfree(failure.text);
        usleep(100000);
    }
}

/* Call one method. */
static struct json_value *call(struct cli *cli, const char *method, const struct json_value *params,
                               char **error)
{
    struct buffer request;
    buffer_init(&request);
    cli_write_request(&request, method, params, 1);
    struct json_value *reply = post(cli, buffer_span(&request), error);
    buffer_deinit(&request);
    if (reply && reply->kind != JSON_KIND_OBJECT) {
        *error = xstrdup("expected reply to have result, error and id properties");
        return NULL;
    }
    return reply;
}

/* -- What the program does ---------------------------------------------------------------- */

static int print(const struct buffer *text, int code)
{
    FILE *to = code == 0 ? stdout : stderr;
    if (text->len > 0) {
        fwrite(text->p, 1, text->len, to);
        fputc('\n', to);
    }
    return fflush(to) == 0 ? code : 1;
}

static int print_reply(const struct json_value *reply)
{
    struct buffer text;
    buffer_init(&text);
    int code = print(&text, cli_write_answer(&text, reply));
    buffer_deinit(&text);
    return code;
}

static int run_method(struct cli *cli, char **error)
{
    struct json_value *params;
    if (cli->args.n == 0) {
        *error = xstrdup("too few parameters (need at least command)");
        return 1;
    }
    if (!cli_params(&cli->arena, cli->args.at[0], cli->args.at + 1, cli->args.n - 1,
                    options_get_bool(&cli->config.options, "named", false), &params, error))
        return 1;
    const struct json_value *reply = call(cli, cli->args.at[0], params, error);
    return reply ? print_reply(reply) : 1;
}

/* By -color. Returns: false with *error, if that cannot be */
static bool choose_colours(const struct cli *cli, bool *colours, char **error)
{
    const char *when = options_get_string(&cli->config.options, "color", "auto");
    *colours = strcmp(when, "auto") == 0 ? isatty(STDOUT_FILENO) : strcmp(when, "always") == 0;
    return *colours || strcmp(when, "auto") == 0 || strcmp(when, "never") == 0 ||
           fail_with(error,
                     "Invalid value for -color option. Valid values: always, auto, never.");
}

static int run_getinfo(struct cli *cli, char **error)
{
    bool colours;
    if (cli->args.n > 0) {
        *error = xstrdup("-getinfo takes no arguments");
        return 1;
    }
    if (!choose_colours(cli, &colours, error))
        return 1;
    const struct json_value *none = json_new(&cli->arena, JSON_KIND_ARRAY);
    const struct json_value *chain = call(cli, "getblockchaininfo", none, error);
    if (!chain)
        return 1;
    if (cli_error_code(chain) != 0)
        return print_reply(chain);
    const struct json_value *network = call(cli, "getnetworkinfo", none, error);
    if (!network)
        return 1;
    bool has_network = cli_error_code(network) == 0;
    struct buffer text;
    buffer_init(&text);
    cli_write_info(&text, json_find(chain, "result"),
                   has_network ? json_find(network, "result") : NULL, colours);
    int code = print(&text, 0);
    buffer_deinit(&text);
    return code;
}

/* Call a method without arguments. Returns: its result; NULL with *error set, or with *error NULL
 * once the node's error has been printed, whose exit code is *code. */
static const struct json_value *ask(struct cli *cli, const char *method, int *code, char **error)
{
    *code = 1;
    const struct json_value *reply =
        call(cli, method, json_new(&cli->arena, JSON_KIND_ARRAY), error);
    if (!reply)
        return NULL;
    if (cli_error_code(reply) != 0) {
        *code = print_reply(reply);
        return NULL;
    }
    return json_find(reply, "result");
}

static int run_addrinfo(struct cli *cli, char **error)
{
    int code;
    if (cli->args.n > 0) {
        *error = xstrdup("-addrinfo takes no arguments");
        return 1;
    }
    const struct json_value *counts = ask(cli, "getaddrmaninfo", &code, error);
    if (!counts)
        return code;
    struct buffer text;
    buffer_init(&text);
    cli_addrinfo_write(&text, counts);
    code = print(&text, 0);
    buffer_deinit(&text);
    return code;
}

/* What the dashboard calls the chain: nothing if it is the main one. */
static char *chain_suffix(const struct cli *cli)
{
    bool is_main = strcmp(cli->config.network->name, "main") == 0;
    return is_main ? xstrdup("") : xasprintf(" %s", cli->config.network->name);
}

static int run_netinfo(struct cli *cli, char **error)
{
    int code;
    struct cli_netinfo what;
    struct buffer text;
    if (!cli_netinfo_read(cli->args.at, cli->args.n, &what, error))
        return 1;
    buffer_init(&text);
    if (what.help) {
        cli_netinfo_help(&text);
        code = print(&text, 0);
        buffer_deinit(&text);
        return code;
    }
    const struct json_value *network = ask(cli, "getnetworkinfo", &code, error);
    const struct json_value *peers = network ? ask(cli, "getpeerinfo", &code, error) : NULL;
    if (peers) {
        char *chain = chain_suffix(cli);
        cli_netinfo_write(&text, &what, network, peers, chain, (int64_t)time(NULL));
        xfree(chain);
        code = print(&text, 0);
    }
    buffer_deinit(&text);
    return code;
}

/* The address of a witness script that is true whatever is given to it. */
static const char *anyone_can_spend(const struct cli *cli, char text[ADDRESS_SIZE])
{
    static const uint8_t op_true = 0x51;
    uint8_t script[34] = {0, 32};
    sha256(span_of(&op_true, 1), script + 2);
    bool ok = address_encode(cli->config.network, span_of(script, sizeof script), text);
    ASSERT(ok);
    return text;
}

static struct json_value *text_value(struct cli *cli, const char *s)
{
    return json_new_text(&cli->arena, JSON_KIND_STRING, span_of_string(s));
}

static int run_generate(struct cli *cli, char **error)
{
    char address[ADDRESS_SIZE];
    if (cli->args.n > GENERATE_ARGS) {
        *error = xstrdup("too many arguments (maximum 2 for nblocks and maxtries)");
        return 1;
    }
    if (cli->args.n > 0 && strcmp(cli->args.at[0], "0") == 0) {
        *error = xstrdup("the first argument (number of blocks to generate, default: 1) must be an "
                         "integer value greater than zero");
        return 1;
    }
    const struct json_value *none = json_new(&cli->arena, JSON_KIND_ARRAY);
    struct json_value *reply = call(cli, "getnewaddress", none, error);
    if (!reply)
        return 1;
    int code = cli_error_code(reply);
    if (code != 0 && code != NO_METHOD_CODE)
        return print_reply(reply);
    const char *to = code == 0 ? (const char *)json_find(reply, "result")->text.p
                               : anyone_can_spend(cli, address);
    const char *args[3] = {cli->args.n > 0 ? cli->args.at[0] : "1", to,
                           cli->args.n > 1 ? cli->args.at[1] : "1000000"};
    struct json_value *params;
    if (!cli_params(&cli->arena, "generatetoaddress", args, 3, false, &params, error))
        return 1;
    reply = call(cli, "generatetoaddress", params, error);
    if (!reply)
        return 1;
    if (cli_error_code(reply) != 0)
        return print_reply(reply);
    struct json_value *result = json_new(&cli->arena, JSON_KIND_OBJECT);
    struct json_value *blocks = json_new(&cli->arena, JSON_KIND_ARRAY);
    const struct json_value *hashes = json_find(reply, "result");
    *blocks = *hashes;
    blocks->next = NULL;
    json_add(result, "address", text_value(cli, to));
    json_add(result, "blocks", blocks);
    struct json_value *shown = json_new(&cli->arena, JSON_KIND_OBJECT);
    json_add(shown, "result", result);
    return print_reply(shown);
}

static int run_newchain(const struct cli *cli, char **error)
{
    struct buffer text;
    buffer_init(&text);
    int code = cli_newchain(cli->args.at + 1, cli->args.n - 1, &text, error) ? 0 : 1;
    if (code == 0 && text.len > 0)
        code = print(&text, 0);
    buffer_deinit(&text);
    return code;
}

/* Options that take the place of a method. */
static bool at_most_one_order(const struct options *options, char **error)
{
    static const char *const orders[] = {"addrinfo", "generate", "getinfo", "netinfo"};
    char given[64] = "";
    size_t n = 0, len = 0;
    for (size_t i = 0; i < COUNT_OF(orders); i++)
        if (options_get_bool(options, orders[i], false))
            len += (size_t)snprintf(given + len, sizeof given - len, "%s-%s", n++ ? ", " : "",
                                    orders[i]);
    return n < 2 || fail_with(error, "Only one of %s may be specified.", given);
}

static int run(struct cli *cli, int argc, const char *const *argv, char **error)
{
    const struct options *options = &cli->config.options;
    if (!cli_config_init(&cli->config, argc, argv, error))
        return 1;
    if (options_is_set(options, "version")) {
        puts("Cairn RPC client version " CLI_VERSION);
        return 0;
    }
    if (!cli->config.network || argc < 2) {
        struct buffer text;
        buffer_init(&text);
        cli_config_help(options, &text);
        print(&text, 0);
        buffer_deinit(&text);
        return cli->config.network ? 1 : 0;
    }
    if (!collect_args(cli, argc, argv, error))
        return 1;
    if (!at_most_one_order(options, error))
        return 1;
    if (cli->args.n > 0 && strcmp(cli->args.at[0], "newchain") == 0)
        return run_newchain(cli, error);
    if (cli->config.wait_timeout_s > 0)
        cli->deadline = time(NULL) + cli->config.wait_timeout_s;
    if (options_get_bool(options, "getinfo", false))
        return run_getinfo(cli, error);
    if (options_get_bool(options, "netinfo", false))
        return run_netinfo(cli, error);
    if (options_get_bool(options, "addrinfo", false))
        return run_addrinfo(cli, error);
    if (options_get_bool(options, "generate", false))
        return run_generate(cli, error);
    return run_method(cli, error);
}

int cli_main(int argc, const char *const *argv)
{
    struct cli cli = {0};
    char *error = NULL;
    arena_init(&cli.arena, ARENA_BYTES);
    int code = run(&cli, argc, argv, &error);
    if (error)
        fprintf(stderr, "error: %s\n", error);
    xfree(error);
    xfree(cli.stdin_password);
    ARRAY_FREE(&cli.args);
    cli_config_deinit(&cli.config);
    arena_deinit(&cli.arena);
    return code & 0xff;
}
