#include "tap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unix_socket.h"

#define READERS_MAX 32
#define BATCH 32
/* Datagrams that a reader may lag: the ring less what is being written anew. */
#define LAG_MAX (RING_DATAGRAMS - 64)

struct reader {
    struct tap *tap;
    struct reader *next;
    int fd;
    struct loop_fd *watch;
    uint64_t index; /* the datagram that is being sent */
    size_t offset;  /* bytes of it that are out */
};

struct tap {
    struct loop *loop;
    struct journal *journal;
    const uint64_t *head;
    char *path;
    int listener;
    struct loop_fd *watch;
    struct reader *readers;
    struct tap_stats stats;
};

static void reader_free(struct reader *reader)
{
    struct tap *tap = reader->tap;
    for (struct reader **at = &tap->readers; *at != NULL; at = &(*at)->next) {
        if (*at == reader) {
            *at = reader->next;
            break;
        }
    }
    tap->stats.readers--;
    loop_unwatch(reader->watch);
    close(reader->fd);
    free(reader);
}

/* False when the reader is gone. */
static bool reader_run(struct reader *reader)
{
    struct tap *tap = reader->tap;
    while (reader->index < *tap->head) {
        struct iovec parts[BATCH];
        int count = 0;
        for (uint64_t i = reader->index; i < *tap->head && count < BATCH; i++, count++) {
            struct datagram *datagram = journal_datagram(tap->journal, i);
            size_t skip = i == reader->index ? reader->offset : 0;
            parts[count] = (struct iovec){.iov_base = datagram->bytes + skip, .iov_len = datagram->size - skip};
        }
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
        ssize_t sent = sendmsg(reader->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0)
            return errno == EAGAIN || errno == EINTR;
        for (int i = 0; i < count && sent > 0; i++) {
            size_t part = (size_t)sent < parts[i].iov_len ? (size_t)sent : parts[i].iov_len;
            sent -= (ssize_t)part;
            reader->offset = part < parts[i].iov_len ? reader->offset + part : 0;
            reader->index += part == parts[i].iov_len;
        }
    }
    return true;
}

static void reader_ready(void *data, uint32_t events)
{
    char ignored[64];
    struct reader *reader = data;
    (void)events;
    ssize_t got = recv(reader->fd, ignored, sizeof ignored, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        reader_free(reader);
}

static void accept_reader(void *data, uint32_t events)
{
    struct tap *tap = data;
    (void)events;
    int fd = unix_accept(tap->listener);
    struct reader *reader = fd < 0 || tap->stats.readers >= READERS_MAX ? NULL : calloc(1, sizeof *reader);
    if (reader != NULL) {
        *reader = (struct reader){.tap = tap, .fd = fd, .index = *tap->head};
        reader->watch = loop_watch(tap->loop, fd, EPOLLIN, reader_ready, reader);
    }
    if (reader == NULL || reader->watch == NULL) {
        if (fd >= 0)
            close(fd);
        free(reader);
        return;
    }
    reader->next = tap->readers;
    tap->readers = reader;
    tap->stats.readers++;
}

struct tap *tap_new(struct loop *loop, const char *path, struct journal *journal, const uint64_t *head)
{
    struct tap *tap = calloc(1, sizeof *tap);
    if (tap == NULL)
        return NULL;
    *tap = (struct tap){.loop = loop, .journal = journal, .head = head, .path = strdup(path), .listener = -1};
    if (tap->path != NULL)
        tap->listener = unix_listen(path);
    if (tap->listener >= 0)
        tap->watch = loop_watch(loop, tap->listener, EPOLLIN, accept_reader, tap);
    if (tap->watch == NULL) {
        int reason = errno;
        if (tap->listener >= 0)
            close(tap->listener);
        free(tap->path);
        free(tap);
        errno = reason;
        return NULL;
    }
    return tap;
}

void tap_free(struct tap *tap)
{
    if (tap == NULL)
        return;
    while (tap->readers != NULL)
        reader_free(tap->readers);
    loop_unwatch(tap->watch);
    close(tap->listener);
    unlink(tap->path);
    free(tap->path);
    free(tap);
}

void tap_run(struct tap *tap)
{
    for (struct reader *reader = tap->readers, *next; reader != NULL; reader = next) {
        next = reader->next;
        bool behind = *tap->head - reader->index > LAG_MAX;
        if (behind || !reader_run(reader)) {
            tap->stats.cut += behind;
            reader_free(reader);
        }
    }
}

struct tap_stats tap_stats(const struct tap *tap)
{
    return tap->stats;
}
