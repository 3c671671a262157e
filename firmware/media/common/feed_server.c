/* The serving side of a feed. The encoder's threads append records to a shared list; each reader walks
 * that list at its own pace on the loop's thread. A record is copied once, however many readers there are. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "feed.h"
#include "unix_socket.h"

struct record {
    atomic_int references; /* one a queue that holds it */
    bool opens;            /* a key frame of stream 0: where a reader may begin */
    size_t size;
    uint8_t bytes[];
};

struct reader {
    struct feed_server *server;
    struct reader *next;
    int fd;
    struct loop_fd *watch;
    bool writable_wanted;
    bool begun; /* has been given its first key frame */
    struct record **queue;
    size_t head, count, capacity; /* of the queue, in records */
    size_t queued_bytes;
    size_t sent; /* bytes of the first record that are out */
};

struct feed_server {
    struct loop *loop;
    int listener;
    struct loop_fd *watch;
    char *path;
    size_t queue_bytes;
    loop_call_fn *want_key;
    void *data;
    struct reader *readers; /* loop's thread only */
    struct record *table;   /* the last one that was given to the readers; loop's thread only */

    pthread_mutex_t lock; /* guards what follows: it comes from other threads */
    struct record **incoming;
    size_t incoming_count, incoming_capacity, incoming_bytes;
    bool posted, overrun;
    struct feed_server_stats stats;
};

static struct record *record_new(size_t size)
{
    struct record *record = malloc(sizeof *record + size);
    if (record != NULL) {
        atomic_init(&record->references, 1);
        record->opens = false;
        record->size = size;
    }
    return record;
}

static struct record *record_ref(struct record *record)
{
    atomic_fetch_add_explicit(&record->references, 1, memory_order_relaxed);
    return record;
}

static void record_unref(struct record *record)
{
    if (record != NULL && atomic_fetch_sub_explicit(&record->references, 1, memory_order_acq_rel) == 1)
        free(record);
}

/* ---- readers (loop's thread) ---- */

static void reader_free(struct reader *reader, bool cut)
{
    struct feed_server *server = reader->server;
    for (struct reader **at = &server->readers; *at != NULL; at = &(*at)->next) {
        if (*at == reader) {
            *at = reader->next;
            break;
        }
    }
    pthread_mutex_lock(&server->lock);
    server->stats.readers--;
    server->stats.cut += cut;
    pthread_mutex_unlock(&server->lock);
    if (reader->watch != NULL)
        loop_unwatch(reader->watch);
    close(reader->fd);
    for (size_t i = 0; i < reader->count; i++)
        record_unref(reader->queue[(reader->head + i) % reader->capacity]);
    free(reader->queue);
    free(reader);
}

/* False when the reader has fallen behind, or memory is out. */
static bool reader_queue(struct reader *reader, struct record *record)
{
    if (reader->queued_bytes + record->size > reader->server->queue_bytes)
        return false;
    if (reader->count == reader->capacity) {
        size_t capacity = reader->capacity == 0 ? 64 : reader->capacity * 2;
        struct record **grown = malloc(capacity * sizeof *grown);
        if (grown == NULL)
            return false;
        for (size_t i = 0; i < reader->count; i++)
            grown[i] = reader->queue[(reader->head + i) % reader->capacity];
        free(reader->queue);
        reader->queue = grown;
        reader->capacity = capacity;
        reader->head = 0;
    }
    reader->queue[(reader->head + reader->count) % reader->capacity] = record_ref(record);
    reader->count++;
    reader->queued_bytes += record->size;
    return true;
}

