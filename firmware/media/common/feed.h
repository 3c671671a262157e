/* The feed: access units of one programme from `encode` to its readers, over a UNIX stream socket.
 *
 * A feed is a sequence of records, each a header of 32 bytes and a payload, all little-endian:
 *
 *   0  u32 magic "SCF1"    4  u8 kind     5  u8 stream    6  u16 flags
 *   8  u32 payload size   12  u32 zero   16  i64 pts     24  i64 dts      (ns of the box clock)
 *
 * The first record is the stream table; another may follow at any time and is in force from there
 * on. A reader is given access units from a key frame of stream 0 on (all streams' units with the
 * same or a later position). A recorded feed (the slate clip) is a file of the same bytes.
 * A reader may send one byte, FEED_WANT_KEY, to ask for a key frame. */
#ifndef STEADYCAST_FEED_H
#define STEADYCAST_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop.h"

#define FEED_MAGIC UINT32_C(0x31464353)
#define FEED_HEADER_SIZE 32
#define FEED_PAYLOAD_MAX (8u * 1024 * 1024)
#define FEED_STREAMS_MAX 32
#define FEED_WANT_KEY 'K'

enum feed_kind { FEED_TABLE = 1, FEED_UNIT = 2 };
enum feed_flag { FEED_KEY = 1, FEED_DISCONTINUITY = 2 };
enum feed_codec { FEED_H264 = 1, FEED_H265 = 2, FEED_AAC_ADTS = 16, FEED_MPEG_AUDIO = 17 };

/** One entry (16 bytes on the wire) of the stream table. Access units come at rate_num/rate_den per
 *  second (25/1; 48000/1024). bitrate is the nominal one in bit/s, 0 when not known. */
struct feed_stream {
    uint8_t stream; /* 0 is the programme's clock-giving stream: video, or the first audio */
    uint8_t codec;  /* enum feed_codec */
    uint32_t rate_num, rate_den;
    uint32_t bitrate;
};

struct feed_table {
    size_t count;
    struct feed_stream streams[FEED_STREAMS_MAX];
};

/** One access unit. Video is Annex B with parameter sets in every key frame; AAC is ADTS. */
struct feed_unit {
    uint8_t stream;
    uint16_t flags;
    int64_t pts, dts; /* ns */
    const uint8_t *data;
    size_t size;
};

bool feed_codec_is_video(uint8_t codec);

/* ---- writing ---- */

/** Puts the header of a unit into `out`. */
void feed_write_unit_header(uint8_t out[FEED_HEADER_SIZE], const struct feed_unit *unit);
/** Puts a whole table record into `out`, which must hold FEED_HEADER_SIZE + 16 * FEED_STREAMS_MAX bytes; returns its size. */
size_t feed_write_table(uint8_t *out, const struct feed_table *table);

struct feed_server;

struct feed_server_stats {
    uint32_t readers;
    uint64_t cut; /* readers that fell behind and were cut off */
};

/** Serves `path`. Each reader has a queue of at most `queue_bytes`; one that falls behind is cut. `want_key`
 *  (may be NULL) is called on the loop's thread when a reader connects or asks for a key frame. NULL with errno
 *  set on failure. */
struct feed_server *feed_server_new(struct loop *loop, const char *path, size_t queue_bytes,
                                    loop_call_fn *want_key, void *data);
void feed_server_free(struct feed_server *server);
/** Both from any thread, in the order in which readers shall see them. They never wait for a reader, and write what
 *  its socket takes at once. The data is copied. */
void feed_server_table(struct feed_server *server, const struct feed_table *table);
void feed_server_push(struct feed_server *server, const struct feed_unit *unit);
struct feed_server_stats feed_server_stats(struct feed_server *server);

/* ---- reading ---- */

struct feed_parser;

struct feed_sink {
    void *data;
    void (*table)(void *data, const struct feed_table *table);
    /** The unit's bytes are valid during the call only. */
    void (*unit)(void *data, const struct feed_unit *unit);
};

struct feed_parser *feed_parser_new(const struct feed_sink *sink);
void feed_parser_free(struct feed_parser *parser);
/** Takes the next bytes of a feed in pieces of any size. False when they are no feed (the reader
 *  should disconnect): wrong magic or kind, oversized payload, a unit of a stream not in the table. */
bool feed_parser_push(struct feed_parser *parser, const uint8_t *data, size_t size);

#endif
