/* test_script_verify.c - every row of Core's script_tests.json: result, flags added and taken away,
 * fast paths against the interpreter.
 *
 * hazards: rows 8, 18, 24, 25, 27 by the vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "consensus/script_internal.h"
#include "consensus/script_witness.h"
#include "support/script_asm.h"
#include "support/vectors.h"
#include "util/alloc.h"
#include "util/hex.h"

/* BIP341's point without a known secret key: the internal key of the vectors' taproot outputs. */
static const char nums_key[] = "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0";

struct taproot_leaf {
    uint8_t control[TAPROOT_CONTROL_BASE];
    uint8_t output[32];
};

/* A tree of one leaf. */
static void taproot_of(struct taproot_leaf *leaf, struct span script)
{
    uint8_t hash[32], tweak[32];
    int parity;
    assert_true(hex_decode(leaf->control + 1, 32, nums_key, 64));
    taproot_leaf_hash(TAPROOT_LEAF_TAPSCRIPT, script, hash);
    taproot_tweak(leaf->control + 1, hash, tweak);
    assert_true(xonly_tweak_add(leaf->output, &parity, leaf->control + 1, tweak));
    leaf->control[0] = (uint8_t)(TAPROOT_LEAF_TAPSCRIPT | parity);
}

static void add_witness_item(struct asm_spend *spend, const char *text, struct taproot_leaf *leaf)
{
    struct buffer item;
    buffer_init(&item);
    if (strncmp(text, "#SCRIPT#", 8) == 0) {
        asm_script(&item, text + 8);
        taproot_of(leaf, buffer_span(&item));
    } else if (strcmp(text, "#CONTROLBLOCK#") == 0) {
        buffer_append(&item, leaf->control, sizeof leaf->control);
    } else {
        size_t len = strlen(text) / 2;
        assert_true(hex_decode(buffer_reserve(&item, len), len, text, strlen(text)));
        item.len += len;
    }
    asm_witness(spend, item.p, item.len);
    buffer_deinit(&item);
}

static void add_script_pubkey(struct asm_spend *spend, const char *text,
                              const struct taproot_leaf *leaf)
{
    const char *mark = strstr(text, "#TAPROOTOUTPUT#");
    if (mark) {
        char *head = xasprintf("%.*s", (int)(mark - text), text);
        asm_script(&spend->script_pubkey, head);
        buffer_append(&spend->script_pubkey, leaf->output, 32);
        xfree(head);
    } else {
        asm_script(&spend->script_pubkey, text);
    }
}

struct row {
    struct asm_spend spend;
    uint32_t flags;
    const char *want;
    char *text; /* for messages */
};

/* Rows of one string are comments. */
static bool row_read(struct row *row, json_t *json)
{
    if (json_array_size(json) < 4)
        return false;
    struct taproot_leaf leaf = {{0}, {0}};
    int64_t value_sat = 0;
    size_t at = 0;
    asm_spend_init(&row->spend);
    json_t *witness = json_array_get(json, 0);
    if (json_is_array(witness)) {
        size_t n = json_array_size(witness) - 1;
        for (size_t i = 0; i < n; i++)
            add_witness_item(&row->spend, json_string_value(json_array_get(witness, i)), &leaf);
        value_sat = (int64_t)(json_number_value(json_array_get(witness, n)) * 1e8 + 0.5);
        at++;
    }
    asm_script(&row->spend.script_sig, json_string_value(json_array_get(json, at)));
    add_script_pubkey(&row->spend, json_string_value(json_array_get(json, at + 1)), &leaf);
    row->flags = asm_flags(json_string_value(json_array_get(json, at + 2)));
    row->want = json_string_value(json_array_get(json, at + 3));
    row->text = json_dumps(json, JSON_COMPACT);
    asm_spend_build(&row->spend, value_sat);
    return true;
}

static void row_free(struct row *row)
{
    asm_spend_deinit(&row->spend);
    free(row->text);
}

/* More flags never make a failing script pass, fewer never make a passing one fail. */
static void check_other_flags(struct row *row, bool passes, struct script_scratch *scratch,
                              uint64_t *random)
{
    for (int i = 0; i < 16; i++) {
        *random ^= *random << 13, *random ^= *random >> 7, *random ^= *random << 17;
        uint32_t extra = (uint32_t)(*random >> 20) & ASM_FLAGS_ALL;
        uint32_t flags = passes ? row->flags & ~extra : row->flags | extra;
        if (flags != asm_flags_trim(flags))
            continue;
        enum script_error error = asm_spend_verify(&row->spend, flags, scratch);
        if ((error == SCRIPT_OK) != passes)
            fail_msg("flags %x: %s: %s", flags, script_error_name(error), row->text);
    }
}

static void core_script_vectors_hold(void **state)
{
    (void)state;
    char *text = vectors_read("core/script_tests.json", NULL);
    if (!text)
        skip();
    json_t *rows = json_loads(text, 0, NULL);
    assert_non_null(rows);
    struct script_scratch *scratch = script_scratch_new();
    uint64_t random = 88172645463325252u;
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        struct row row;
        if (!row_read(&row, json_array_get(rows, i)))
            continue;
        n++;
        enum script_error error = asm_spend_verify(&row.spend, row.flags, scratch);
        if (strcmp(script_error_name(error), row.want) != 0)
            fail_msg("%s: %s", script_error_name(error), row.text);
        check_other_flags(&row, error == SCRIPT_OK, scratch, &random);
        row_free(&row);
    }
    assert_true(n >= 1200);
    script_scratch_free(scratch);
    json_decref(rows);
    xfree(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(core_script_vectors_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