/* Writes what the socket takes; false when the reader is gone. */
static bool reader_flush(struct reader *reader)
{
    while (reader->count > 0) {
        struct record *record = reader->queue[reader->head];
        ssize_t sent = send(reader->fd, record->bytes + reader->sent, record->size - reader->sent,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            if (errno == EINTR)
                continue;
            if (errno != EAGAIN)
                return false;
            break;
        }
        reader->sent += (size_t)sent;
        if (reader->sent < record->size)
            continue;
        reader->sent = 0;
        reader->head = (reader->head + 1) % reader->capacity;
        reader->count--;
        reader->queued_bytes -= record->size;
        record_unref(record);
    }
    bool wanted = reader->count > 0;
    if (wanted != reader->writable_wanted) {
        reader->writable_wanted = wanted;
        loop_watch_change(reader->watch, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
    return true;
}

/* Reads requests; false at the end of the connection. */
static bool reader_read(struct reader *reader)
{
    char requests[64];
    ssize_t got = recv(reader->fd, requests, sizeof requests, MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    if (got > 0 && memchr(requests, FEED_WANT_KEY, (size_t)got) != NULL && reader->server->want_key != NULL)
        reader->server->want_key(reader->server->data);
    return got > 0;
}

static void reader_ready(void *data, uint32_t events)
{
    struct reader *reader = data;
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !reader_read(reader))
        reader_free(reader, false);
    else if ((events & EPOLLOUT) != 0 && !reader_flush(reader))
        reader_free(reader, false);
}

static void accept_reader(void *data, uint32_t events)
{
    struct feed_server *server = data;
    (void)events;
    int fd = unix_accept(server->listener);
    if (fd < 0)
        return;
    struct reader *reader = calloc(1, sizeof *reader);
    if (reader != NULL) {
        *reader = (struct reader){.server = server, .fd = fd};
        reader->watch = loop_watch(server->loop, fd, EPOLLIN, reader_ready, reader);
    }
    if (reader == NULL || reader->watch == NULL) {
        close(fd);
        free(reader);
        return;
    }
    reader->next = server->readers;
    server->readers = reader;
    pthread_mutex_lock(&server->lock);
    server->stats.readers++;
    pthread_mutex_unlock(&server->lock);
    if (server->table != NULL && !(reader_queue(reader, server->table) && reader_flush(reader)))
        reader_free(reader, false);
    else if (server->want_key != NULL)
        server->want_key(server->data);
}

static bool is_table(const struct record *record)
{
    return record->bytes[4] == FEED_TABLE;
}

/* Gives one record to a reader that may not have begun yet. */
static bool reader_give(struct reader *reader, struct record *record)
{
    if (record->opens)
        reader->begun = true;
    return (!reader->begun && !is_table(record)) || reader_queue(reader, record);
}

static void distribute(void *data)
{
    struct feed_server *server = data;
    pthread_mutex_lock(&server->lock);
    struct record **records = server->incoming;
    size_t count = server->incoming_count;
    bool overrun = server->overrun;
    server->incoming = NULL;
    server->incoming_count = server->incoming_capacity = server->incoming_bytes = 0;
    server->posted = server->overrun = false;
    pthread_mutex_unlock(&server->lock);

    for (struct reader *reader = server->readers, *next; reader != NULL; reader = next) {
        next = reader->next;
        bool keeps_up = !overrun;
        for (size_t i = 0; i < count && keeps_up; i++)
            keeps_up = reader_give(reader, records[i]);
        if (!keeps_up)
            reader_free(reader, true);
        else if (!reader_flush(reader))
            reader_free(reader, false);
    }
    for (size_t i = 0; i < count; i++) {
        if (is_table(records[i])) {
            record_unref(server->table);
            server->table = record_ref(records[i]);
        }
        record_unref(records[i]);
    }
    free(records);
}

/* ---- the encoder's side (any thread) ---- */

/* Takes the reference. When the loop stands still for so long that the list is full, records are lost and
 * every reader has to begin anew at a key frame. */
static void append(struct feed_server *server, struct record *record)
{
    pthread_mutex_lock(&server->lock);
    /* A table is small and must not be lost: without it no reader could begin anew. */
    bool fits = is_table(record) || server->incoming_bytes + record->size <= server->queue_bytes;
    if (fits && server->incoming_count == server->incoming_capacity) {
        size_t capacity = server->incoming_capacity == 0 ? 16 : server->incoming_capacity * 2;
        struct record **grown = realloc(server->incoming, capacity * sizeof *grown);
        fits = grown != NULL;
        if (fits) {
            server->incoming = grown;
            server->incoming_capacity = capacity;
        }
    }
    if (fits) {
        server->incoming[server->incoming_count++] = record;
        server->incoming_bytes += record->size;
    } else {
        server->overrun = true;
    }
    bool post = !server->posted;
    server->posted = true;
    pthread_mutex_unlock(&server->lock);
    if (!fits)
        record_unref(record);
    if (post && !loop_post(server->loop, distribute, server)) {
        pthread_mutex_lock(&server->lock);
        server->posted = false;
        pthread_mutex_unlock(&server->lock);
    }
}

void feed_server_table(struct feed_server *server, const struct feed_table *table)
{
    uint8_t bytes[FEED_HEADER_SIZE + 16 * FEED_STREAMS_MAX];
    if (table->count > FEED_STREAMS_MAX)
        return;
    size_t size = feed_write_table(bytes, table);
    struct record *record = record_new(size);
    if (record == NULL)
        return;
    memcpy(record->bytes, bytes, size);
    append(server, record);
}

void feed_server_push(struct feed_server *server, const struct feed_unit *unit)
{
    if (unit->size > FEED_PAYLOAD_MAX)
        return;
    struct record *record = record_new(FEED_HEADER_SIZE + unit->size);
    if (record == NULL)
        return;
    record->opens = unit->stream == 0 && (unit->flags & FEED_KEY) != 0;
    feed_write_unit_header(record->bytes, unit);
    memcpy(record->bytes + FEED_HEADER_SIZE, unit->data, unit->size);
    append(server, record);
}

struct feed_server_stats feed_server_stats(struct feed_server *server)
{
    pthread_mutex_lock(&server->lock);
    struct feed_server_stats stats = server->stats;
    pthread_mutex_unlock(&server->lock);
    return stats;
}

struct feed_server *feed_server_new(struct loop *loop, const char *path, size_t queue_bytes, loop_call_fn *want_key,
                                    void *data)
{
    struct feed_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return NULL;
    *server = (struct feed_server){.loop = loop, .queue_bytes = queue_bytes, .want_key = want_key, .data = data};
    pthread_mutex_init(&server->lock, NULL);
    server->path = strdup(path);
    server->listener = server->path == NULL ? -1 : unix_listen(path);
    if (server->listener >= 0)
        server->watch = loop_watch(loop, server->listener, EPOLLIN, accept_reader, server);
    if (server->watch == NULL) {
        int reason = errno;
        if (server->listener >= 0)
            close(server->listener);
        free(server->path);
        pthread_mutex_destroy(&server->lock);
        free(server);
        errno = reason;
        return NULL;
    }
    return server;
}

void feed_server_free(struct feed_server *server)
{
    if (server == NULL)
        return;
    while (server->readers != NULL)
        reader_free(server->readers, false);
    loop_forget(server->loop, server);
    loop_unwatch(server->watch);
    close(server->listener);
    unlink(server->path);
    for (size_t i = 0; i < server->incoming_count; i++)
        record_unref(server->incoming[i]);
    free(server->incoming);
    record_unref(server->table);
    pthread_mutex_destroy(&server->lock);
    free(server->path);
    free(server);
}
