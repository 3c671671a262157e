#include "feed_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "unix_socket.h"

#define RECONNECT_INTERVAL (20 * NS_PER_MS)
#define KEY_INTERVAL (250 * NS_PER_MS)
#define READ_SIZE (64 * 1024)
/* In one tick, so that a reader with much to catch up with does not hold up the stream. */
#define READS_MAX 8

struct feed_reader {
    char *path;
    struct programme_flow *flow;
    int fd;
    struct feed_parser *parser;
    int64_t next_connect, next_key;
    uint8_t *buffer;
};

static void take_table(void *data, const struct feed_table *table)
{
    struct feed_reader *reader = data;
    programme_table(reader->flow, table);
}

static void take_unit(void *data, const struct feed_unit *unit)
{
    struct feed_reader *reader = data;
    programme_unit(reader->flow, unit, clock_now());
}

static void disconnect(struct feed_reader *reader)
{
    if (reader->fd < 0)
        return;
    close(reader->fd);
    feed_parser_free(reader->parser);
    reader->fd = -1;
    reader->parser = NULL;
    programme_feed_lost(reader->flow);
}

/* What has come since the last tick. A short read has emptied the socket. */
static void take_what_came(struct feed_reader *reader)
{
    for (int reads = 0; reads < READS_MAX; reads++) {
        ssize_t got = recv(reader->fd, reader->buffer, READ_SIZE, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0 || !feed_parser_push(reader->parser, reader->buffer, (size_t)got)) {
            disconnect(reader);
            return;
        }
        if (got < READ_SIZE)
            return;
    }
}

static void try_connect(struct feed_reader *reader, int64_t now)
{
    struct feed_sink sink = {.data = reader, .table = take_table, .unit = take_unit};
    reader->next_connect = now + RECONNECT_INTERVAL;
    reader->fd = unix_connect(reader->path);
    if (reader->fd < 0)
        return;
    reader->parser = feed_parser_new(&sink);
    if (reader->parser == NULL)
        disconnect(reader);
    reader->next_key = now + KEY_INTERVAL; /* a new connection gets one unasked */
}

void feed_reader_tick(struct feed_reader *reader, int64_t now)
{
    static const char want_key = FEED_WANT_KEY;
    if (reader->fd < 0 && now >= reader->next_connect)
        try_connect(reader, now);
    if (reader->fd >= 0)
        take_what_came(reader);
    if (reader->fd >= 0 && now >= reader->next_key && programme_wants_key(reader->flow)) {
        reader->next_key = now + KEY_INTERVAL;
        /* A full socket means that the encoder does not read; then there is nobody to ask. */
        if (send(reader->fd, &want_key, 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EPIPE)
            disconnect(reader);
    }
}

struct feed_reader *feed_reader_new(const char *path, struct programme_flow *flow)
{
    struct feed_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return NULL;
    *reader = (struct feed_reader){.flow = flow, .fd = -1};
    reader->path = strdup(path);
    reader->buffer = malloc(READ_SIZE);
    if (reader->path == NULL || reader->buffer == NULL) {
        feed_reader_free(reader);
        return NULL;
    }
    return reader;
}

void feed_reader_free(struct feed_reader *reader)
{
    if (reader == NULL)
        return;
    disconnect(reader);
    free(reader->path);
    free(reader->buffer);
    free(reader);
}
