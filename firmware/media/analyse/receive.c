#include "receive.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BATCH 32
#define DATAGRAM_MAX 9216 /* a jumbo frame */
#define SOCKET_BUFFER (32 * 1024 * 1024)
#define NS_PER_S INT64_C(1000000000)
#define CLOCKS_TOGETHER_NS 5000

struct receiver {
    int fd;
    receive_fn *fn;
    void *data;
    struct mmsghdr messages[BATCH];
    struct iovec vectors[BATCH];
    uint8_t control[BATCH][CMSG_SPACE(sizeof(struct timespec))];
    uint8_t bytes[BATCH][DATAGRAM_MAX];
};

static bool set_up(int fd, const struct address *address)
{
    int on = 1, buffer = SOCKET_BUFFER;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer); /* up to net.core.rmem_max */
    if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (const struct sockaddr *)&address->name, address->size) != 0)
        return false;
    if (!address->multicast)
        return true;
    struct group_req join = {.gr_interface = address->interface};
    memcpy(&join.gr_group, &address->name, address->size);
    int level = address->name.ss_family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
    return setsockopt(fd, level, MCAST_JOIN_GROUP, &join, sizeof join) == 0;
}

struct receiver *receiver_new(const struct address *address, receive_fn *fn, void *data)
{
    struct receiver *r = calloc(1, sizeof *r);
    int fd = r ? socket(address->name.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
    if (fd < 0 || !set_up(fd, address)) {
        perror("cannot listen");
        if (fd >= 0)
            close(fd);
        free(r);
        return NULL;
    }
    r->fd = fd;
    r->fn = fn;
    r->data = data;
    return r;
}

void receiver_free(struct receiver *r)
{
    if (r)
        close(r->fd);
    free(r);
}

int receiver_fd(const struct receiver *r)
{
    return r->fd;
}

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* What to add to CLOCK_REALTIME, in which the kernel stamps, for CLOCK_MONOTONIC. */
static int64_t clock_offset(void)
{
    int64_t best = INT64_MAX, offset = 0;
    for (int i = 0; i < 4 && best > CLOCKS_TOGETHER_NS; i++) {
        int64_t before = read_clock(CLOCK_MONOTONIC), real = read_clock(CLOCK_REALTIME),
                after = read_clock(CLOCK_MONOTONIC);
        if (after - before < best) {
            best = after - before;
            offset = before + best / 2 - real;
        }
    }
    return offset;
}

static int64_t arrival(struct msghdr *header, int64_t offset)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec ts;
            memcpy(&ts, CMSG_DATA(c), sizeof ts);
            return ts.tv_sec * NS_PER_S + ts.tv_nsec + offset;
        }
    }
    return read_clock(CLOCK_MONOTONIC);
}

void receiver_read(struct receiver *r)
{
    for (int count = BATCH; count == BATCH;) {
        for (int i = 0; i < BATCH; i++) {
            r->vectors[i] = (struct iovec){r->bytes[i], DATAGRAM_MAX};
            r->messages[i].msg_hdr = (struct msghdr){.msg_iov = &r->vectors[i], .msg_iovlen = 1,
                .msg_control = r->control[i], .msg_controllen = sizeof r->control[i]};
        }
        count = recvmmsg(r->fd, r->messages, BATCH, MSG_DONTWAIT, NULL);
        int64_t offset = count > 0 ? clock_offset() : 0;
        for (int i = 0; i < count; i++)
            r->fn(r->data, r->bytes[i], r->messages[i].msg_len, arrival(&r->messages[i].msg_hdr, offset));
    }
}

uint64_t receiver_dropped(const struct receiver *r)
{
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof info;
    getsockopt(r->fd, SOL_SOCKET, SO_MEMINFO, info, &size);
    return info[SK_MEMINFO_DROPS];
}
