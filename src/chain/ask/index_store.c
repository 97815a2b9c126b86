/* index_store.c - see index_store.h */
#include "chain/ask/index_store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/alloc.h"

static void warn(struct chain_core *core, const struct index_store *store)
{
    char message[200];
    snprintf(message, sizeof message,
             "The %s was damaged: it is being built again from the blocks. Meanwhile what it has "
             "not reached is not found",
             store->format.name);
    core_warn(core, message);
}

static int open_once(struct chain_core *core, const struct index_store *store, const char *path,
                     struct env_kv **out, char **error)
{
    struct env_kv_options options = {.log = core->log,
                                     .cache_bytes = 8 << 20,
                                     .write_buffer_bytes = 16 << 20,
                                     .bloom_bits = store->bloom_bits,
                                     .is_strict = core->options.keeps_damage};
    return store_format_open(core->env, path, &options, &store->format, out, error);
}

static int empty(struct chain_core *core, const char *path)
{
    int code = env_kv_destroy(core->env, path);
    return code == -ENOENT ? 0 : code;
}

static void note_table(void *arg, const char *name)
{
    *(bool *)arg |= strncmp(name, "MANIFEST", 8) == 0 || strcmp(name, "CURRENT") == 0;
}

/* Where it is: a folder that an older version filled is as good as a new one. */
static char *path_of(struct chain_core *core, const struct index_store *store)
{
    bool is_old = false;
    char *path = xasprintf("%s/indexes/%s", core->data_dir, store->old_dir ? store->old_dir : "");
    if (store->old_dir)
        (void)env_list(core->env, path, note_table, &is_old);
    if (is_old)
        return path;
    xfree(path);
    return xasprintf("%s/indexes/%s", core->data_dir, store->dir);
}

int index_store_open(struct chain_core *core, const struct index_store *store, bool wipe,
                     struct env_kv **out, char **error)
{
    const struct env *env = core->env;
    char *path = path_of(core, store), *detail = NULL;
    *out = NULL;
    *error = NULL;
    char *parent = xasprintf("%.*s", (int)(strrchr(path, '/') - path), path);
    int code = env_make_dir(env, parent);
    if (!code)
        code = open_once(core, store, path, out, &detail);
    if ((code == -EUCLEAN && (wipe || !core->options.keeps_damage)) || (!code && wipe)) {
        if (code)
            warn(core, store);
        if (*out)
            env_kv_close(env, *out);
        *out = NULL;
        xfree(detail);
        detail = NULL;
        code = empty(core, path);
        if (!code)
            code = open_once(core, store, path, out, &detail);
    }
    if (code)
        *error = xasprintf("Cannot open the %s %s: %s%s", store->format.name, path,
                           detail ? detail : strerror(-code),
                           code == -EUCLEAN ? " (with -repair it is made anew)" : "");
    ASSERT((code == 0) == (*out != NULL));
    xfree(detail);
    xfree(parent);
    xfree(path);
    return code;
}

bool index_store_rebuild(struct chain_core *core, const struct index_store *store, int *n_rebuilt,
                         struct env_kv **kv)
{
    char *error = NULL;
    ASSERT(*kv && !core->faulted);
    env_kv_close(core->env, *kv);
    *kv = NULL;
    if (*n_rebuilt >= INDEX_REBUILDS_MAX) {
        error = xasprintf("the %s is damaged again and again: the disk may be failing",
                          store->format.name);
        core_fault(core, -EUCLEAN, error);
    } else {
        ++*n_rebuilt;
        int code = index_store_open(core, store, true, kv, &error);
        if (code)
            core_fault(core, code, error);
        else
            warn(core, store);
    }
    xfree(error);
    return *kv != NULL;
}
