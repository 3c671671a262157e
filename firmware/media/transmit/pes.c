#include "pes.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"

#define STREAM_ID_VIDEO 0xe0
#define STREAM_ID_AUDIO 0xc0
#define HEADER_MAX 19

uint64_t pes_timestamp(int64_t ns)
{
    /* Rounded: labels on a grid that is exact in 90 kHz, as that of AAC is, must come out exact. */
    return (uint64_t)(((__int128)ns * 9 + 50000) / 100000) & ((UINT64_C(1) << 33) - 1);
}

static uint8_t *put_timestamp(uint8_t *out, unsigned prefix, uint64_t value)
{
    out[0] = (uint8_t)(prefix << 4 | (value >> 30 & 7) << 1 | 1);
    put_be16(out + 1, (uint16_t)((value >> 15 & 0x7fff) << 1 | 1));
    put_be16(out + 3, (uint16_t)((value & 0x7fff) << 1 | 1));
    return out + 5;
}

/* Position behind the next start code 00 00 01, or `size`. */
static size_t next_nal(const uint8_t *data, size_t size, size_t from)
{
    while (from + 3 < size) {
        const uint8_t *one = memchr(data + from + 2, 1, size - from - 2);
        if (one == NULL)
            break;
        from = (size_t)(one - data) - 2;
        if (data[from] == 0 && data[from + 1] == 0)
            return from + 3;
        from++;
    }
    return size;
}

static bool has_delimiter(const struct feed_unit *unit, uint8_t codec)
{
    size_t at = next_nal(unit->data, unit->size, 0);
    if (at >= unit->size)
        return false;
    return codec == FEED_H264 ? (unit->data[at] & 0x1f) == 9 : (unit->data[at] >> 1 & 0x3f) == 35;
}

int64_t pes_h264_max_bitrate(const uint8_t *data, size_t size)
{
    static const struct {
        uint8_t level;
        int32_t kbit;
    } levels[] = {{10, 64},    {11, 192},   {12, 384},   {13, 768},   {20, 2000},   {21, 4000},   {22, 4000},  {30, 10000},
                  {31, 14000}, {32, 20000}, {40, 20000}, {41, 50000}, {42, 50000}, {50, 135000}, {51, 240000}, {52, 240000}};
    /* Parameter sets come first; the search ends at the first slice. */
    for (size_t at = next_nal(data, size, 0); at + 3 < size; at = next_nal(data, size, at)) {
        uint8_t type = data[at] & 0x1f;
        if (type == 1 || type == 5)
            return 0;
        if (type != 7)
            continue;
        for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
            if (levels[i].level >= data[at + 3])
                return levels[i].kbit * INT64_C(1250);
        return INT64_C(300000000);
    }
    return 0;
}

struct pes *pes_new(const struct feed_unit *unit, uint8_t codec, int64_t delay)
{
    static const uint8_t h264_delimiter[] = {0, 0, 0, 1, 0x09, 0xf0};
    static const uint8_t h265_delimiter[] = {0, 0, 0, 1, 0x46, 0x01, 0x50};
    bool video = feed_codec_is_video(codec);
    const uint8_t *delimiter = codec == FEED_H264 ? h264_delimiter : h265_delimiter;
    size_t delimiter_size = 0;
    if (video && !has_delimiter(unit, codec))
        delimiter_size = codec == FEED_H264 ? sizeof h264_delimiter : sizeof h265_delimiter;

    struct pes *pes = malloc(sizeof *pes + HEADER_MAX + delimiter_size + unit->size);
    if (pes == NULL)
        return NULL;
    pes->next = NULL;
    pes->dts = unit->dts + delay;
    pes->key = (unit->flags & FEED_KEY) != 0;

    uint64_t pts = pes_timestamp(unit->pts + delay), dts = pes_timestamp(unit->dts + delay);
    uint8_t *at = pes->bytes;
    put_be32(at, 0x00000100u | (video ? STREAM_ID_VIDEO : STREAM_ID_AUDIO));
    at[6] = 0x84; /* data_alignment_indicator: each PES packet starts with an access unit */
    at[7] = pts == dts ? 0x80 : 0xc0;
    at[8] = pts == dts ? 5 : 10;
    at = put_timestamp(at + 9, pts == dts ? 2 : 3, pts);
    if (pts != dts)
        at = put_timestamp(at, 1, dts);
    if (delimiter_size > 0)
        memcpy(at, delimiter, delimiter_size);
    memcpy(at + delimiter_size, unit->data, unit->size);
    pes->size = (size_t)(at - pes->bytes) + delimiter_size + unit->size;
    /* With its length a receiver has the unit as soon as it is complete; 0 (video only) when it is too long. */
    size_t length = pes->size - 6;
    put_be16(pes->bytes + 4, (uint16_t)(length <= 0xffff ? length : 0));
    return pes;
}
