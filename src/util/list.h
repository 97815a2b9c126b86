/* list.h - objects in an order, linked through a member of their own.
 *
 * Layer: util. An object has one struct list_link for each list that it can be in; being added and
 * removed allocates nothing. A list of zeros is empty, and a list may be moved by assignment. Owns
 * nothing. Iteration:
 *
 *     LIST_EACH (struct peer, peer, &p2p->peers, link)
 *         use(peer);
 */
#ifndef UTIL_LIST_H
#define UTIL_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "util/assert.h"

/* The first one's prev and the last one's next are NULL; of the only one both are, as of one that
 * is in no list. */
struct list_link {
    struct list_link *next, *prev;
};

/* first is NULL exactly if count is 0, and so is last. */
struct list {
    struct list_link *first, *last;
    size_t count;
};

/* Add a link, which is in no list, before another that is in this list; before NULL: at the end. */
static inline void list_add_before(struct list *list, struct list_link *link,
                                   struct list_link *before)
{
    ASSERT(link != before && (list->first == NULL) == (list->count == 0));
    struct list_link *after = before ? before->prev : list->last;
    *link = (struct list_link){.next = before, .prev = after};
    *(before ? &before->prev : &list->last) = link;
    *(after ? &after->next : &list->first) = link;
    list->count++;
}

/* Add a link, which is in no list, at the end. */
static inline void list_add(struct list *list, struct list_link *link)
{
    list_add_before(list, link, NULL);
}

/* Add a link, which is in no list, at the beginning. */
static inline void list_add_first(struct list *list, struct list_link *link)
{
    list_add_before(list, link, list->first);
}

/* Take a link out of the list that it is in. Its own pointers are zeros then. */
static inline void list_remove(struct list *list, struct list_link *link)
{
    struct list_link **to_it = link->prev ? &link->prev->next : &list->first;
    struct list_link **back_to_it = link->next ? &link->next->prev : &list->last;
    ASSERT(*to_it == link && *back_to_it == link && list->count > 0);
    *to_it = link->next;
    *back_to_it = link->prev;
    *link = (struct list_link){0};
    list->count--;
}

/* Is a link, which is zeros unless it is in a list, in this list? */
static inline bool list_has(const struct list *list, const struct list_link *link)
{
    return link->prev || list->first == link;
}

/* The object that a link is the member of, offset bytes from its start; NULL for no link. */
static inline void *list_object(const struct list_link *link, size_t offset)
{
    return link ? (void *)((char *)link - offset) : NULL;
}

/* The first or last object of a list, the one behind or before an object, and the first one, which
 * is taken out: NULL if there is none. member is the name of the link in type. */
#define LIST_FIRST(type, list, member) ((type *)list_object((list)->first, offsetof(type, member)))
#define LIST_LAST(type, list, member)  ((type *)list_object((list)->last, offsetof(type, member)))
#define LIST_NEXT(type, object, member)                                                            \
    ((type *)list_object((object)->member.next, offsetof(type, member)))
#define LIST_PREV(type, object, member)                                                            \
    ((type *)list_object((object)->member.prev, offsetof(type, member)))
#define LIST_POP(type, list, member) ((type *)list_object(list_pop(list), offsetof(type, member)))

/* Take out the first link; NULL if there is none. Called through LIST_POP. */
static inline struct list_link *list_pop(struct list *list)
{
    struct list_link *link = list->first;
    if (link)
        list_remove(list, link);
    return link;
}

/* Take all links out of a list and add them, in their order, at the end of another one. */
static inline void list_take_all(struct list *to, struct list *from)
{
    ASSERT(to != from && (to->last == NULL) == (to->count == 0));
    if (from->count == 0)
        return;
    from->first->prev = to->last;
    *(to->last ? &to->last->next : &to->first) = from->first;
    to->last = from->last;
    to->count += from->count;
    *from = (struct list){0};
}

/* Loop over the objects of a list from the first to the last. Others may be added or removed
 * meanwhile, object itself not. */
#define LIST_EACH(type, object, list, member)                                                      \
    for (type *object = LIST_FIRST(type, list, member); object;                                    \
         object = LIST_NEXT(type, object, member))

/* The same; object may be removed, but the one behind it not. */
#define LIST_EACH_REMOVING(type, object, list, member)                                             \
    for (type *object = LIST_FIRST(type, list, member),                                            \
              *object##_next = object ? LIST_NEXT(type, object, member) : NULL;                    \
         object;                                                                                   \
         object = object##_next, object##_next = object ? LIST_NEXT(type, object, member) : NULL)

#endif
