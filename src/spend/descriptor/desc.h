/* desc.h - descriptors: texts that tell which scripts somebody can spend, and with what.
 *
 * Layer: spend. Any thread. Functions: addr, raw, pk, pkh, wpkh, combo, multi, sortedmulti, sh,
 * wsh, tr with a tree of scripts, multi_a and sortedmulti_a therein, rawtr, and miniscript in wsh
 * and tr. Keys: hex, wallet import format, extended keys with a path, a range and an origin, and
 * musig of these. Spec: BIP380 to 387, BIP379, BIP389 for <a;b>, BIP390 */
#ifndef SPEND_DESCRIPTOR_DESC_H
#define SPEND_DESCRIPTOR_DESC_H

#include "consensus/network.h"
#include "spend/book/key_book.h"
#include "util/buffer.h"

enum {
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

/* How many keys are derived for each index: those of musig() count too. */
size_t desc_n_keys(const struct desc *desc);

/* The scripts of a variant at an index of its range (0 if it has none), into arena.
 * Returns: how many; 0 if keys cannot be derived without their secret */
size_t desc_scripts(const struct ec_context *ec, const struct desc *desc, uint32_t index,
                    struct arena *arena, struct span scripts[DESC_SCRIPTS_MAX]);

/* What is to be put into a book. */
enum desc_expand_mode { DESC_EXPAND_PUBLIC, DESC_EXPAND_SECRET };

/* Put keys, their origins and all scripts at an index into book, whose arena holds them.
 *
 * Returns:  false if keys cannot be derived
 * Spec:     Core Descriptor::Expand(), ExpandPrivate() */
NODISCARD bool desc_expand(const struct desc *desc, uint32_t index, enum desc_expand_mode mode,
                           struct key_book *book);

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
