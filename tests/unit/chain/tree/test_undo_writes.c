/* test_undo_writes.c - undo data finds its place, and the node has it at once. */
#include <errno.h>

#include "support/unit.h"
#include "unit/chain/chain_fixture.h"

FIXTURE(fixture_setup, fixture_teardown)

static uint8_t *read_undo(struct fixture *f, const struct block_node *node)
{
    uint8_t *raw;
    assert_int_equal(block_files_read_undo(files_of(f->rig.chain), &node->undo, &raw), 0);
    return raw;
}

TEST(data_of_the_same_length_is_written_in_its_old_place, struct fixture *f)
{
    fixture_start_at_base(f);
    struct block_node *node = active_chain_tip(active_of(f->rig.chain));
    struct file_pos before = node->undo;
    undo_write(undo_writes_of(f->rig.chain), node, read_undo(f, node), before.len);
    assert_true(block_node_has_undo(node));
    rig_settle(&f->rig);
    assert_memory_equal(&node->undo, &before, sizeof before);
    assert_int_equal(f->rig.n_faults, 0);
}

TEST(longer_data_gets_another_place_and_is_counted_until_it_is_there, struct fixture *f)
{
    fixture_start_at_base(f);
    struct chain *chain = f->rig.chain;
    struct block_node *node = active_chain_tip(active_of(chain));
    struct file_pos before = node->undo;
    size_t len = before.len + 1;
    uint8_t *longer = xcalloc(1, len);
    longer[len - 1] = 7;
    undo_write(undo_writes_of(chain), node, longer, len);
    assert_true(node->undo.file != before.file || node->undo.offset != before.offset);
    assert_true(writes_part.is_busy(writes_of(chain)));
    rig_settle(&f->rig);
    assert_false(writes_part.is_busy(writes_of(chain)));
    uint8_t *raw = read_undo(f, node);
    assert_int_equal(raw[len - 1], 7);
    xfree(raw);
}
