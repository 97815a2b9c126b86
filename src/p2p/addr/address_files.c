/* address_files.c - see address_files.h. Messages are Core's. */
#include "p2p/addr/address_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "p2p/addr/address_book_file.h"
#include "p2p/core/asmap.h"
#include "util/alloc.h"
#include "util/hex.h"
#include "util/read_file.h"
#include "util/replace_file.h"
#include "util/version.h"

#define PATH_BYTES 1024

static const char *path_of(const struct address_files *files, const char *name, char *out)
{
    snprintf(out, PATH_BYTES, "%s/%s", files->data_dir, name);
    return out;
}

static int write_file(const struct address_files *files, const char *name, struct span bytes)
{
    char path[PATH_BYTES];
    return replace_file(files->env, path_of(files, name, path), bytes);
}

/* -- The map of operators ------------------------------------------------------------------------
 */

static void keep_map(struct address_files *files, struct span bytes)
{
    files->map = xmalloc(bytes.len);
    memcpy(files->map, bytes.p, bytes.len);
    net_grouping_use_asmap(files->grouping, span_of(files->map, bytes.len));
}

static void log_map(const struct address_files *files)
{
    uint8_t version[32];
    char hex[2 * sizeof version + 1];
    for (size_t i = 0; i < sizeof version; i++)
        version[i] = files->grouping->asmap_version[sizeof version - 1 - i];
    hex_encode(hex, span_of(version, sizeof version));
    log_printf(files->log, LOG_ALWAYS, "Using asmap version %s for IP bucketing", hex);
}

static bool load_map(struct address_files *files, const char *name, char **error)
{
    char path[PATH_BYTES];
    struct buffer bytes;
    if (!name) {
        log_printf(files->log, LOG_ALWAYS, "Using /16 prefix for IP bucketing");
        return true;
    }
    if (name[0] == '/' || !files->data_dir)
        snprintf(path, sizeof path, "%s", name);
    else
        (void)path_of(files, name, path);
    buffer_init(&bytes);
    int result = read_file(files->env, path, ASMAP_FILE_MAX_BYTES, &bytes);
    bool is_sane = result == 0 && asmap_is_sane(buffer_span(&bytes));
    if (is_sane) {
        log_printf(files->log, LOG_ALWAYS, "Opened asmap file \"%s\" (%zu bytes) from disk", path,
                   bytes.len);
        keep_map(files, buffer_span(&bytes));
        log_map(files);
    }
    buffer_deinit(&bytes);
    if (result == -ENOENT)
        return fail_with(error, "Could not find asmap file \"%s\"", path);
    return is_sane || fail_with(error, "Could not parse asmap file \"%s\"", path);
}

/* -- Anchors -------------------------------------------------------------------------------------
 */

void address_files_save_anchors(struct address_files *files, const struct net_peer_address *list,
                                size_t n)
{
    struct buffer bytes;
    if (!files->data_dir)
        return;
    buffer_init(&bytes);
    address_list_encode(list, n, files->magic, &bytes);
    log_printf(files->log, LOG_ALWAYS,
               "DumpAnchors: Flush %zu outbound block-relay-only peer addresses to anchors.dat", n);
    int error = write_file(files, "anchors.dat", buffer_span(&bytes));
    if (error)
        log_warning(files->log, "anchors.dat cannot be written (%d)", error);
    buffer_deinit(&bytes);
}

size_t address_files_take_anchors(struct address_files *files, struct net_peer_address *list,
                                  size_t max)
{
    char path[PATH_BYTES];
    struct buffer bytes;
    size_t n = 0;
    if (!files->data_dir)
        return 0;
    buffer_init(&bytes);
    path_of(files, "anchors.dat", path);
    if (read_file(files->env, path, ADDRESS_LIST_FILE_BYTES, &bytes) == 0)
        n = address_list_decode(buffer_span(&bytes), files->magic, list, max);
    buffer_deinit(&bytes);
    (void)env_remove(files->env, path);
    log_printf(files->log, LOG_ALWAYS,
               "%zu block-relay-only anchors will be tried for connections.", n);
    return n;
}

/* -- The book ------------------------------------------------------------------------------------
 */

/* Not worth stopping for: it is made anew from what peers say. */
static void save_book(const struct address_files *files)
{
    struct buffer bytes;
    buffer_init(&bytes);
    address_book_encode(files->book, files->magic, &bytes);
    int error = write_file(files, "peers.dat", buffer_span(&bytes));
    if (error)
        log_warning(files->log, "peers.dat cannot be written (%d)", error);
    buffer_deinit(&bytes);
}

