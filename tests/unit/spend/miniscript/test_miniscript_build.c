/* test_miniscript_build.c - nodes put together, and walked. */
#include "spend/miniscript/miniscript_internal.h"
#include "unit/spend/miniscript/miniscript_fixture.h"

FIXTURE(setup, teardown)

TEST(a_walk_sees_each_node_before_its_parts_and_behind_them, struct fixture *f)
{
    /* Nodes: pk_k A, its check, its verify, pk_k B, its check, the whole. */
    static const struct ms_step want[] = {{5, 0}, {2, 0}, {1, 0}, {0, 0}, {1, 1}, {2, 1},
                                          {5, 1}, {4, 0}, {3, 0}, {4, 1}, {5, 2}};
    struct ms_walk walk;
    struct ms_step at;
    size_t n = 0;
    assert_true(read_text(f, "and_v(v:pk(A),pk(B))"));
    assert_int_equal(f->ms.n, 6);
    assert_int_equal(f->ms.nodes[4].first, 3);
    assert_int_equal(f->ms.nodes[5].first, 0);
    ms_walk_init(&walk, &f->ms, 5, NULL);
    for (; ms_walk_next(&walk, &at); n++) {
        assert_true(n < COUNT_OF(want));
        assert_int_equal(at.node, want[n].node);
        assert_int_equal(at.step, want[n].step);
    }
    assert_int_equal(n, COUNT_OF(want));
    ms_walk_deinit(&walk);
}
