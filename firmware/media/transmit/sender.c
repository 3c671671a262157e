#include "sender.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bytes.h"
#include "clock.h"

#define BATCH 64
#define RTP_HEADER_SIZE 12
#define RTP_PAYLOAD_MP2T 33
#define RETRY_INTERVAL NS_PER_S

struct destination {
    struct destination_spec spec;
    int socket; /* −1 while it can't be opened */
    int64_t retry_at;
    struct sockaddr_in address;
    struct journal_position *position;
    uint64_t datagrams, errors, lost;
    char last_error[128];
};

struct sender {
    struct journal *journal;
    size_t count;
    struct destination destinations[DESTINATIONS_MAX];
};

struct sender *sender_new(struct journal *journal)
{
    struct sender *sender = calloc(1, sizeof *sender);
    if (sender != NULL)
        sender->journal = journal;
    return sender;
}

static void close_destination(struct destination *destination)
{
    if (destination->socket >= 0)
        close(destination->socket);
    destination->socket = -1;
}

void sender_free(struct sender *sender)
{
    if (sender == NULL)
        return;
    for (size_t i = 0; i < sender->count; i++)
        close_destination(&sender->destinations[i]);
    free(sender);
}

static bool set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* What failed, or NULL. */
static const char *configure(int fd, const struct destination_spec *spec)
{
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_port = htons(spec->source_port)};
    struct ip_mreqn interface = {.imr_ifindex = (int)if_nametoindex(spec->interface)};
    bool multicast = IN_MULTICAST(ntohl(spec->address.s_addr));
    if (spec->interface[0] != '\0' && interface.imr_ifindex == 0)
        return "the interface";
    if (spec->interface[0] != '\0' && multicast &&
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof interface) < 0)
        return "the multicast interface";
    if (spec->interface[0] != '\0' && !multicast &&
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, spec->interface, (socklen_t)strlen(spec->interface)) < 0)
        return "the interface";
    if (spec->source_port != 0 && !set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1))
        return "the source port";
    if (spec->source_port != 0 && bind(fd, (struct sockaddr *)&source, sizeof source) < 0)
        return "the source port";
    if (!set_option(fd, IPPROTO_IP, IP_MULTICAST_TTL, spec->ttl) || !set_option(fd, IPPROTO_IP, IP_TTL, spec->ttl))
        return "the TTL";
    if (!set_option(fd, IPPROTO_IP, IP_TOS, spec->dscp << 2))
        return "the DSCP";
    /* For a burst after a stall; where it may not be raised, the default does. */
    set_option(fd, SOL_SOCKET, SO_SNDBUF, 1024 * 1024);
    return NULL;
}

static void open_destination(struct destination *destination, int64_t now)
{
    const struct destination_spec *spec = &destination->spec;
    destination->retry_at = now + RETRY_INTERVAL;
    destination->address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(spec->port), .sin_addr = spec->address};
    destination->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const char *failed = destination->socket < 0 ? "a socket" : configure(destination->socket, spec);
    if (failed == NULL) {
        destination->last_error[0] = '\0';
        return;
    }
    snprintf(destination->last_error, sizeof destination->last_error, "can't set %s %s: %s", failed, spec->interface,
             strerror(errno));
    close_destination(destination);
}

static bool same_destination(const struct destination_spec *a, const struct destination_spec *b)
{
    return strcmp(a->id, b->id) == 0 && a->rtp == b->rtp && a->address.s_addr == b->address.s_addr &&
           a->port == b->port && a->source_port == b->source_port && a->ttl == b->ttl && a->dscp == b->dscp &&
           strcmp(a->interface, b->interface) == 0;
}

static bool spec_has_destination(const struct spec *spec, const char *id)
{
    for (size_t i = 0; i < spec->destination_count; i++)
        if (strcmp(spec->destinations[i].id, id) == 0)
            return true;
    return false;
}

