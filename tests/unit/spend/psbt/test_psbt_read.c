/* test_psbt_read.c - what is a PSBT, and what is none: the vectors of BIP174, 370 and 371. */
#include "spend/psbt/psbt.h"
#include "unit/spend/psbt/psbt_fixture.h"

FIXTURE(setup, teardown)

TEST(vectors_of_bips, struct fixture *f)
{
    for (size_t i = 0; i < COUNT_OF(bip_files); i++) {
        struct bip_psbt vector = {0};
        size_t n_valid = 0, n_invalid = 0;
        char *text;
        const char *at = bip_vectors(bip_files[i], &text);
        while (bip_next_psbt(&at, &vector)) {
            bool is_wrong = vector.section == BIP_INVALID || vector.section == BIP_NO_LOCK_TIME;
            bool ok = read_base64(f, vector.base64, &f->psbt);
            if (ok == is_wrong)
                fail_msg("%s: %.*s: %s", bip_files[i], (int)vector.base64.len,
                         (const char *)vector.base64.p, ok ? "taken" : f->error);
            n_valid += !is_wrong;
            n_invalid += is_wrong;
        }
        print_message("%s: %zu valid, %zu invalid\n", bip_files[i], n_valid, n_invalid);
        assert_true(n_valid > 0 && n_invalid > 0);
        xfree(text);
    }
}

/* A global map of version 2 that counts maps, and those that follow. */
static bool read_v2(struct fixture *f, uint8_t n_inputs, uint8_t n_outputs, struct span maps)
{
    uint8_t bytes[512];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_bytes(&w, "psbt\xff\x01\x02\x04\x02\0\0\0\x01\x04\x01", 15);
    write_u8(&w, n_inputs);
    write_bytes(&w, "\x01\x05\x01", 3);
    write_u8(&w, n_outputs);
    write_bytes(&w, "\x01\xfb\x04\x02\0\0\0\0", 8);
    write_span(&w, maps);
    return psbt_read(span_of(bytes, w.len), &f->arena, &f->psbt, &f->error);
}

/* The words are Core's, with what its reader adds. */
TEST(what_is_wrong_is_said, struct fixture *f)
{
    assert_true(read_v2(f, 0, 0, span_of("", 0)));
    assert_false(read_v2(f, 0, 0, span_of("\0", 1)));
    assert_string_equal(f->error, "extra data after PSBT");
    assert_false(read_v2(f, 1, 0, span_of("", 0)));
    assert_string_equal(f->error, "Inputs provided does not match the number of inputs in "
                                  "transaction.: iostream error");
    assert_false(read_v2(f, 0, 1, span_of("", 0)));
    assert_string_equal(f->error, "Outputs provided does not match the number of outputs in "
                                  "transaction.: iostream error");
    assert_false(read_v2(f, 1, 0, span_of("\x01\x0f\x04\0\0\0\0", 7)));
    assert_string_equal(f->error,
                        "Separator is missing at the end of an input map: iostream error");
    assert_false(read_v2(f, 1, 0, span_of("\x01\x0f\x04\0\0\0\0\0", 8)));
    assert_string_equal(f->error, "Previous TXID is required in PSBTv2: iostream error");
    assert_false(psbt_read(span_of("psbt\xfe", 5), &f->arena, &f->psbt, &f->error));
    assert_string_equal(f->error, "Invalid PSBT magic bytes: iostream error");
    assert_false(psbt_read(span_of("psbt\xff", 5), &f->arena, &f->psbt, &f->error));
    assert_string_equal(f->error,
                        "Separator is missing at the end of the global map: iostream error");
    assert_false(psbt_read(span_of("psbt\xff\0", 6), &f->arena, &f->psbt, &f->error));
    assert_string_equal(f->error, "No unsigned transaction was provided: iostream error");
    assert_false(
        psbt_read(span_of("psbt\xff\x01\xfb\x04\x01\0\0\0\0", 13), &f->arena, &f->psbt, &f->error));
    assert_string_equal(f->error, "There is no PSBT version 1: iostream error");
    assert_false(
        psbt_read(span_of("psbt\xff\x01\xfb\x04\x03\0\0\0\0", 13), &f->arena, &f->psbt, &f->error));
    assert_string_equal(f->error, "Unsupported version number: iostream error");
}

