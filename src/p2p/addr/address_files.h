/* address_files.h - what of addresses outlives a stop: peers.dat, anchors.dat; and the map of
 * operators, which the user brings.
 *
 * Layer: p2p. Spec: Core LoadAddrman(), DumpAnchors(), ReadAnchors() */
#ifndef P2P_ADDR_ADDRESS_FILES_H
#define P2P_ADDR_ADDRESS_FILES_H

#include "p2p/addr/address_book.h"
#include "util/log.h"

#define ADDRESS_FILES_DUMP_US INT64_C(900000000) /* between writings of peers.dat */

/* The first members are set by who makes it, and borrowed. */
struct address_files {
    const struct env *env;
    const struct log *log;
    const char *data_dir; /* NULL: nothing is read or kept */
    const uint8_t *magic; /* of the network */
    struct address_book *book;
    struct net_grouping *grouping; /* the book's */
    size_t *n_operations;          /* jobs of the mesh that are under way: counted up and down */

    uint8_t *map; /* owned */
    int64_t next_dump_us;
    bool is_dumping, is_save_due;
};

/* Read the map, if there is one, then the book, which is empty. A book of a later version is put
 * aside as peers.dat.bak.
 *
 * In:       asmap  its file, relative to data_dir; NULL: none
 * Fails:    returns false with *error (free with xfree()), in Core's words: a map that is not there
 *           or makes no sense, a damaged peers.dat, which may be the beginning of a disk's end */
NODISCARD bool address_files_load(struct address_files *files, const char *asmap, int64_t now_us,
                                  char **error);
/* Free the map; the book must be gone, or used no more. */
void address_files_deinit(struct address_files *files);

/* Write the book now, or when what is being written of it is. */
void address_files_save(struct address_files *files);
/* Write it off the loop when it is time. Returns: when it wants to be called again */
int64_t address_files_tick(struct address_files *files, int64_t now_us);

/* Write the peers that we would like to find again first, so that an attacker who makes us restart
 * does not win by that alone. */
void address_files_save_anchors(struct address_files *files, const struct net_peer_address *list,
                                size_t n);
/* Read them, at most max. They are gone from the disk then: those by whom we crashed are not tried
 * twice. Returns: how many */
size_t address_files_take_anchors(struct address_files *files, struct net_peer_address *list,
                                  size_t max);

#endif
