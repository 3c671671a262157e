/* The feed's parser must take any bytes, and give the same whether they come at once or in pieces. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A sum over everything that was given, so that reading it is checked, too. */
struct sum {
    uint64_t value;
    size_t records;
};

static void add(struct sum *sum, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        sum->value = (sum->value ^ bytes[i]) * UINT64_C(1099511628211);
    sum->records++;
}

static void take_table(void *data, const struct feed_table *table)
{
    CHECK(table->count <= FEED_STREAMS_MAX);
    for (size_t i = 0; i < table->count; i++) {
        const struct feed_stream *stream = &table->streams[i];
        CHECK(stream->rate_num > 0 && stream->rate_den > 0);
        uint32_t fields[] = {stream->stream, stream->codec, stream->rate_num, stream->rate_den,
                             stream->bitrate};
        add(data, fields, sizeof fields);
    }
}

static void take_unit(void *data, const struct feed_unit *unit)
{
    CHECK(unit->size <= FEED_PAYLOAD_MAX);
    int64_t fields[] = {unit->stream, unit->flags, unit->pts, unit->dts, (int64_t)unit->size};
    add(data, fields, sizeof fields);
    add(data, unit->data, unit->size);
}

static bool parse(const uint8_t *data, size_t size, size_t piece, struct sum *sum)
{
    struct feed_sink sink = {.data = sum, .table = take_table, .unit = take_unit};
    struct feed_parser *parser = feed_parser_new(&sink);
    CHECK(parser != NULL);
    bool good = true;
    for (size_t at = 0; at < size && good; at += piece)
        good = feed_parser_push(parser, data + at, size - at < piece ? size - at : piece);
    feed_parser_free(parser);
    return good;
}

/* The first byte is the size of the pieces, the rest is the feed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sum whole = {0}, pieces = {0};
    if (size < 2)
        return 0;
    bool good = parse(data + 1, size - 1, size - 1, &whole);
    CHECK(parse(data + 1, size - 1, (size_t)data[0] + 1, &pieces) == good);
    CHECK(whole.value == pieces.value && whole.records == pieces.records);
    return 0;
}
