#include "tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "unix_socket.h"

#define RETRY_MS 200
#define SYNC_BYTE 0x47

struct tap {
    struct loop *loop;
    tap_datagram_fn *fn;
    void *data;
    char path[108];
    int fd;
    struct loop_fd *watch;
    struct loop_timer *retry;
    int64_t last_data;
    size_t fill;
    uint8_t buffer[32 * TAP_DATAGRAM_SIZE];
};

static void disconnect(struct tap *tap)
{
    if (tap->watch != NULL)
        loop_unwatch(tap->watch);
    if (tap->fd >= 0)
        close(tap->fd);
    tap->watch = NULL;
    tap->fd = -1;
    tap->fill = 0;
}

static bool in_sync(const uint8_t *datagram)
{
    for (size_t at = 0; at < TAP_DATAGRAM_SIZE; at += TS_PACKET_SIZE)
        if (datagram[at] != SYNC_BYTE)
            return false;
    return true;
}

static void readable(void *data, uint32_t events)
{
    struct tap *tap = data;
    (void)events;
    ssize_t got = recv(tap->fd, tap->buffer + tap->fill, sizeof tap->buffer - tap->fill, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        disconnect(tap);
        return;
    }
    tap->last_data = clock_now();
    tap->fill += (size_t)got;
    size_t at = 0;
    for (; tap->fill - at >= TAP_DATAGRAM_SIZE; at += TAP_DATAGRAM_SIZE) {
        /* A tap is aligned at connect: without sync bytes it is no tap, and connecting anew is the remedy. */
        if (!in_sync(tap->buffer + at)) {
            fprintf(stderr, "output: warning: %s gives no TS packets, connecting again\n", tap->path);
            disconnect(tap);
            return;
        }
        tap->fn(tap->data, tap->buffer + at);
    }
    tap->fill -= at;
    memmove(tap->buffer, tap->buffer + at, tap->fill);
}

static void connect_if_away(void *data)
{
    struct tap *tap = data;
    if (tap->fd >= 0 || tap->path[0] == '\0')
        return;
    tap->fd = unix_connect(tap->path);
    if (tap->fd < 0)
        return;
    tap->watch = loop_watch(tap->loop, tap->fd, EPOLLIN, readable, tap);
    if (tap->watch == NULL)
        disconnect(tap);
}

struct tap *tap_new(struct loop *loop, tap_datagram_fn *fn, void *data)
{
    struct tap *tap = calloc(1, sizeof *tap);
    if (tap == NULL)
        return NULL;
    tap->loop = loop;
    tap->fn = fn;
    tap->data = data;
    tap->fd = -1;
    tap->retry = loop_every(loop, RETRY_MS, connect_if_away, tap);
    if (tap->retry == NULL) {
        free(tap);
        return NULL;
    }
    return tap;
}

void tap_free(struct tap *tap)
{
    if (tap == NULL)
        return;
    disconnect(tap);
    loop_timer_stop(tap->retry);
    free(tap);
}

void tap_open(struct tap *tap, const char *path)
{
    disconnect(tap);
    snprintf(tap->path, sizeof tap->path, "%s", path);
    tap->last_data = clock_now();
    connect_if_away(tap);
}

int64_t tap_last_data(const struct tap *tap)
{
    return tap->last_data;
}
