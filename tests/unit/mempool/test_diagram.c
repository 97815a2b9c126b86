/* test_diagram.c - diagrams of chunks, against a walk through every single size. */
#include "mempool/diagram.h"
#include "sim/sim_random.h"
#include "support/unit.h"
#include "util/alloc.h"

#define COMPARE(a, b) diagram_compare(a, COUNT_OF(a), b, COUNT_OF(b))

TEST(a_line_that_is_nowhere_below_is_better)
{
    static const struct feerate low[] = {{10, 5}, {5, 5}}, high[] = {{10, 5}, {6, 5}},
                                steep[] = {{15, 5}, {1, 5}};
    assert_int_equal(COMPARE(low, low), DIAGRAM_EQUAL);
    assert_int_equal(COMPARE(high, low), DIAGRAM_BETTER);
    assert_int_equal(COMPARE(low, high), DIAGRAM_WORSE);
    assert_int_equal(COMPARE(steep, low), DIAGRAM_BETTER);
    assert_int_equal(COMPARE(steep, high), DIAGRAM_BETTER);
    assert_int_equal(diagram_compare(low, 2, NULL, 0), DIAGRAM_BETTER);
    assert_int_equal(diagram_compare(NULL, 0, low, 2), DIAGRAM_WORSE);
    assert_int_equal(diagram_compare(NULL, 0, NULL, 0), DIAGRAM_EQUAL);
}

TEST(lines_that_cross_cannot_be_compared)
{
    static const struct feerate early[] = {{10, 2}, {1, 8}}, late[] = {{20, 10}};
    assert_int_equal(COMPARE(early, late), DIAGRAM_INCOMPARABLE);
    assert_int_equal(COMPARE(late, early), DIAGRAM_INCOMPARABLE);
}

/* Cutting a chunk of one rate into two changes nothing. */
TEST(how_a_line_is_cut_does_not_matter)
{
    static const struct feerate whole[] = {{9, 3}, {10, 5}},
                                parts[] = {{3, 1}, {6, 2}, {4, 2}, {6, 3}};
    assert_int_equal(COMPARE(whole, parts), DIAGRAM_EQUAL);
}

/* The shorter one stays as high as it ends: a longer one that loses fees at its end is worse. */
TEST(beyond_its_end_a_line_is_flat)
{
    static const struct feerate shorter[] = {{9, 3}}, same[] = {{9, 3}, {0, 5}},
                                rises[] = {{9, 3}, {1, 5}}, falls[] = {{9, 3}, {-1, 5}},
                                below[] = {{8, 3}, {1, 5}}, crosses[] = {{8, 3}, {2, 5}};
    assert_int_equal(COMPARE(shorter, same), DIAGRAM_EQUAL);
    assert_int_equal(COMPARE(shorter, rises), DIAGRAM_WORSE);
    assert_int_equal(COMPARE(shorter, falls), DIAGRAM_BETTER);
    assert_int_equal(COMPARE(shorter, below), DIAGRAM_BETTER);
    assert_int_equal(COMPARE(shorter, crosses), DIAGRAM_INCOMPARABLE);
    assert_int_equal(diagram_compare(NULL, 0, falls + 1, 1), DIAGRAM_BETTER);
}

/* Differences of one satoshi in sums that a double would round. */
TEST(comparing_is_exact)
{
    struct feerate a[100], b[100];
    const int64_t most = INT64_C(105000000000000000); /* 50 times all the money */
    for (int i = 0; i < 100; i++)
        a[i] = b[i] = (struct feerate){most - 1000 * i, 404000};
    assert_int_equal(COMPARE(a, b), DIAGRAM_EQUAL);
    b[99].fee_sat++;
    assert_int_equal(COMPARE(a, b), DIAGRAM_WORSE);
    a[0].fee_sat++;
    assert_int_equal(COMPARE(a, b), DIAGRAM_BETTER);
    a[50].size++;
    assert_int_equal(COMPARE(a, b), DIAGRAM_INCOMPARABLE);
}

/* -- Against heights at every size ------------------------------------------------------------- */

enum { CHUNKS_MAX = 6, SIZE_MAX_EACH = 7, SPAN = CHUNKS_MAX * SIZE_MAX_EACH + 1 };
/* All sizes up to 7 divide this, so that heights between corners are whole. */
#define SCALE 420

static void heights(const struct feerate *chunks, size_t n, int64_t out[SPAN])
{
    int64_t at = 0, height = 0;
    out[at++] = 0;
    for (size_t i = 0; i < n; i++)
        for (int64_t k = 0; k < chunks[i].size; k++)
            out[at++] = height += chunks[i].fee_sat * (SCALE / chunks[i].size);
    while (at < SPAN)
        out[at++] = height;
}

static enum diagram_order slow_compare(const struct feerate *a, size_t n_a, const struct feerate *b,
                                       size_t n_b)
{
    int64_t x[SPAN], y[SPAN];
    bool is_above = false, is_below = false;
    heights(a, n_a, x);
    heights(b, n_b, y);
    for (int i = 0; i < SPAN; i++) {
        is_above |= x[i] > y[i];
        is_below |= x[i] < y[i];
    }
    if (is_above && is_below)
        return DIAGRAM_INCOMPARABLE;
    return is_above ? DIAGRAM_BETTER : is_below ? DIAGRAM_WORSE : DIAGRAM_EQUAL;
}

static size_t draw(struct sim_random *random, struct feerate *chunks)
{
    size_t n = sim_random_below(random, CHUNKS_MAX + 1);
    for (size_t i = 0; i < n; i++)
        chunks[i] = (struct feerate){(int64_t)sim_random_below(random, 12) - 3,
                                     1 + (int64_t)sim_random_below(random, SIZE_MAX_EACH)};
    return n;
}

/* Change little, so that equal and nearly equal lines are often met. */
static size_t vary(struct sim_random *random, const struct feerate *from, size_t n,
                   struct feerate *chunks)
{
    memcpy(chunks, from, n * sizeof *chunks);
    if (n > 0 && sim_random_below(random, 2))
        chunks[sim_random_below(random, n)].fee_sat++;
    if (n > 0 && sim_random_below(random, 3) == 0)
        chunks[sim_random_below(random, n)].fee_sat--;
    if (n > 0 && sim_random_below(random, 4) == 0)
        n--;
    return n;
}

TEST(random_lines_compare_as_their_heights_do)
{
    struct sim_random random = sim_random_of(9, 1);
    unsigned seen[4] = {0};
    for (int round = 0; round < 100000; round++) {
        struct feerate a[CHUNKS_MAX], b[CHUNKS_MAX];
        size_t n_a = draw(&random, a);
        size_t n_b = round % 2 ? draw(&random, b) : vary(&random, a, n_a, b);
        diagram_sort(a, n_a);
        diagram_sort(b, n_b);
        for (size_t i = 1; i < n_a; i++)
            assert_true(feerate_compare(a[i - 1], a[i]) >= 0);
        enum diagram_order order = diagram_compare(a, n_a, b, n_b);
        assert_int_equal(order, slow_compare(a, n_a, b, n_b));
        seen[order]++;
    }
    for (int i = 0; i < 4; i++)
        assert_true(seen[i] > 1000);
}