void sender_apply(struct sender *sender, const struct spec *spec, uint64_t head)
{
    struct destination next[DESTINATIONS_MAX];
    int64_t now = clock_now();
    for (size_t i = 0; i < sender->count; i++)
        if (!spec_has_destination(spec, sender->destinations[i].spec.id))
            journal_forget(sender->journal, sender->destinations[i].spec.id);
    for (size_t i = 0; i < spec->destination_count; i++) {
        next[i] = (struct destination){.spec = spec->destinations[i], .socket = -1};
        for (size_t j = 0; j < sender->count; j++) {
            if (!same_destination(&sender->destinations[j].spec, &next[i].spec))
                continue;
            next[i] = sender->destinations[j];
            sender->destinations[j].socket = -1;
        }
        next[i].position = journal_position(sender->journal, next[i].spec.id, head);
    }
    for (size_t i = 0; i < sender->count; i++)
        close_destination(&sender->destinations[i]);
    sender->count = spec->destination_count;
    memcpy(sender->destinations, next, sender->count * sizeof *next);
    for (size_t i = 0; i < sender->count; i++)
        if (sender->destinations[i].socket < 0)
            open_destination(&sender->destinations[i], now);
}

/* One batch from `from` on; how many the kernel took, or −1. */
static int send_batch(struct sender *sender, struct destination *destination, uint64_t from, unsigned count,
                      uint32_t ssrc)
{
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH][2];
    uint8_t headers[BATCH][RTP_HEADER_SIZE];
    for (unsigned i = 0; i < count; i++) {
        struct datagram *datagram = journal_datagram(sender->journal, from + i);
        parts[i][0] = (struct iovec){.iov_base = headers[i], .iov_len = RTP_HEADER_SIZE};
        parts[i][1] = (struct iovec){.iov_base = datagram->bytes, .iov_len = datagram->size};
        if (destination->spec.rtp) {
            headers[i][0] = 0x80;
            headers[i][1] = RTP_PAYLOAD_MP2T;
            put_be16(headers[i] + 2, (uint16_t)(from + i));
            put_be32(headers[i] + 4, datagram->rtp_time);
            put_be32(headers[i] + 8, ssrc);
        }
        messages[i] = (struct mmsghdr){.msg_hdr = {
                                           .msg_name = &destination->address,
                                           .msg_namelen = sizeof destination->address,
                                           .msg_iov = destination->spec.rtp ? parts[i] : &parts[i][1],
                                           .msg_iovlen = destination->spec.rtp ? 2 : 1,
                                       }};
    }
    return sendmmsg(destination->socket, messages, count, 0);
}

static void run_destination(struct sender *sender, struct destination *destination, uint64_t head, uint32_t ssrc)
{
    struct journal_position *position = destination->position;
    uint64_t sent = atomic_load_explicit(&position->sent, memory_order_relaxed);
    if (sent > head || head - sent > RING_DATAGRAMS) {
        destination->lost += sent > head ? 0 : head - sent;
        sent = head;
    }
    while (sent < head) {
        unsigned count = head - sent > BATCH ? BATCH : (unsigned)(head - sent);
        /* Ahead of the call: see journal.h. */
        atomic_store_explicit(&position->sent, sent + count, memory_order_release);
        int taken = send_batch(sender, destination, sent, count, ssrc);
        if (taken < 0) {
            bool full = errno == EAGAIN || errno == ENOBUFS;
            destination->errors++;
            snprintf(destination->last_error, sizeof destination->last_error, "%s", strerror(errno));
            /* A full queue is tried again from here. Any other fault takes this one datagram. */
            destination->lost += !full;
            taken = full ? 0 : 1;
            atomic_store_explicit(&position->sent, sent + (unsigned)taken, memory_order_release);
            if (full)
                return;
            sent++;
            continue;
        }
        destination->datagrams += (unsigned)taken;
        sent += (unsigned)taken;
        if ((unsigned)taken < count)
            atomic_store_explicit(&position->sent, sent, memory_order_release);
    }
}

void sender_run(struct sender *sender, uint64_t head, uint32_t ssrc, int64_t now)
{
    for (size_t i = 0; i < sender->count; i++) {
        struct destination *destination = &sender->destinations[i];
        if (destination->position == NULL)
            continue;
        if (destination->socket < 0 && now >= destination->retry_at)
            open_destination(destination, now);
        if (destination->socket >= 0)
            run_destination(sender, destination, head, ssrc);
    }
}

size_t sender_count(const struct sender *sender)
{
    return sender->count;
}

struct sender_stats sender_stats(const struct sender *sender, size_t index)
{
    const struct destination *destination = &sender->destinations[index];
    return (struct sender_stats){destination->spec.id, destination->datagrams, destination->errors, destination->lost,
                                 destination->last_error};
}
