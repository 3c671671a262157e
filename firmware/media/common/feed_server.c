/* The serving side of a feed. The encoder's threads give each record to every reader and write what the sockets
 * take, which saves the loop's thread a wake-up for every record; the rest is written by the loop's thread when
 * there is room. A record is copied once, however many readers there are. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "feed.h"
#include "unix_socket.h"

struct record {
    int references; /* one a queue that holds it */
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
    bool ended; /* shut down; the loop's thread will free it */
    bool cut;   /* because it fell behind */
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

    pthread_mutex_t lock;   /* guards what follows, and all of the readers and records */
    struct reader *readers; /* freed on the loop's thread only */
    struct record *table;   /* the last one that was given to the readers */
    struct feed_server_stats stats;
};

static struct record *record_new(size_t size)
{
    struct record *record = malloc(sizeof *record + size);
    if (record != NULL) {
        record->references = 1;
        record->opens = false;
        record->size = size;
    }
    return record;
}

static struct record *record_ref(struct record *record)
{
    record->references++;
    return record;
}

static void record_unref(struct record *record)
{
    if (record != NULL && --record->references == 0)
        free(record);
}

/* ---- readers (the lock is held) ---- */

/* On the loop's thread. */
static void reader_free(struct reader *reader)
{
    struct feed_server *server = reader->server;
    for (struct reader **at = &server->readers; *at != NULL; at = &(*at)->next) {
        if (*at == reader) {
            *at = reader->next;
            break;
        }
    }
    server->stats.readers--;
    server->stats.cut += reader->cut;
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

/* On any thread: the loop's one wakes up for it, and frees the reader. */
static void reader_end(struct reader *reader, bool cut)
{
    reader->ended = true;
    reader->cut = cut;
    shutdown(reader->fd, SHUT_RDWR);
}

static bool is_table(const struct record *record)
{
    return record->bytes[4] == FEED_TABLE;
}

/* Gives one record to a reader that may not have begun yet, and writes what it takes. */
static void reader_give(struct reader *reader, struct record *record)
{
    if (record->opens)
        reader->begun = true;
    if (reader->ended || (!reader->begun && !is_table(record)))
        return;
    if (!reader_queue(reader, record))
        reader_end(reader, true);
    else if (!reader_flush(reader))
        reader_end(reader, false);
}

/* ---- the loop's thread ---- */

/* Reads requests; false at the end of the connection. */
static bool read_requests(int fd, bool *wants_key)
{
    char requests[64];
    ssize_t got = recv(fd, requests, sizeof requests, MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    *wants_key = memchr(requests, FEED_WANT_KEY, (size_t)got) != NULL;
    return got > 0;
}

static void reader_ready(void *data, uint32_t events)
{
    struct reader *reader = data;
    struct feed_server *server = reader->server;
    bool wants_key = false, stays = true;
    pthread_mutex_lock(&server->lock);
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        stays = read_requests(reader->fd, &wants_key);
    if (stays && (events & EPOLLOUT) != 0)
        stays = reader_flush(reader);
    if (!stays)
        reader_free(reader);
    pthread_mutex_unlock(&server->lock);
    if (wants_key && server->want_key != NULL)
        server->want_key(server->data);
}

static void accept_reader(void *data, uint32_t events)
{
    struct feed_server *server = data;
    (void)events;
    int fd = unix_accept(server->listener);
    if (fd < 0)
        return;
    struct reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        close(fd);
        return;
    }
    pthread_mutex_lock(&server->lock);
    *reader = (struct reader){.server = server, .fd = fd, .next = server->readers};
    reader->watch = loop_watch(server->loop, fd, EPOLLIN, reader_ready, reader);
    server->readers = reader;
    server->stats.readers++;
    bool stays = reader->watch != NULL;
    if (stays && server->table != NULL)
        reader_give(reader, server->table);
    if (!stays)
        reader_free(reader);
    pthread_mutex_unlock(&server->lock);
    if (stays && server->want_key != NULL)
        server->want_key(server->data);
}

/* ---- the encoder's side (any thread) ---- */

/* Takes the reference. */
static void give_all(struct feed_server *server, struct record *record)
{
    pthread_mutex_lock(&server->lock);
    for (struct reader *reader = server->readers; reader != NULL; reader = reader->next)
        reader_give(reader, record);
    if (is_table(record)) {
        record_unref(server->table);
        server->table = record_ref(record);
    }
    record_unref(record);
    pthread_mutex_unlock(&server->lock);
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
    give_all(server, record);
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
    give_all(server, record);
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
        reader_free(server->readers);
    loop_unwatch(server->watch);
    close(server->listener);
    unlink(server->path);
    record_unref(server->table);
    pthread_mutex_destroy(&server->lock);
    free(server->path);
    free(server);
}
