/* address_book_file.h - peers.dat and anchors.dat: addresses as bytes, in Core's formats.
 *
 * Layer: p2p. Pure. Written is format 4 ("multiport"), read are 0 to 4 and what says that it is
 * compatible with these. Whatever the bytes are, what they make is a whole book or none. Spec: Core
 * AddrMan::Serialize(), SerializeFileDB() */
#ifndef P2P_ADDR_ADDRESS_BOOK_FILE_H
#define P2P_ADDR_ADDRESS_BOOK_FILE_H

#include "p2p/addr/address_book.h"
#include "util/writer.h"

#define ADDRESS_BOOK_WHY_BYTES  200
#define ADDRESS_LIST_FILE_BYTES 4096 /* of anchors.dat, at most */

enum address_book_read {
    ADDRESS_BOOK_READ,
    ADDRESS_BOOK_OTHER_FORMAT, /* of a later version: nothing is wrong with it */
    ADDRESS_BOOK_DAMAGED,
};

/* The whole book with the network's magic before it and a checksum behind, appended to out; without
 * what was found on the LAN, which is found again or is somewhere else. */
void address_book_encode(const struct address_book *book, const uint8_t magic[4],
                         struct buffer *out);
/* Fill an empty book from such bytes.
 *
 * Out:      why  what is wrong with them, in Core's words
 * Fails:    the book is left empty, unless ADDRESS_BOOK_READ is returned */
NODISCARD enum address_book_read address_book_decode(struct address_book *book,
                                                     const uint8_t magic[4], struct span bytes,
                                                     char why[ADDRESS_BOOK_WHY_BYTES]);

/* A list of addresses in the same frame: anchors.dat. */
void address_list_encode(const struct net_peer_address *list, size_t n, const uint8_t magic[4],
                         struct buffer *out);
/* Read one, of at most max addresses: the first ones. Returns: how many; 0 if anything is wrong */
size_t address_list_decode(struct span bytes, const uint8_t magic[4], struct net_peer_address *list,
                           size_t max);

#endif
