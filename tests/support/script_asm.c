/* script_asm.c - scripts and flags from the text of Core's test vectors. */
#include "support/script_asm.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "consensus/script_internal.h"
#include "support/script_names.h"
#include "util/hex.h"

static _Noreturn void bad(const char *what, const char *text)
{
    (void)fprintf(stderr, "script_asm: %s: %s\n", what, text);
    abort();
}

void asm_push(struct buffer *out, const void *p, size_t len)
{
    uint8_t prefix[5];
    struct writer w = writer_to_buffer(prefix, sizeof prefix);
    if (len < OP_PUSHDATA1) {
        write_u8(&w, (uint8_t)len);
    } else if (len <= 0xff) {
        write_u8(&w, OP_PUSHDATA1);
        write_u8(&w, (uint8_t)len);
    } else {
        write_u8(&w, OP_PUSHDATA2);
        write_u16(&w, (uint16_t)len);
    }
    buffer_append(out, prefix, w.len);
    buffer_append(out, p, len);
}

static void push_number(struct buffer *out, int64_t n)
{
    uint8_t bytes[SCRIPT_NUM_ENCODED_MAX];
    if (n == -1 || (n >= 1 && n <= 16)) {
        bytes[0] = (uint8_t)(n + OP_1 - 1);
        buffer_append(out, bytes, 1);
    } else {
        size_t len = script_num_encode(n, bytes);
        asm_push(out, bytes, len);
    }
}

static bool is_number(const char *token)
{
    if (*token == '-')
        token++;
    return *token && strspn(token, "0123456789") == strlen(token);
}

static void opcode(struct buffer *out, const char *token)
{
    for (int i = OP_RESERVED; i < 256; i++) {
        uint8_t byte = (uint8_t)i;
        const char *name = opcode_name(byte);
        if (i > OP_RESERVED && i < OP_NOP)
            continue; /* numbers are written as numbers */
        if (strcmp(name, token) == 0 ||
            (strncmp(name, "OP_", 3) == 0 && strcmp(name + 3, token) == 0)) {
            buffer_append(out, &byte, 1);
            return;
        }
    }
    bad("unknown opcode", token);
}

void asm_script(struct buffer *out, const char *text)
{
    char token[22000];
    while (*text) {
        while (isspace((unsigned char)*text))
            text++;
        size_t len = strcspn(text, " \t\n");
        if (len == 0)
            break;
        if (len >= sizeof token)
            bad("token too long", text);
        memcpy(token, text, len);
        token[len] = 0;
        text += len;
        if (is_number(token)) {
            push_number(out, strtoll(token, NULL, 10));
        } else if (strncmp(token, "0x", 2) == 0) {
            size_t bytes = (len - 2) / 2;
            if (!hex_decode(buffer_reserve(out, bytes), bytes, token + 2, len - 2))
                bad("bad hex", token);
            out->len += bytes;
        } else if (token[0] == '\'') {
            asm_push(out, token + 1, len - 2);
        } else {
            opcode(out, token);
        }
    }
}

uint32_t asm_flags(const char *text)
{
    static const struct {
        const char *name;
        uint32_t flag;
    } names[] = {
        {"NONE", 0},
        {"P2SH", SCRIPT_VERIFY_P2SH},
        {"STRICTENC", SCRIPT_VERIFY_STRICTENC},
        {"DERSIG", SCRIPT_VERIFY_DERSIG},
        {"LOW_S", SCRIPT_VERIFY_LOW_S},
        {"NULLDUMMY", SCRIPT_VERIFY_NULLDUMMY},
        {"SIGPUSHONLY", SCRIPT_VERIFY_SIGPUSHONLY},
        {"MINIMALDATA", SCRIPT_VERIFY_MINIMALDATA},
        {"DISCOURAGE_UPGRADABLE_NOPS", SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_NOPS},
        {"CLEANSTACK", SCRIPT_VERIFY_CLEANSTACK},
        {"CHECKLOCKTIMEVERIFY", SCRIPT_VERIFY_CHECKLOCKTIMEVERIFY},
        {"CHECKSEQUENCEVERIFY", SCRIPT_VERIFY_CHECKSEQUENCEVERIFY},
        {"WITNESS", SCRIPT_VERIFY_WITNESS},
        {"DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM",
         SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM},
        {"MINIMALIF", SCRIPT_VERIFY_MINIMALIF},
        {"NULLFAIL", SCRIPT_VERIFY_NULLFAIL},
        {"WITNESS_PUBKEYTYPE", SCRIPT_VERIFY_WITNESS_PUBKEYTYPE},
        {"CONST_SCRIPTCODE", SCRIPT_VERIFY_CONST_SCRIPTCODE},
        {"TAPROOT", SCRIPT_VERIFY_TAPROOT},
        {"DISCOURAGE_UPGRADABLE_TAPROOT_VERSION",
         SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION},
        {"DISCOURAGE_OP_SUCCESS", SCRIPT_VERIFY_DISCOURAGE_OP_SUCCESS},
        {"DISCOURAGE_UPGRADABLE_PUBKEYTYPE", SCRIPT_VERIFY_DISCOURAGE_UPGRADABLE_PUBKEYTYPE},
    };
    uint32_t flags = 0;
    while (*text) {
        size_t len = strcspn(text, ","), i = 0;
        while (i < COUNT_OF(names) &&
               (strlen(names[i].name) != len || strncmp(names[i].name, text, len) != 0))
            i++;
        if (i == COUNT_OF(names))
            bad("unknown flag", text);
        flags |= names[i].flag;
        text += len + (text[len] == ',');
    }
    return flags;
}

