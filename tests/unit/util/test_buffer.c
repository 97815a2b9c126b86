/* test_buffer.c - growing bytes, and readers and writers over them. */
#include "support/unit.h"
#include "util/buffer.h"
#include "util/reader.h"

TEST(appended_bytes_stay_in_order)
{
    struct buffer buffer;
    buffer_init(&buffer);
    for (uint32_t i = 0; i < 10000; i++)
        buffer_append(&buffer, &i, sizeof i);
    assert_int_equal(buffer.len, 40000);
    for (uint32_t i = 0; i < 10000; i++)
        assert_memory_equal(buffer.p + 4 * i, &i, sizeof i);
    buffer_deinit(&buffer);
    assert_int_equal(buffer.len, 0);
}

TEST(reserving_does_not_change_the_length)
{
    struct buffer buffer;
    buffer_init(&buffer);
    assert_non_null(buffer_reserve(&buffer, 0));
    buffer_append_string(&buffer, "abc");
    uint8_t *at = buffer_reserve(&buffer, 100000);
    assert_int_equal(buffer.len, 3);
    assert_true(buffer.capacity >= 100003);
    assert_ptr_equal(at, buffer.p + 3);
    buffer_deinit(&buffer);
}

TEST(formatted_text_grows_at_every_boundary)
{
    /* Lengths on both sides of the first capacity and of a doubled one. */
    for (int first = 60; first < 70; first++) {
        struct buffer buffer;
        buffer_init(&buffer);
        buffer_append_format(&buffer, "%0*d", first, 7);
        buffer_append_format(&buffer, "<%s>", "tip");
        assert_int_equal(buffer.len, (size_t)first + 5);
        assert_int_equal(buffer.p[first - 1], '7');
        assert_memory_equal(buffer.p + first, "<tip>", 5);
        buffer_deinit(&buffer);
    }
}

TEST(appending_nothing_allocates_nothing)
{
    struct buffer buffer;
    buffer_init(&buffer);
    buffer_append(&buffer, NULL, 0);
    buffer_append_string(&buffer, "");
    assert_null(buffer.p);
    assert_int_equal(buffer_span(&buffer).len, 0);
    buffer_deinit(&buffer);
}

TEST(a_writer_grows_the_buffer_and_a_reader_reads_it_back)
{
    struct buffer buffer;
    buffer_init(&buffer);
    struct writer w = writer_to_growing(&buffer);
    write_u8(&w, 0x12);
    write_u16(&w, 0x3456);
    write_u32(&w, 0x789abcde);
    write_u64(&w, 0x0123456789abcdef);
    write_var_span(&w, span_of_string("script"));
    assert_int_equal(w.len, buffer.len);

    struct reader r = reader_of(buffer_span(&buffer));
    assert_int_equal(read_u8(&r), 0x12);
    assert_int_equal(read_u16(&r), 0x3456);
    assert_int_equal(read_u32(&r), 0x789abcde);
    assert_int_equal(read_u64(&r), 0x0123456789abcdef);
    assert_true(span_equal(read_var_span(&r), span_of_string("script")));
    assert_true(reader_finish(&r));
    buffer_deinit(&buffer);
}

/* clang-format off */
static const struct { uint64_t value; size_t len; } compact_sizes[] = {
    {0, 1}, {252, 1}, {253, 3}, {0xffff, 3}, {0x10000, 5}, {0xffffffff, 5}, {0x100000000, 9},
    {UINT64_MAX, 9},
};
static const struct { const char *bytes; size_t len; } not_shortest[] = {
    {"\xfd\xfc\x00", 3}, {"\xfe\xff\xff\x00\x00", 5},
    {"\xff\xff\xff\xff\xff\x00\x00\x00\x00", 9},
};
/* clang-format on */

TEST(compact_sizes_have_one_form)
{
    for (size_t i = 0; i < COUNT_OF(compact_sizes); i++) {
        uint8_t bytes[9];
        struct writer w = writer_to_buffer(bytes, sizeof bytes);
        write_compact_size(&w, compact_sizes[i].value);
        assert_int_equal(w.len, compact_sizes[i].len);
        struct reader r = reader_of(span_of(bytes, w.len));
        assert_int_equal(read_compact_size(&r), compact_sizes[i].value);
        assert_true(reader_finish(&r));
    }
    for (size_t i = 0; i < COUNT_OF(not_shortest); i++) {
        struct reader r = reader_of(span_of(not_shortest[i].bytes, not_shortest[i].len));
        assert_int_equal(read_compact_size(&r), 0);
        assert_true(r.failed);
    }
}

TEST(a_failed_reader_stays_failed_and_gives_zeros)
{
    struct reader r = reader_of(span_of("\x01\x02\x03", 3));
    assert_int_equal(read_u32(&r), 0);
    assert_true(r.failed);
    assert_int_equal(read_u8(&r), 0);
    assert_int_equal(reader_left(&r), 0);
    uint8_t out[2] = {9, 9};
    read_bytes(&r, out, 2);
    assert_int_equal(out[0] | out[1], 0);
    assert_false(reader_finish(&r));

    struct reader huge = reader_of(span_of("\xfe\xff\xff\xff\x7f", 5));
    assert_int_equal(read_var_span(&huge).len, 0);
    assert_true(huge.failed);
}

static void write_past(void)
{
    uint8_t bytes[3];
    struct writer w = writer_to_buffer(bytes, sizeof bytes);
    write_u32(&w, 1);
}

TEST(writing_past_a_fixed_buffer_is_a_bug)
{
    expect_assert_failure(write_past());
    struct writer count = writer_counting();
    write_u32(&count, 1);
    assert_int_equal(count.len, 4);
}
