/* The feed's parser: whole feeds in pieces of any size, and everything that is no feed. */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "check.h"
#include "feed.h"

#define LOG_MAX 4096

/* What the parser gave, in words of bytes: comparing two runs is comparing memory. */
struct given {
    size_t tables, units, size;
    uint8_t log[LOG_MAX];
};

static void note(struct given *given, const void *data, size_t size)
{
    CHECK(given->size + size <= LOG_MAX);
    if (size > 0)
        memcpy(given->log + given->size, data, size);
    given->size += size;
}

static void take_table(void *data, const struct feed_table *table)
{
    struct given *given = data;
    given->tables++;
    for (size_t i = 0; i < table->count; i++) {
        const struct feed_stream *stream = &table->streams[i];
        note(given, &stream->stream, 1);
        note(given, &stream->codec, 1);
        note(given, &stream->rate_num, 4);
        note(given, &stream->rate_den, 4);
        note(given, &stream->bitrate, 4);
    }
}

static void take_unit(void *data, const struct feed_unit *unit)
{
    struct given *given = data;
    given->units++;
    note(given, &unit->stream, 1);
    note(given, &unit->flags, 2);
    note(given, &unit->pts, 8);
    note(given, &unit->dts, 8);
    note(given, unit->data, unit->size);
}

static const struct feed_table two_streams = {
    .count = 2,
    .streams = {{.stream = 0, .codec = FEED_H264, .rate_num = 25, .rate_den = 1, .bitrate = 3000000},
                {.stream = 7, .codec = FEED_AAC_ADTS, .rate_num = 48000, .rate_den = 1024, .bitrate = 1}},
};

static size_t write_unit(uint8_t *out, uint8_t stream, uint16_t flags, int64_t pts, const void *data,
                         size_t size)
{
    struct feed_unit unit = {
        .stream = stream, .flags = flags, .pts = pts, .dts = pts - 40, .data = data, .size = size};
    feed_write_unit_header(out, &unit);
    if (size > 0)
        memcpy(out + FEED_HEADER_SIZE, data, size);
    return FEED_HEADER_SIZE + size;
}

/* A table, units of both streams, an empty one, an empty and a new table, and a unit of the new one. */
static size_t write_feed(uint8_t *out)
{
    static const struct feed_table none = {.count = 0};
    static const struct feed_table other = {
        .count = 1, .streams = {{.stream = 3, .codec = FEED_H265, .rate_num = 50, .rate_den = 1}}};
    size_t size = feed_write_table(out, &two_streams);
    size += write_unit(out + size, 0, FEED_KEY, INT64_C(-5000000000), "picture", 7);
    size += write_unit(out + size, 7, FEED_KEY, 1, "s", 1);
    size += write_unit(out + size, 0, FEED_DISCONTINUITY, INT64_MAX, NULL, 0);
    size += feed_write_table(out + size, &none);
    size += feed_write_table(out + size, &other);
    size += write_unit(out + size, 3, 0, 2, "last", 4);
    return size;
}

static bool parse(const uint8_t *feed, size_t size, size_t piece, struct given *given)
{
    struct feed_sink sink = {.data = given, .table = take_table, .unit = take_unit};
    struct feed_parser *parser = feed_parser_new(&sink);
    CHECK(parser != NULL);
    bool good = true;
    for (size_t at = 0; at < size && good; at += piece)
        good = feed_parser_push(parser, feed + at, size - at < piece ? size - at : piece);
    feed_parser_free(parser);
    return good;
}

static void test_whole(void)
{
    uint8_t feed[LOG_MAX];
    size_t size = write_feed(feed);
    struct given given = {0};
    CHECK(parse(feed, size, size, &given));
    CHECK_EQ_INT(given.tables, 3);
    CHECK_EQ_INT(given.units, 4);
    CHECK(memcmp(given.log, "\x00\x01\x19\x00\x00\x00\x01\x00\x00\x00", 10) == 0);
}

static void test_pieces(void)
{
    uint8_t feed[LOG_MAX];
    size_t size = write_feed(feed);
    struct given whole = {0};
    CHECK(parse(feed, size, size, &whole));
    for (size_t piece = 1; piece < size; piece++) {
        struct given given = {0};
        CHECK(parse(feed, size, piece, &given));
        CHECK(memcmp(&given, &whole, sizeof whole) == 0);
    }
    /* In two parts, split at every byte, with an empty push between. */
    for (size_t split = 0; split <= size; split++) {
        struct given given = {0};
        struct feed_sink sink = {.data = &given, .table = take_table, .unit = take_unit};
        struct feed_parser *parser = feed_parser_new(&sink);
        CHECK(parser != NULL);
        CHECK(feed_parser_push(parser, feed, split));
        CHECK(feed_parser_push(parser, NULL, 0));
        CHECK(feed_parser_push(parser, feed + split, size - split));
        feed_parser_free(parser);
        CHECK(memcmp(&given, &whole, sizeof whole) == 0);
    }
}

