/* temp_dir.h - a fresh directory for one test, removed with all that is in it. */
#ifndef TESTS_UNIT_HOST_TEMP_DIR_H
#define TESTS_UNIT_HOST_TEMP_DIR_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct temp_dir {
    char path[64];
    char file[256]; /* what temp_path() returned last */
};

static inline void temp_dir_make(struct temp_dir *dir)
{
    strcpy(dir->path, "/tmp/cairn-test-XXXXXX");
    if (!mkdtemp(dir->path))
        abort();
}

static inline int temp_dir_unlink_(const char *path, const struct stat *st, int type,
                                   struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void temp_dir_remove(struct temp_dir *dir)
{
    nftw(dir->path, temp_dir_unlink_, 16, FTW_DEPTH | FTW_PHYS);
}

/* The directory as a fixture. */
static inline int temp_dir_setup(void **state)
{
    *state = calloc(1, sizeof(struct temp_dir));
    if (!*state)
        return -1;
    temp_dir_make(*state);
    return 0;
}

static inline int temp_dir_teardown(void **state)
{
    temp_dir_remove(*state);
    free(*state);
    return 0;
}

/* The path of name below the directory; valid until the next call. */
static inline const char *temp_path(struct temp_dir *dir, const char *name)
{
    snprintf(dir->file, sizeof dir->file, "%s/%s", dir->path, name);
    return dir->file;
}

/* Make the file name with that text. */
static inline void temp_write(struct temp_dir *dir, const char *name, const char *text)
{
    FILE *f = fopen(temp_path(dir, name), "wb");
    if (!f)
        abort();
    fputs(text, f);
    fclose(f);
}

/* Up to 64 KiB of the file name, ended by a zero; free() it. NULL if it cannot be read. */
static inline char *temp_read(struct temp_dir *dir, const char *name)
{
    FILE *f = fopen(temp_path(dir, name), "rb");
    if (!f)
        return NULL;
    char *text = calloc(1, 65537);
    size_t n = fread(text, 1, 65536, f);
    text[n] = '\0';
    fclose(f);
    return text;
}

#endif
