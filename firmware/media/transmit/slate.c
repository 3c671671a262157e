#include "slate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"

#define SLATE_MAX (64 * 1024 * 1024)

struct track {
    struct feed_unit *units;
    size_t count, capacity;
};

struct slate {
    struct feed_table table;
    struct track tracks[FEED_STREAMS_MAX]; /* in the table's order */
    bool out_of_memory;
};

int64_t slate_offset(const struct feed_stream *stream, uint64_t index)
{
    return (int64_t)((__int128)index * stream->rate_den * NS_PER_S / stream->rate_num);
}

static int track_index(const struct slate *slate, uint8_t stream)
{
    for (size_t i = 0; i < slate->table.count; i++)
        if (slate->table.streams[i].stream == stream)
            return (int)i;
    return -1;
}

static void take_table(void *data, const struct feed_table *table)
{
    struct slate *slate = data;
    if (slate->table.count == 0)
        slate->table = *table;
}

static void take_unit(void *data, const struct feed_unit *unit)
{
    struct slate *slate = data;
    int index = track_index(slate, unit->stream);
    if (index < 0)
        return;
    struct track *track = &slate->tracks[index];
    if (track->count == track->capacity) {
        size_t capacity = track->capacity == 0 ? 64 : track->capacity * 2;
        struct feed_unit *grown = realloc(track->units, capacity * sizeof *grown);
        slate->out_of_memory = slate->out_of_memory || grown == NULL;
        if (grown == NULL)
            return;
        track->units = grown;
        track->capacity = capacity;
    }
    uint8_t *bytes = malloc(unit->size == 0 ? 1 : unit->size);
    slate->out_of_memory = slate->out_of_memory || bytes == NULL;
    if (bytes == NULL)
        return;
    memcpy(bytes, unit->data, unit->size);
    track->units[track->count] = *unit;
    track->units[track->count++].data = bytes;
}

static const char *check(const struct slate *slate)
{
    if (slate->out_of_memory)
        return "out of memory";
    if (slate->table.count == 0)
        return "it holds no stream";
    for (size_t i = 0; i < slate->table.count; i++) {
        if (slate->tracks[i].count == 0)
            return "a stream has no units";
        if (feed_codec_is_video(slate->table.streams[i].codec) && (slate->tracks[i].units[0].flags & FEED_KEY) == 0)
            return "the video does not begin with a key frame";
    }
    return NULL;
}

static const char *parse(struct slate *slate, int fd)
{
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        return strerror(errno);
    if (status.st_size <= 0 || status.st_size > SLATE_MAX)
        return "it is empty or too large";
    void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return strerror(errno);
    struct feed_sink sink = {.data = slate, .table = take_table, .unit = take_unit};
    struct feed_parser *parser = feed_parser_new(&sink);
    bool good = parser != NULL && feed_parser_push(parser, bytes, (size_t)status.st_size);
    feed_parser_free(parser);
    munmap(bytes, (size_t)status.st_size);
    return good ? check(slate) : "it is no feed";
}

struct slate *slate_load(const char *path, char *reason, size_t reason_size)
{
    struct slate *slate = calloc(1, sizeof *slate);
    if (slate == NULL) {
        snprintf(reason, reason_size, "out of memory");
        return NULL;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    const char *fault = parse(slate, fd);
    if (fault != NULL)
        snprintf(reason, reason_size, "%s", fault);
    if (fd >= 0)
        close(fd);
    if (fault == NULL)
        return slate;
    slate_free(slate);
    return NULL;
}

void slate_free(struct slate *slate)
{
    if (slate == NULL)
        return;
    for (size_t i = 0; i < slate->table.count; i++) {
        for (size_t j = 0; j < slate->tracks[i].count; j++)
            free((void *)(uintptr_t)slate->tracks[i].units[j].data);
        free(slate->tracks[i].units);
    }
    free(slate);
}

const struct feed_table *slate_table(const struct slate *slate)
{
    return &slate->table;
}

bool slate_unit(const struct slate *slate, uint8_t stream, uint64_t index, int64_t origin, struct feed_unit *unit)
{
    int number = track_index(slate, stream);
    if (number < 0)
        return false;
    const struct track *track = &slate->tracks[number];
    *unit = track->units[index % track->count];
    int64_t reorder = unit->pts - unit->dts;
    unit->dts = origin + slate_offset(&slate->table.streams[number], index);
    unit->pts = unit->dts + reorder;
    return true;
}