/* Every cut is a feed that has not ended yet: no error, and nothing half is given. */
static void test_cut_short(void)
{
    uint8_t feed[LOG_MAX];
    size_t size = write_feed(feed);
    struct given whole = {0};
    CHECK(parse(feed, size, size, &whole));
    for (size_t cut = 0; cut < size; cut++) {
        struct given given = {0};
        CHECK(parse(feed, cut, cut == 0 ? 1 : cut, &given));
        CHECK(given.tables + given.units < whole.tables + whole.units);
        CHECK(memcmp(given.log, whole.log, given.size) == 0);
    }
}

static void refuse(const uint8_t *feed, size_t size, size_t tables)
{
    struct given given = {0};
    CHECK(!parse(feed, size, size, &given));
    CHECK_EQ_INT(given.tables, tables);
    CHECK_EQ_INT(given.units, 0);
    struct given bytewise = {0};
    CHECK(!parse(feed, size, 1, &bytewise));
    CHECK(memcmp(&given, &bytewise, sizeof given) == 0);
}

static void test_malformed(void)
{
    uint8_t feed[LOG_MAX];
    size_t table = feed_write_table(feed, &two_streams);
    size_t size = table + write_unit(feed + table, 0, FEED_KEY, 0, "unit", 4);
    uint8_t bad[LOG_MAX];

#define WITH(change, tables)            \
    do {                                \
        memcpy(bad, feed, size);        \
        change;                         \
        refuse(bad, size, tables);      \
    } while (0)
    WITH(bad[0] ^= 1, 0);                                            /* magic */
    WITH(bad[table + 3] ^= 1, 1);                                    /* magic of the second record */
    WITH(bad[4] = 0, 0);                                             /* kind */
    WITH(bad[4] = 3, 0);
    WITH(bad[4] = FEED_UNIT, 0);                                     /* a unit before any table */
    WITH(bad[table + 5] = 1, 1);                                     /* a stream that is not in the table */
    WITH(put_le32(bad + 8, 31), 0);                                  /* no whole number of entries */
    WITH(put_le32(bad + 8, 16 * (FEED_STREAMS_MAX + 1)), 0);         /* too many entries */
    WITH(put_le32(bad + table + 8, FEED_PAYLOAD_MAX + 1), 1);        /* oversized unit */
    WITH(put_le32(bad + table + 8, UINT32_MAX), 1);
    WITH(bad[FEED_HEADER_SIZE + 1] = 0, 0);                          /* codec */
    WITH(put_le32(bad + FEED_HEADER_SIZE + 4, 0), 0);                /* rate 0/1 */
    WITH(put_le32(bad + FEED_HEADER_SIZE + 8, 0), 0);                /* rate 25/0 */
    WITH(bad[FEED_HEADER_SIZE + 16] = bad[FEED_HEADER_SIZE], 0);     /* the same stream twice */
#undef WITH
}

/* Once broken it stays so: what follows is not looked at, however good it is. */
static void test_stays_broken(void)
{
    uint8_t feed[LOG_MAX];
    size_t size = write_feed(feed);
    struct given given = {0};
    struct feed_sink sink = {.data = &given, .table = take_table, .unit = take_unit};
    struct feed_parser *parser = feed_parser_new(&sink);
    CHECK(parser != NULL);
    uint8_t garbage[FEED_HEADER_SIZE] = {0};
    CHECK(!feed_parser_push(parser, garbage, sizeof garbage));
    CHECK(!feed_parser_push(parser, feed, size));
    CHECK_EQ_INT(given.tables + given.units, 0);
    feed_parser_free(parser);
}

static void take_size(void *data, const struct feed_unit *unit)
{
    *(size_t *)data = unit->size;
}

static void ignore_table(void *data, const struct feed_table *table)
{
    (void)data;
    (void)table;
}

static void test_largest_unit(void)
{
    uint8_t start[LOG_MAX];
    struct feed_unit unit = {.stream = 0, .size = FEED_PAYLOAD_MAX};
    size_t table = feed_write_table(start, &two_streams), size = 0;
    feed_write_unit_header(start + table, &unit);
    uint8_t *payload = calloc(1, FEED_PAYLOAD_MAX);
    struct feed_parser *parser =
        feed_parser_new(&(struct feed_sink){.data = &size, .table = ignore_table, .unit = take_size});
    CHECK(payload != NULL && parser != NULL);
    CHECK(feed_parser_push(parser, start, table + FEED_HEADER_SIZE));
    CHECK(feed_parser_push(parser, payload, FEED_PAYLOAD_MAX - 1));
    CHECK_EQ_INT(size, 0);
    CHECK(feed_parser_push(parser, payload, 1));
    CHECK_EQ_INT(size, FEED_PAYLOAD_MAX);
    feed_parser_free(parser);
    feed_parser_free(NULL);
    free(payload);
}

static void test_codecs(void)
{
    CHECK(feed_codec_is_video(FEED_H264));
    CHECK(feed_codec_is_video(FEED_H265));
    CHECK(!feed_codec_is_video(FEED_AAC_ADTS));
    CHECK(!feed_codec_is_video(FEED_MPEG_AUDIO));
}

int main(void)
{
    test_whole();
    test_pieces();
    test_cut_short();
    test_malformed();
    test_stays_broken();
    test_largest_unit();
    test_codecs();
    return 0;
}