static bool put_book_aside(struct address_files *files, const char *path, char **error)
{
    char aside[PATH_BYTES];
    if (env_rename(files->env, path, path_of(files, "peers.dat.bak", aside)) != 0)
        return fail_with(error, "Failed to rename invalid peers.dat file. Please move or delete it "
                                "and try again.");
    log_warning(files->log,
                "Creating new peers.dat because the file version was not compatible (\"%s\"). "
                "Original backed up to peers.dat.bak",
                path);
    save_book(files);
    return true;
}

static bool read_book(struct address_files *files, const char *path, struct span bytes,
                      char **error)
{
    char why[ADDRESS_BOOK_WHY_BYTES];
    switch (address_book_decode(files->book, files->magic, bytes, why)) {
    case ADDRESS_BOOK_READ:
        log_printf(files->log, LOG_ALWAYS, "Loaded %zu addresses from peers.dat",
                   address_book_count(files->book));
        return true;
    case ADDRESS_BOOK_OTHER_FORMAT:
        return put_book_aside(files, path, error);
    case ADDRESS_BOOK_DAMAGED:
        break;
    }
    return fail_with(error,
                     "Invalid or corrupt peers.dat (%s). If you believe this is a bug, please "
                     "report it to %s. As a workaround, you can move the file (\"%s\") out of the "
                     "way (rename, move, or delete) to have a new one created on the next start.",
                     why, CAIRN_BUG_REPORT, path);
}

static bool load_book(struct address_files *files, char **error)
{
    char path[PATH_BYTES];
    struct buffer bytes;
    buffer_init(&bytes);
    path_of(files, "peers.dat", path);
    int result = read_file(files->env, path, ADDRESS_BOOK_FILE_MAX_BYTES, &bytes);
    bool ok = true;
    if (result == 0) {
        ok = read_book(files, path, buffer_span(&bytes), error);
    } else if (result == -ENOENT) {
        log_printf(files->log, LOG_ALWAYS,
                   "Creating peers.dat because the file was not found (\"%s\")", path);
        save_book(files);
    } else {
        ok = fail_with(error, "Failed to read %s: %s", path, strerror(-result));
    }
    buffer_deinit(&bytes);
    return ok;
}

/* -- Now and then, off the loop ------------------------------------------------------------------
 */

struct dump {
    struct env_job job;
    struct address_files *files;
    struct buffer bytes;
    int error;
};

static void run_dump(struct env_job *job)
{
    struct dump *dump = (struct dump *)job;
    dump->error = write_file(dump->files, "peers.dat", buffer_span(&dump->bytes));
}

static void dump_done(struct env_job *job)
{
    struct dump *dump = (struct dump *)job;
    struct address_files *files = dump->files;
    (*files->n_operations)--;
    files->is_dumping = false;
    if (dump->error)
        log_warning(files->log, "peers.dat cannot be written (%d)", dump->error);
    if (files->is_save_due)
        save_book(files);
    files->is_save_due = false;
    buffer_deinit(&dump->bytes);
    xfree(dump);
}

int64_t address_files_tick(struct address_files *files, int64_t now_us)
{
    ASSERT(!files->is_dumping || *files->n_operations > 0);
    if (now_us < files->next_dump_us)
        return files->next_dump_us;
    files->next_dump_us = now_us + ADDRESS_FILES_DUMP_US;
    if (!files->data_dir || files->is_dumping)
        return files->next_dump_us;
    struct dump *dump = xcalloc(1, sizeof *dump);
    *dump = (struct dump){.job = {.run = run_dump, .done = dump_done}, .files = files};
    address_book_encode(files->book, files->magic, &dump->bytes);
    files->is_dumping = true;
    (*files->n_operations)++;
    env_job_submit(files->env, ENV_POOL_BLOCKING, ENV_PRIORITY_LOW, &dump->job);
    return files->next_dump_us;
}

/* -- Start and stop ------------------------------------------------------------------------------
 */

bool address_files_load(struct address_files *files, const char *asmap, int64_t now_us,
                        char **error)
{
    ASSERT(address_book_count(files->book) == 0 && !files->map);
    files->next_dump_us = now_us + ADDRESS_FILES_DUMP_US;
    return load_map(files, asmap, error) && (!files->data_dir || load_book(files, error));
}

void address_files_deinit(struct address_files *files)
{
    ASSERT(!files->is_dumping && !files->is_save_due);
    xfree(files->map);
    files->map = NULL;
}

void address_files_save(struct address_files *files)
{
    if (files->is_dumping)
        files->is_save_due = true; /* one writer at a time */
    else if (files->data_dir)
        save_book(files);
}