uint32_t asm_flags_fill(uint32_t flags)
{
    if (flags & SCRIPT_VERIFY_CLEANSTACK)
        flags |= SCRIPT_VERIFY_WITNESS;
    if (flags & SCRIPT_VERIFY_WITNESS)
        flags |= SCRIPT_VERIFY_P2SH;
    return flags;
}

uint32_t asm_flags_trim(uint32_t flags)
{
    if (!(flags & SCRIPT_VERIFY_P2SH))
        flags &= ~(uint32_t)SCRIPT_VERIFY_WITNESS;
    if (!(flags & SCRIPT_VERIFY_WITNESS))
        flags &= ~(uint32_t)SCRIPT_VERIFY_CLEANSTACK;
    return flags;
}

void asm_spend_init(struct asm_spend *spend)
{
    memset(spend, 0, sizeof *spend);
    arena_init(&spend->arena, 4096);
    buffer_init(&spend->script_sig);
    buffer_init(&spend->script_pubkey);
    buffer_init(&spend->witness);
    buffer_init(&spend->witness_encoded);
}

void asm_spend_deinit(struct asm_spend *spend)
{
    arena_deinit(&spend->arena);
    buffer_deinit(&spend->script_sig);
    buffer_deinit(&spend->script_pubkey);
    buffer_deinit(&spend->witness);
    buffer_deinit(&spend->witness_encoded);
}

void asm_witness(struct asm_spend *spend, const void *p, size_t len)
{
    struct writer w = writer_to_growing(&spend->witness);
    write_var_span(&w, span_of(p, len));
    spend->n_witness++;
}

void asm_spend_build(struct asm_spend *spend, int64_t value_sat)
{
    static const uint8_t two_zeros[] = {OP_0, OP_0};
    spend->credit_in = (struct tx_in){.prevout.vout = OUTPOINT_INDEX_NULL,
                                      .sequence = SEQUENCE_FINAL,
                                      .script_sig = span_of(two_zeros, sizeof two_zeros)};
    spend->credit_out = (struct tx_out){.value_sat = value_sat,
                                        .script_pubkey = buffer_span(&spend->script_pubkey)};
    spend->credit = (struct tx){
        .version = 1, .in = &spend->credit_in, .n_in = 1, .out = &spend->credit_out, .n_out = 1};
    tx_finish(&spend->credit, &spend->arena);

    spend->witness_encoded.len = 0;
    if (spend->n_witness > 0) {
        struct writer w = writer_to_growing(&spend->witness_encoded);
        write_compact_size(&w, spend->n_witness);
        write_span(&w, buffer_span(&spend->witness));
    }
    spend->in = (struct tx_in){.prevout.txid = spend->credit.txid,
                               .sequence = SEQUENCE_FINAL,
                               .script_sig = buffer_span(&spend->script_sig),
                               .witness = buffer_span(&spend->witness_encoded)};
    spend->out = (struct tx_out){.value_sat = value_sat};
    spend->tx =
        (struct tx){.version = 1, .in = &spend->in, .n_in = 1, .out = &spend->out, .n_out = 1};
    asm_spend_finish(spend);
}

void asm_spend_finish(struct asm_spend *spend)
{
    tx_finish(&spend->tx, &spend->arena);
    tx_sighash_init(&spend->sighash, &spend->tx, &spend->credit_out);
}

enum script_error asm_verify_both(const struct script_check *check, struct script_scratch *scratch)
{
    enum script_error fast = script_verify(check, scratch);
    enum script_error slow = script_verify_generic(check, scratch);
    if (fast != slow) {
        (void)fprintf(stderr, "flags %x: fast path says %s, interpreter says %s\n", check->flags,
                      script_error_name(fast), script_error_name(slow));
        abort();
    }
    return fast;
}

enum script_error asm_spend_verify(struct asm_spend *spend, uint32_t flags,
                                   struct script_scratch *scratch)
{
    const struct script_check check = {
        .tx = &spend->tx, .flags = flags, .spent = &spend->credit_out, .sighash = &spend->sighash};
    return asm_verify_both(&check, scratch);
}