/* Final scripts that hold nothing are not there, as in Core, which does not pass them on. */
TEST(empty_final_scripts_are_dropped, struct fixture *f)
{
    static const char input[] = "\x01\x07\0\x01\x08\x01\0"
                                "\x01\x0e\x20"
                                "01234567890123456789012345678901"
                                "\x01\x0f\x04\0\0\0\0";
    assert_true(read_v2(f, 1, 0, span_of(input, sizeof input)));
    assert_int_equal(f->psbt.inputs[0].n, 2);
}

/* No more maps are made than there are bytes for. */
TEST(counts_promise_nothing, struct fixture *f)
{
    static const char head[] = "psbt\xff\x01\x02\x04\x02\0\0\0"
                               "\x01\x04\x09\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                               "\x01\x05\x01\0\x01\xfb\x04\x02\0\0\0\0";
    assert_false(psbt_read(span_of(head, sizeof head - 1), &f->arena, &f->psbt, &f->error));
    assert_true(f->arena.total_bytes < 1 << 20);
}

/* Each input has bytes of its own: a count that lies costs no multiple of the body. */
TEST(a_count_that_lies_costs_no_more_than_the_body, struct fixture *f)
{
    enum { BODY_BYTES = 1 << 20 };
    struct buffer bytes;
    buffer_init(&bytes);
    static const char head[] = "psbt\xff\x01\x02\x04\x02\0\0\0\x01\x04\x05\xfe\0\0\x08\0\x01\x05"
                               "\x01\0\x01\xfb\x04\x02\0\0\0\0";
    buffer_append(&bytes, head, sizeof head - 1);
    while (bytes.len < BODY_BYTES)
        buffer_append(&bytes, "\xff", 1); /* no map: the first input is refused */
    assert_false(psbt_read(buffer_span(&bytes), &f->arena, &f->psbt, &f->error));
    buffer_deinit(&bytes);
    assert_true(f->arena.total_bytes < 4 * BODY_BYTES);
}

/* A map may have as many records as there are bytes: each is looked at a few times, no more. */
TEST(many_records_take_no_square_of_time, struct fixture *f)
{
    enum { RECORDS = 300000 };
    struct buffer bytes;
    buffer_init(&bytes);
    buffer_append(&bytes, "\x01\x0e\x20", 3);
    for (int i = 0; i < 32; i++)
        buffer_append(&bytes, "\x07", 1);
    buffer_append(&bytes, "\x01\x0f\x04\0\0\0\0", 7);
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint8_t record[] = {
            4, 0x77, (uint8_t)(i * 7), (uint8_t)(i * 7 >> 8), (uint8_t)(i * 7 >> 16), 0};
        buffer_append(&bytes, record, sizeof record);
    }
    buffer_append(&bytes, "", 1);
    uint8_t *whole = arena_alloc(&f->arena, bytes.len + 64);
    struct writer w = writer_to_buffer(whole, bytes.len + 64);
    write_bytes(&w, "psbt\xff\x01\x02\x04\x02\0\0\0\x01\x04\x01\x01\x01\x05\x01\0", 20);
    write_bytes(&w, "\x01\xfb\x04\x02\0\0\0\0", 8);
    write_span(&w, buffer_span(&bytes));
    assert_true(psbt_read(span_of(whole, w.len), &f->arena, &f->psbt, &f->error));
    assert_int_equal(f->psbt.inputs[0].n, RECORDS + 2);
    buffer_deinit(&bytes);
}
