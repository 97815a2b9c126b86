/* chain_fields.h - the fields of a chain file, each by itself.
 *
 * Layer: node. Pure. A field is a row of a table: where it stands, what may stand there, and where
 * its value goes. What fields say of each other: chain_file.c */
#ifndef NODE_CHAIN_FIELDS_H
#define NODE_CHAIN_FIELDS_H

#include "consensus/genesis.h"
#include "consensus/network.h"
#include "rpc/json_in.h"
#include "util/arena.h"

#define CHAIN_FIELDS_MAX 48

/* What the rows fill in. What is left out keeps what stood there. */
struct chain_given {
    struct network network;
    struct genesis genesis;
    int64_t interval; /* of retargets, in blocks; 0: none */
    uint32_t limit_bits;
    uint8_t genesis_hash[32]; /* as people read it: reversed */
};

/* One file as it is read. */
struct chain_reading {
    struct span text;
    const char *path;
    struct arena *arena;
    struct chain_given given;
    const struct json_value *value[CHAIN_FIELDS_MAX]; /* by the table's rows; NULL: left out */
    bool is_draft;                                    /* its first block is still to be mined */
    char **error;
};

/* Take every field of the file, whose names, kinds and limits are checked.
 *
 * Returns:  false with *reading->error */
NODISCARD bool chain_fields_read(struct chain_reading *reading, const struct json_value *root);

/* A field's value as it stands in the file; NULL if it is left out. The group is "" outside of
 * all. */
const struct json_value *chain_fields_value(const struct chain_reading *reading, const char *group,
                                            const char *name);

/* Where a field stands in the text, or else what it would stand in. */
size_t chain_fields_place(const struct chain_reading *reading, const char *group, const char *name);

/* Say "my.json:7: ..." of a place in the text. Takes what over.
 *
 * Returns:  false */
bool chain_fields_refuse(const struct chain_reading *reading, size_t at, char *what);

#endif
