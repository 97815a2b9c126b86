/* block_key.h - the key that block and undo files are obfuscated with.
 *
 * Layer: chain. xor.dat in the folder of the blocks, as in Core: each byte of a file is XORed by
 * the key's byte at its offset modulo 8, so that no stranger has bytes of his choice on our disk.
 * doc/decisions/0285-blocks-are-xored.md */
#ifndef CHAIN_DISK_BLOCK_KEY_H
#define CHAIN_DISK_BLOCK_KEY_H

#include "util/env.h"

#define BLOCK_KEY_BYTES 8

struct block_key {
    uint8_t bytes[BLOCK_KEY_BYTES];
    bool is_set; /* not all zeros */
};

/* Make xor.dat in blocks_dir if there is none: of a random key if wants_random and there is no
 * block file yet, else of zeros. 0, or a negative errno with *error: it cannot be written, or there
 * is a random one and none is wanted. Spec: Core InitBlocksdirXorKey() */
NODISCARD int block_key_make(const struct env *env, const char *blocks_dir, bool wants_random,
                             char **error);
/* Read it; zeros where there is none. 0 or a negative errno; -EUCLEAN: not 8 bytes. */
NODISCARD int block_key_load(const struct env *env, const char *blocks_dir, struct block_key *key);
/* XOR n bytes that lie at offset in their file, either way. */
void block_key_apply(const struct block_key *key, uint64_t offset, uint8_t *p, size_t n);

#endif
