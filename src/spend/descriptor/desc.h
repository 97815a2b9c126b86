/* desc.h - descriptors with keys of every kind, and all scripts that they stand for.
 *
 * Layer: spend. Any thread. Functions: addr, raw, pk, pkh, wpkh, combo, tr of a key, rawtr, multi
 * and sortedmulti, inside sh and wsh where that makes sense. Keys: hex, wallet import format,
 * extended keys with a path, a range and an origin. Miniscript and script trees are not read. Spec:
 * BIP380 to 386, BIP389 for <a;b>. */
#ifndef SPEND_DESCRIPTOR_DESC_H
#define SPEND_DESCRIPTOR_DESC_H

#include "spend/keys/bip32.h"
#include "util/arena.h"
#include "util/buffer.h"

enum {
    DESC_KEYS_MAX = 20,    /* of multi */
    DESC_PATH_MAX = 32,    /* steps of a key's path */
    DESC_SCRIPTS_MAX = 4,  /* that one key stands for: combo */
    DESC_VARIANTS_MAX = 64 /* of <a;b;...> */
};

struct desc;

/* What was parsed, of all variants that <a;b> stands for: in the arena that was given. */
struct desc_list {
    const struct desc *variant[DESC_VARIANTS_MAX];
    size_t n;
    bool is_range;
    bool has_secret;   /* some key is secret */
    bool needs_secret; /* some key cannot be derived: a hardened step, and no secret */
    const char *error; /* why the text was refused; NULL otherwise */
};

/* Read a descriptor. A checksum is checked if there is one.
 *
 * Out:      out  its error, if it is refused
 * Returns:  false if it is refused */
NODISCARD bool desc_parse(const struct ec_context *ec, const struct network *network,
                          struct span text, struct arena *arena, struct desc_list *out);

/* The scripts of a variant at an index of its range (0 if it has none), into arena.
 * Returns: how many; 0 if keys cannot be derived without their secret */
size_t desc_scripts(const struct ec_context *ec, const struct desc *desc, uint32_t index,
                    struct arena *arena, struct span scripts[DESC_SCRIPTS_MAX]);

/* Append script number `at` of these as a descriptor of its own: with public keys, their origins
 * and a checksum. False if keys cannot be derived. */
NODISCARD bool desc_write_script(const struct ec_context *ec, const struct desc *desc,
                                 uint32_t index, size_t at, struct buffer *out);

/* What blocks are mined to: the only script; of combo() that of the witness program, else that of
 * the key's hash. False if keys cannot be derived. Spec: Core getScriptFromDescriptor() */
NODISCARD bool desc_mining_script(const struct ec_context *ec, const struct desc *desc,
                                  struct arena *arena, struct span *script);

/* Append the whole descriptor, with public keys in place of secret ones, and a checksum. Spec: Core
 * Descriptor::ToString() */
void desc_write(const struct desc *desc, struct buffer *out);

/* True if it tells what it takes to spend, but for secrets: addr() and raw() do not. */
bool desc_is_solvable(const struct desc *desc);

#endif
