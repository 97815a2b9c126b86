/* chain_record.c - see chain_record.h. */
#include "host/chain_record.h"

#include <errno.h>
#include <string.h>

#include "host/config_base.h"
#include "node/chain_rules.h"
#include "util/alloc.h"
#include "util/replace_file.h"

static bool compare(const struct network *network, const struct buffer *record,
                    const char *data_dir, char **error)
{
    char *difference = chain_rules_difference((const char *)record->p, network->rules);
    if (!difference)
        return true;
    *error = xasprintf("The data in %s was made by other rules of the chain \"%s\": %s. Use the "
                       "file that it was made with, or another name for the chain, or remove that "
                       "directory.",
                       data_dir, network->name, difference);
    xfree(difference);
    return false;
}

bool chain_record_check(const struct network *network, const struct env *env, const char *data_dir,
                        char **error)
{
    ASSERT(network && env && data_dir && error);
    if (!network->rules)
        return true;
    char *path = config_path_in(data_dir, CHAIN_RECORD_NAME);
    struct buffer record;
    buffer_init(&record);
    int rc = config_read_text(path, &record);
    bool is_new = rc == -ENOENT;
    if (is_new)
        rc = replace_file(env, path, span_of_string(network->rules));
    buffer_append(&record, "", 1);
    bool ok =
        rc != 0 ? REFUSE(error, "Cannot %s %s: %s", is_new ? "write" : "read", path, strerror(-rc))
                : is_new || compare(network, &record, data_dir, error);
    buffer_deinit(&record);
    xfree(path);
    return ok;
}
