/* test_sim_pages.c - equal pages are one, and one that is changed is another. */
#include "sim/sim_inode.h"
#include "sim/sim_pages.h"
#include "support/unit.h"

static struct sim_page *page_of(struct sim_pages *pages, uint8_t first)
{
    uint8_t *bytes;
    struct sim_page *page = sim_page_for_write(NULL, &bytes);
    bytes[0] = first;
    return sim_page_share(pages, page);
}

TEST(equal_pages_are_one_until_the_last_of_them_goes)
{
    struct sim_pages *pages = sim_pages_new();
    struct sim_page *a = page_of(pages, 1), *b = page_of(pages, 1), *c = page_of(pages, 2);
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, c);
    assert_int_equal(sim_pages_count(pages), 2);
    sim_page_drop(a);
    assert_int_equal(sim_page_bytes(b)[0], 1);
    sim_page_drop(b);
    assert_int_equal(sim_pages_count(pages), 1);
    sim_page_drop(c);
    assert_int_equal(sim_pages_count(pages), 0);
    sim_pages_drop(pages);
}

TEST(zeros_take_no_place)
{
    struct sim_pages *pages = sim_pages_new();
    assert_null(page_of(pages, 0));
    assert_int_equal(sim_pages_count(pages), 0);
    sim_page_drop(NULL);
    sim_pages_drop(pages);
}

TEST(who_writes_to_a_shared_page_has_one_of_his_own)
{
    struct sim_pages *pages = sim_pages_new();
    struct sim_page *a = page_of(pages, 1), *b = sim_page_hold(a);
    uint8_t *bytes;
    b = sim_page_for_write(b, &bytes);
    assert_ptr_not_equal(a, b);
    assert_int_equal(bytes[0], 1);
    bytes[0] = 2;
    assert_int_equal(sim_page_bytes(a)[0], 1);
    assert_ptr_equal(sim_page_for_write(b, &bytes), b); /* nobody else has it: as it is */
    sim_page_drop(a);
    sim_page_drop(b);
    sim_pages_drop(pages);
}

TEST(files_that_are_written_alike_take_the_place_of_one)
{
    enum { N_FILES = 5, N_BYTES = 3 * SIM_PAGE_BYTES + 100 };
    struct sim_pages *pages = sim_pages_new();
    struct sim_inode *files[N_FILES];
    uint8_t bytes[N_BYTES];
    for (int i = 0; i < N_BYTES; i++)
        bytes[i] = (uint8_t)(i / SIM_PAGE_BYTES + 1);
    for (int i = 0; i < N_FILES; i++) {
        files[i] = sim_inode_new(pages);
        sim_inode_write(files[i], 0, bytes, 5000); /* in other pieces, but the same in the end */
        sim_inode_write(files[i], 5000, bytes + 5000, N_BYTES - 5000);
    }
    assert_int_equal(sim_pages_count(pages), 4);
    sim_inode_write(files[1], 0, bytes + SIM_PAGE_BYTES, 1);
    sim_inode_sync(files[1]);
    assert_int_equal(sim_pages_count(pages), 5);
    sim_inode_truncate(files[1], 0);
    for (int i = 0; i < N_FILES; i++)
        sim_inode_drop(files[i]);
    assert_int_equal(sim_pages_count(pages), 0);
    sim_pages_drop(pages);
}
