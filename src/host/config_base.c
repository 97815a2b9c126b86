/* config_base.c - see config_base.h */
#include "host/config_base.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/files.h"
#include "node/chain_file.h"
#include "util/config_file.h"
#include "util/env.h"

#define CONFIG_FILE_BYTES_MAX (1024 * 1024)
#define DEFAULT_DIR           ".cairn"
#define OTHER_DEFAULT_DIR     ".bitcoin" /* bitcoind's */

/* -- Paths ---------------------------------------------------------------------------------- */

bool config_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *config_path_in(const char *dir, const char *path)
{
    ASSERT(dir && path);
    if (path[0] == '/')
        return xstrdup(path);
    return xasprintf("%s/%s", dir, path);
}

char *config_network_dir(const char *dir, const struct network *network)
{
    return *network->data_dir ? config_path_in(dir, network->data_dir) : xstrdup(dir);
}

char *config_absolute(const char *path)
{
    char cwd[PATH_MAX];
    if (path[0] == '/' || !getcwd(cwd, sizeof cwd))
        return xstrdup(path);
    return config_path_in(cwd, path);
}

/* A directory of the user's. */
static char *dir_at_home(const char *name)
{
    const char *home = getenv("HOME");
    if (!home || !*home) {
        const struct passwd *user = getpwuid(getuid());
        home = user && user->pw_dir ? user->pw_dir : "";
    }
    return config_path_in(home, name);
}

/* -datadir, now or again after the config file named another. Returns: is it there? */
static bool choose_base_dir(const struct options *options, char **base_dir)
{
    const char *given = options_get_string(options, "datadir", "");
    *base_dir = *given ? config_absolute(given) : dir_at_home(DEFAULT_DIR);
    return !*given || config_is_dir(*base_dir);
}

/* -- The config file ------------------------------------------------------------------------ */

int config_read_text(const char *path, struct buffer *out)
{
    struct env_file *file = NULL;
    int rc = files_open(NULL, path, ENV_OPEN_READ, &file);
    if (rc != 0)
        return rc;
    uint8_t *p = buffer_reserve(out, CONFIG_FILE_BYTES_MAX + 1);
    int64_t got = files_read_at(NULL, file, 0, p, CONFIG_FILE_BYTES_MAX + 1);
    files_close(NULL, file);
    if (got < 0)
        return (int)got;
    if (got > CONFIG_FILE_BYTES_MAX)
        return -EFBIG;
    out->len += (size_t)got;
    return 0;
}

static int read_included(void *ctx, const char *path, struct buffer *out)
{
    char *full = config_path_in(ctx, path);
    int rc = config_read_text(full, out);
    xfree(full);
    return rc;
}

static bool exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

char *config_default_file(const char *dir)
{
    char *own = config_path_in(dir, CONFIG_FILE_NAME);
    char *other = config_path_in(dir, CONFIG_OTHER_FILE_NAME);
    bool is_other = !exists(own) && exists(other);
    xfree(is_other ? own : other);
    return is_other ? other : own;
}

/* Without -datadir a file that -conf names may lie in bitcoind's directory as well, so that both
 * programs can be told the same. Data is not kept there but where that file says. */
static void look_beside_bitcoind(const struct options *options, char **dir)
{
    const char *name = options_get_string(options, "conf", "");
    if (!*name || *name == '/' || *options_get_string(options, "datadir", ""))
        return;
    char *other_dir = dir_at_home(OTHER_DEFAULT_DIR);
    char *own = config_path_in(*dir, name), *other = config_path_in(other_dir, name);
    bool is_other = !exists(own) && exists(other);
    xfree(own);
    xfree(other);
    xfree(is_other ? *dir : other_dir);
    if (is_other)
        *dir = other_dir;
}

/* Which file it is; one that bears the other program's name is mentioned. */
static char *choose_config_file(struct options *options, const char *base_dir)
{
    if (options_is_set(options, "conf"))
        return config_path_in(base_dir, options_get_string(options, "conf", ""));
    char *path = config_default_file(base_dir);
    if (strcmp(strrchr(path, '/') + 1, CONFIG_OTHER_FILE_NAME) == 0)
        options_message(options, OPTION_MESSAGE_TOLD,
                        "Config file: %s, since there is no " CONFIG_FILE_NAME " beside it", path);
    return path;
}

static bool read_config_file(struct options *options, char *base_dir, const char *path,
                             char **error)
{
    struct buffer text;
    buffer_init(&text);
    int rc = config_read_text(path, &text);
    bool ok = true;
    if (rc == 0)
        ok = config_file_parse_all(options, buffer_span(&text), path, read_included, base_dir,
                                   error);
    else if (rc == -EISDIR)
        ok = REFUSE(error, "Error reading configuration file: Config file \"%s\" is a directory.",
                    path);
    else if (options_is_set(options, "conf"))
        ok = REFUSE(error,
                    "Error reading configuration file: specified config file \"%s\" could not be "
                    "opened.",
                    path);
    else if (rc != -ENOENT)
        ok = REFUSE(error, "Error reading configuration file: \"%s\": %s", path, strerror(-rc));
    buffer_deinit(&text);
    return ok;
}

bool config_read_base(struct options *options, char **first_dir, char **base_dir,
                      char **config_path, char **error)
{
    ASSERT(options && first_dir && base_dir && config_path && error);
    *first_dir = *base_dir = *config_path = NULL;
    const char *given = options_get_string(options, "datadir", "");
    if (!choose_base_dir(options, first_dir))
        return REFUSE(error, "Specified data directory \"%s\" does not exist.", given);
    if (!options_is_negated(options, "conf")) {
        look_beside_bitcoind(options, first_dir);
        *config_path = choose_config_file(options, *first_dir);
        if (!read_config_file(options, *first_dir, *config_path, error))
            return false;
    }
    if (!choose_base_dir(options, base_dir))
        return REFUSE(error,
                      "Error reading configuration file: specified data directory \"%s\" does not "
                      "exist.",
                      options_get_string(options, "datadir", ""));
    return true;
}

/* -- The network ---------------------------------------------------------------------------- */

static bool read_chain_file(struct options *options, const char *path, struct network *network,
                            char **error)
{
    struct buffer text;
    buffer_init(&text);
    int rc = config_read_text(path, &text);
    bool ok = rc == 0 ? chain_file_parse(buffer_span(&text), path, &options->arena, network, error)
                      : REFUSE(error, "-chainfile: cannot read %s: %s", path, strerror(-rc));
    buffer_deinit(&text);
    return ok;
}

bool config_choose_network(struct options *options, const char *base_dir, struct network *network,
                           char **error)
{
    ASSERT(options && base_dir && network && error);
    const char *name = options_chain(options, error), *file = options_chain_file(options);
    if (!name)
        return false;
    if (*name) {
        const struct network *row = network_find(name);
        ASSERT(row);
        *network = *row;
        return options_select_network(options, name, error);
    }
    char *path = options_is_on_command_line(options, "chainfile") ? config_absolute(file)
                                                                  : config_path_in(base_dir, file);
    bool ok = read_chain_file(options, path, network, error);
    xfree(path);
    return ok && options_select_network(options, network->name, error);
}

char *config_socket_path(const struct options *options, const char *data_dir)
{
    ASSERT(data_dir);
    const char *path = options_get_string(options, "rpcsocket", "");
    if (!*path || options_is_negated(options, "rpcsocket"))
        return NULL;
    return config_path_in(data_dir, path);
}
