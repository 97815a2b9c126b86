/* undo_writes.c - see undo_writes.h. */
#include "chain/tree/undo_writes.h"

#include <errno.h>

#include "util/alloc.h"
#include "util/crc32c.h"

/* One on its way: freed when its job has ended. */
struct undo_write {
    struct env_job job;
    struct undo_writes *owner;
    struct file_pos pos;
    uint8_t *undo;
    unsigned epoch;
    int error;
};

static void run_undo_write(struct env_job *job)
{
    struct undo_write *write = (struct undo_write *)job;
    write->error = block_files_write_undo(write->owner->core->files, &write->pos,
                                          span_of(write->undo, write->pos.len));
}

static void undo_write_done(struct env_job *job)
{
    struct undo_write *write = (struct undo_write *)job;
    struct undo_writes *owner = write->owner;
    unsigned epoch = write->epoch;
    int error = job->cancelled ? -ECANCELED : write->error;
    size_t bytes = write->pos.len;
    xfree(write->undo);
    xfree(write);
    writes_done(owner->writes, epoch, bytes, true, error);
}

void undo_write(struct undo_writes *undo, struct block_node *node, uint8_t *undo_take, size_t len)
{
    struct block_files *files = undo->core->files;
    struct undo_write *write = xcalloc(1, sizeof *write);
    bool has_place = node->undo.file >= 0 && node->undo.len == len;
    ASSERT(node->data.file >= 0 && len <= UINT32_MAX);
    write->owner = undo;
    write->undo = undo_take;
    write->pos =
        has_place ? node->undo : block_files_alloc_undo(files, node->data.file, (uint32_t)len);
    write->pos.crc32c = crc32c(0, write->undo, len);
    write->epoch = writes_start(undo->writes, write->pos.len, true);
    write->job = (struct env_job){.run = run_undo_write, .done = undo_write_done};
    node->undo = write->pos;
    node->status |= BLOCK_HAVE_UNDO;
    lost_undo_found(undo->lost, node);
    header_tree_mark_dirty(undo->tree, node);
    env_job_submit(undo->core->env, ENV_POOL_BLOCKING, ENV_PRIORITY_NORMAL, &write->job);
}
