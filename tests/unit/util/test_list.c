/* test_list.c - lists against an array that is kept in the same order. */
#include "support/unit.h"
#include "util/list.h"

struct thing {
    int name;
    struct list_link link, other;
};

/* Both directions of the list say what names says. */
static void assert_names(const struct list *list, const char *names)
{
    size_t n = 0;
    LIST_EACH (struct thing, thing, list, link)
        assert_int_equal(thing->name, names[n++]);
    assert_int_equal(n, strlen(names));
    assert_int_equal(list->count, n);
    for (struct thing *t = LIST_LAST(struct thing, list, link); t;
         t = LIST_PREV(struct thing, t, link))
        assert_int_equal(t->name, names[--n]);
    assert_int_equal(n, 0);
}

TEST(a_list_of_zeros_is_empty)
{
    struct list list = {0};
    assert_names(&list, "");
    assert_null(LIST_FIRST(struct thing, &list, link));
    assert_null(LIST_LAST(struct thing, &list, link));
    assert_null(LIST_POP(struct thing, &list, link));
    struct thing thing = {0};
    assert_false(list_has(&list, &thing.link));
}

TEST(objects_stand_where_they_were_added)
{
    struct list list = {0}, moved;
    struct thing a = {.name = 'a'}, b = {.name = 'b'}, c = {.name = 'c'}, d = {.name = 'd'};
    list_add(&list, &b.link);
    assert_names(&list, "b");
    assert_true(list_has(&list, &b.link));
    list_add_first(&list, &a.link);
    list_add(&list, &d.link);
    list_add_before(&list, &c.link, &d.link);
    assert_names(&list, "abcd");
    moved = list;
    list = (struct list){0};
    assert_names(&moved, "abcd");
    assert_ptr_equal(LIST_NEXT(struct thing, &a, link), &b);
    assert_null(LIST_NEXT(struct thing, &d, link));
    assert_null(LIST_PREV(struct thing, &a, link));
}

TEST(removing_keeps_the_rest_in_order)
{
    struct list list = {0};
    struct thing things[] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}, {.name = 'd'}};
    for (size_t i = 0; i < COUNT_OF(things); i++)
        list_add(&list, &things[i].link);
    list_remove(&list, &things[1].link);
    assert_names(&list, "acd");
    assert_false(list_has(&list, &things[1].link));
    list_remove(&list, &things[3].link);
    assert_names(&list, "ac");
    assert_ptr_equal(LIST_POP(struct thing, &list, link), &things[0]);
    assert_names(&list, "c");
    list_remove(&list, &things[2].link);
    assert_names(&list, "");
    list_add(&list, &things[1].link);
    assert_names(&list, "b");
}

TEST(a_loop_may_remove_what_it_stands_at)
{
    struct list list = {0};
    struct thing things[6];
    for (int i = 0; i < 6; i++) {
        things[i] = (struct thing){.name = 'a' + i};
        list_add(&list, &things[i].link);
    }
    LIST_EACH_REMOVING (struct thing, thing, &list, link)
        if (thing->name % 2)
            list_remove(&list, &thing->link);
    assert_names(&list, "bdf");
    LIST_EACH_REMOVING (struct thing, thing, &list, link)
        list_remove(&list, &thing->link);
    assert_names(&list, "");
}

TEST(all_of_a_list_go_behind_those_of_another)
{
    struct list list = {0}, more = {0};
    struct thing a = {.name = 'a'}, b = {.name = 'b'}, c = {.name = 'c'};
    list_take_all(&list, &more);
    assert_names(&list, "");
    list_add(&more, &a.link);
    list_add(&more, &b.link);
    list_take_all(&list, &more);
    assert_names(&list, "ab");
    assert_names(&more, "");
    list_add(&more, &c.link);
    list_take_all(&list, &more);
    assert_names(&list, "abc");
    list_take_all(&list, &more);
    assert_names(&list, "abc");
}

TEST(an_object_can_be_in_two_lists)
{
    struct list one = {0}, two = {0};
    struct thing a = {.name = 'a'}, b = {.name = 'b'};
    list_add(&one, &a.link);
    list_add(&one, &b.link);
    list_add(&two, &b.other);
    list_add(&two, &a.other);
    assert_ptr_equal(LIST_FIRST(struct thing, &one, link), &a);
    assert_ptr_equal(LIST_FIRST(struct thing, &two, other), &b);
    assert_ptr_equal(CONTAINER_OF(two.first, struct thing, other), &b);
}

TEST(removing_from_another_list_is_a_bug)
{
    struct list one = {0}, two = {0};
    struct thing a = {.name = 'a'};
    list_add(&one, &a.link);
    expect_assert_failure(list_remove(&two, &a.link));
    list_remove(&one, &a.link);
    expect_assert_failure(list_remove(&one, &a.link));
}
