#include "feed.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"

#define TABLE_ENTRY_SIZE 16

bool feed_codec_is_video(uint8_t codec)
{
    return codec == FEED_H264 || codec == FEED_H265;
}

static bool codec_known(uint8_t codec)
{
    return codec == FEED_H264 || codec == FEED_H265 || codec == FEED_AAC_ADTS || codec == FEED_MPEG_AUDIO;
}

static void write_header(uint8_t *out, uint8_t kind, uint8_t stream, uint16_t flags, uint32_t size, int64_t pts,
                         int64_t dts)
{
    put_le32(out, FEED_MAGIC);
    out[4] = kind;
    out[5] = stream;
    put_le16(out + 6, flags);
    put_le32(out + 8, size);
    put_le32(out + 12, 0);
    put_le64(out + 16, (uint64_t)pts);
    put_le64(out + 24, (uint64_t)dts);
}

void feed_write_unit_header(uint8_t out[FEED_HEADER_SIZE], const struct feed_unit *unit)
{
    write_header(out, FEED_UNIT, unit->stream, unit->flags, (uint32_t)unit->size, unit->pts, unit->dts);
}

size_t feed_write_table(uint8_t *out, const struct feed_table *table)
{
    size_t size = table->count * TABLE_ENTRY_SIZE;
    write_header(out, FEED_TABLE, 0, 0, (uint32_t)size, 0, 0);
    uint8_t *entry = out + FEED_HEADER_SIZE;
    for (size_t i = 0; i < table->count; i++, entry += TABLE_ENTRY_SIZE) {
        const struct feed_stream *stream = &table->streams[i];
        entry[0] = stream->stream;
        entry[1] = stream->codec;
        put_le16(entry + 2, 0);
        put_le32(entry + 4, stream->rate_num);
        put_le32(entry + 8, stream->rate_den);
        put_le32(entry + 12, stream->bitrate);
    }
    return FEED_HEADER_SIZE + size;
}

/* The parser collects one record, header and payload, in a buffer that grows to the largest one. */
struct feed_parser {
    struct feed_sink sink;
    struct feed_table table;
    uint8_t header[FEED_HEADER_SIZE];
    size_t have; /* bytes of header and payload collected */
    uint32_t size;
    uint8_t *payload;
    size_t capacity;
    bool broken;
};

struct feed_parser *feed_parser_new(const struct feed_sink *sink)
{
    struct feed_parser *parser = calloc(1, sizeof *parser);
    if (parser != NULL)
        parser->sink = *sink;
    return parser;
}

void feed_parser_free(struct feed_parser *parser)
{
    if (parser == NULL)
        return;
    free(parser->payload);
    free(parser);
}

static bool in_table(const struct feed_table *table, uint8_t stream)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->streams[i].stream == stream)
            return true;
    return false;
}

static bool accept_header(struct feed_parser *parser)
{
    const uint8_t *header = parser->header;
    if (get_le32(header) != FEED_MAGIC)
        return false;
    parser->size = get_le32(header + 8);
    if (parser->size > FEED_PAYLOAD_MAX)
        return false;
    if (header[4] == FEED_TABLE) {
        if (parser->size % TABLE_ENTRY_SIZE != 0 || parser->size > TABLE_ENTRY_SIZE * FEED_STREAMS_MAX)
            return false;
    } else if (header[4] != FEED_UNIT || !in_table(&parser->table, header[5])) {
        return false;
    }
    if (parser->size > parser->capacity) {
        uint8_t *grown = realloc(parser->payload, parser->size);
        if (grown == NULL)
            return false;
        parser->payload = grown;
        parser->capacity = parser->size;
    }
    return true;
}

static bool take_table(struct feed_parser *parser)
{
    struct feed_table table = {.count = parser->size / TABLE_ENTRY_SIZE};
    for (size_t i = 0; i < table.count; i++) {
        const uint8_t *entry = parser->payload + i * TABLE_ENTRY_SIZE;
        struct feed_stream *stream = &table.streams[i];
        stream->stream = entry[0];
        stream->codec = entry[1];
        stream->rate_num = get_le32(entry + 4);
        stream->rate_den = get_le32(entry + 8);
        stream->bitrate = get_le32(entry + 12);
        if (!codec_known(stream->codec) || stream->rate_num == 0 || stream->rate_den == 0)
            return false;
        for (size_t j = 0; j < i; j++)
            if (table.streams[j].stream == stream->stream)
                return false;
    }
    parser->table = table;
    parser->sink.table(parser->sink.data, &table);
    return true;
}

static bool take_record(struct feed_parser *parser)
{
    const uint8_t *header = parser->header;
    parser->have = 0;
    if (header[4] == FEED_TABLE)
        return take_table(parser);
    struct feed_unit unit = {
        .stream = header[5],
        .flags = get_le16(header + 6),
        .pts = (int64_t)get_le64(header + 16),
        .dts = (int64_t)get_le64(header + 24),
        .data = parser->payload,
        .size = parser->size,
    };
    parser->sink.unit(parser->sink.data, &unit);
    return true;
}

bool feed_parser_push(struct feed_parser *parser, const uint8_t *data, size_t size)
{
    if (size == 0)
        return !parser->broken;
    while (!parser->broken) {
        if (parser->have < FEED_HEADER_SIZE) {
            size_t part = FEED_HEADER_SIZE - parser->have;
            if (part > size)
                part = size;
            memcpy(parser->header + parser->have, data, part);
            parser->have += part;
            data += part;
            size -= part;
            if (parser->have < FEED_HEADER_SIZE)
                return true;
            if (!accept_header(parser))
                break;
        }
        size_t part = FEED_HEADER_SIZE + parser->size - parser->have;
        if (part > size)
            part = size;
        if (part > 0)
            memcpy(parser->payload + parser->have - FEED_HEADER_SIZE, data, part);
        parser->have += part;
        data += part;
        size -= part;
        if (parser->have < FEED_HEADER_SIZE + (size_t)parser->size)
            return true;
        if (!take_record(parser))
            break;
        if (size == 0)
            return true;
    }
    parser->broken = true;
    return false;
}
