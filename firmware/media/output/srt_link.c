#include "srt_link.h"

#include <arpa/inet.h>
#include <srt/srt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "clock.h"
#include "lookup.h"
#include "srt_callers.h"
#include "srt_words.h"

/* libsrt works in threads of its own; we look at the states of its sockets this often. */
#define TICK_MS 50
#define PEERS_MAX 8
#define ANSWER_MS 3000 /* how long a call may remain without an answer */
#define RETRY_MIN_MS 500
#define RETRY_MAX_MS 5000
#define STUCK_NS (2 * NS_PER_S)  /* a peer that takes nothing for so long is cut off */
#define SILENT_NS (3 * NS_PER_S) /* a peer silent for so long has not closed, but vanished */
#define RATE_MAX 12500000        /* bytes/s that the send buffer is made for: 100 Mbit/s */

struct peer {
    SRTSOCKET socket;
    char name[264];
    int64_t full_since; /* box clock; 0 while it takes data */
    int64_t answered;   /* box clock when it last acknowledged all or something */
    int acknowledgements;
    uint64_t dropped, retransmitted;
    double rtt_ms;
};

struct srt_link {
    struct loop *loop;
    loop_call_fn *changed;
    void *data;
    struct loop_timer *timer;
    struct srt_callers callers;

    bool open;
    struct output_spec spec;
    char place[264]; /* address and port of the spec */
    enum srt_link_state state;
    char detail[640];
    char note[320]; /* of a listener: what became of the last caller */

    struct lookup *lookup;
    SRTSOCKET socket; /* the call under way, or the listener */
    int64_t next_attempt;
    int retry_ms;
    struct peer peers[PEERS_MAX];
    unsigned count;

    uint64_t bytes, dropped, retransmitted; /* the latter two: of peers that are gone */
    uint64_t losses, reconnects;
};

static void show(struct srt_link *link, enum srt_link_state state, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void show(struct srt_link *link, enum srt_link_state state, const char *format, ...)
{
    char detail[sizeof link->detail];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    if (state == link->state && strcmp(detail, link->detail) == 0)
        return;
    link->state = state;
    memcpy(link->detail, detail, sizeof detail);
    link->changed(link->data);
}

/* ---- peers ---- */

static void add_peer(struct srt_link *link, SRTSOCKET socket, const char *name)
{
    struct peer *peer = &link->peers[link->count++];
    *peer = (struct peer){.socket = socket, .answered = clock_now()};
    snprintf(peer->name, sizeof peer->name, "%s", name);
    link->note[0] = '\0';
    link->retry_ms = RETRY_MIN_MS;
    if (link->reconnects < link->losses)
        link->reconnects++;
}

static void remove_peer(struct srt_link *link, unsigned index)
{
    struct peer *peer = &link->peers[index];
    link->dropped += peer->dropped;
    link->retransmitted += peer->retransmitted;
    srt_close(peer->socket);
    *peer = link->peers[--link->count];
}

static bool is_stuck(const struct peer *peer, int64_t now)
{
    return peer->full_since != 0 && now - peer->full_since > STUCK_NS;
}

static void lose_peer(struct srt_link *link, unsigned index, int64_t now)
{
    const struct peer *peer = &link->peers[index];
    if (is_stuck(peer, now))
        snprintf(link->note, sizeof link->note, "%s was cut off: it took no data", peer->name);
    else if (now - peer->answered > SILENT_NS)
        snprintf(link->note, sizeof link->note, "no answer from %s any more", peer->name);
    else
        snprintf(link->note, sizeof link->note, "%s closed the connection", peer->name);
    remove_peer(link, index);
    link->losses++;
    if (!link->spec.listener)
        show(link, SRT_LINK_CONNECTING, "%s", link->note);
}

static void check_peers(struct srt_link *link, int64_t now)
{
    for (unsigned i = link->count; i-- > 0;)
        if (is_stuck(&link->peers[i], now) || srt_getsockstate(link->peers[i].socket) != SRTS_CONNECTED)
            lose_peer(link, i, now);
}

/* ---- opening ---- */

static void close_socket(struct srt_link *link)
{
    if (link->socket != SRT_INVALID_SOCK)
        srt_close(link->socket);
    link->socket = SRT_INVALID_SOCK;
}

static void fail(struct srt_link *link, const char *why)
{
    close_socket(link);
    show(link, SRT_LINK_FAILED, "%s", why);
    link->next_attempt = clock_now() + link->retry_ms * NS_PER_MS;
    link->retry_ms = link->retry_ms * 2 < RETRY_MAX_MS ? link->retry_ms * 2 : RETRY_MAX_MS;
}

static bool set_int(SRTSOCKET socket, SRT_SOCKOPT option, int value)
{
    return srt_setsockflag(socket, option, &value, sizeof value) == 0;
}

static bool set_text(SRTSOCKET socket, SRT_SOCKOPT option, const char *value)
{
    return value[0] == '\0' || srt_setsockflag(socket, option, value, (int)strlen(value)) == 0;
}

static bool set_options(SRTSOCKET socket, const struct output_spec *spec)
{
    /* A datagram's longest time in the send buffer is the latency, at least 1 s. */
    int64_t send_buffer = (int64_t)RATE_MAX * (spec->latency_ms + 1000) / 1000;
    return set_int(socket, SRTO_TRANSTYPE, SRTT_LIVE) && set_int(socket, SRTO_RCVSYN, 0) &&
           set_int(socket, SRTO_SNDSYN, 0) && set_int(socket, SRTO_SENDER, 1) &&
           set_int(socket, SRTO_PAYLOADSIZE, TAP_DATAGRAM_SIZE) &&
           set_int(socket, SRTO_LATENCY, spec->latency_ms) && set_int(socket, SRTO_CONNTIMEO, ANSWER_MS) &&
           set_int(socket, SRTO_SNDBUF, (int)send_buffer) &&
           set_int(socket, SRTO_RCVBUF, 64 * 1472) /* peers have nothing to tell us */ &&
           set_int(socket, SRTO_PBKEYLEN, spec->passphrase[0] == '\0' ? 0 : 16) &&
           set_text(socket, SRTO_PASSPHRASE, spec->passphrase) &&
           (spec->listener || set_text(socket, SRTO_STREAMID, spec->stream_id));
}

static void call_or_listen(void *data, struct in_addr address, const char *error)
{
    struct srt_link *link = data;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(link->spec.port), .sin_addr = address};
    const struct sockaddr *name = (const struct sockaddr *)(const void *)&to;
    char why[sizeof link->detail];
    link->lookup = NULL;
    if (error != NULL) {
        snprintf(why, sizeof why, "no address for %s: %s", link->spec.address, error);
        fail(link, why);
        return;
    }
    link->socket = srt_create_socket();
    if (link->socket == SRT_INVALID_SOCK || !set_options(link->socket, &link->spec)) {
        snprintf(why, sizeof why, "SRT: %s", srt_getlasterror_str());
        fail(link, why);
    } else if (link->spec.listener) {
        if (srt_listen_callback(link->socket, srt_callers_knock, &link->callers) != 0 ||
            srt_bind(link->socket, name, sizeof to) != 0 || srt_listen(link->socket, PEERS_MAX) != 0) {
            srt_words_cannot_listen(why, sizeof why, link->place);
            fail(link, why);
        }
    } else if (srt_connect_callback(link->socket, srt_callers_failed, &link->callers) != 0 ||
               srt_connect(link->socket, name, sizeof to) != 0) {
        snprintf(why, sizeof why, "cannot call %s: %s", link->place, srt_getlasterror_str());
        fail(link, why);
    }
}

static void start_attempt(struct srt_link *link)
{
    struct in_addr address;
    if (inet_pton(AF_INET, link->spec.address, &address) == 1) {
        call_or_listen(link, address, NULL);
        return;
    }
    link->lookup = lookup_start(link->loop, link->spec.address, call_or_listen, link);
    if (link->lookup == NULL)
        fail(link, "out of memory or threads");
}

/* ---- what has become of the socket ---- */

static void check_call(struct srt_link *link)
{
    SRT_SOCKSTATUS status = srt_getsockstate(link->socket);
    if (status == SRTS_INIT || status == SRTS_OPENED || status == SRTS_CONNECTING)
        return;
    if (status == SRTS_CONNECTED) {
        add_peer(link, link->socket, link->place);
        link->socket = SRT_INVALID_SOCK;
        show(link, SRT_LINK_CONNECTED, "connected to %s", link->place);
        return;
    }
    char why[sizeof link->detail];
    srt_words_rejected(why, sizeof why, srt_callers_reason(&link->callers, link->socket), link->place,
                       link->spec.passphrase[0] != '\0');
    fail(link, why);
}

static void check_listener(struct srt_link *link)
{
    if (srt_getsockstate(link->socket) != SRTS_LISTENING) {
        fail(link, "the listener broke down");
        return;
    }
    bool accepted = false;
    for (;;) {
        struct sockaddr_storage address = {0};
        int size = sizeof address;
        SRTSOCKET socket = srt_accept(link->socket, (struct sockaddr *)&address, &size);
        if (socket == SRT_INVALID_SOCK)
            break;
        accepted = true;
        char name[SRT_NAME_SIZE];
        srt_name(name, (struct sockaddr *)&address);
        if (link->count < PEERS_MAX)
            add_peer(link, socket, name);
        else
            srt_close(socket);
    }
    srt_callers_note(&link->callers, accepted, link->count == PEERS_MAX, link->note, sizeof link->note);
    const char *separator = link->note[0] == '\0' ? "" : "; ";
    if (link->count == 0)
        show(link, SRT_LINK_LISTENING, "listening on %s%s%s", link->place, separator, link->note);
    else if (link->count == 1)
        show(link, SRT_LINK_CONNECTED, "called by %s%s%s", link->peers[0].name, separator, link->note);
    else
        show(link, SRT_LINK_CONNECTED, "called by %u peers%s%s", link->count, separator, link->note);
}

static void tick(void *data)
{
    struct srt_link *link = data;
    int64_t now = clock_now();
    if (!link->open)
        return;
    check_peers(link, now);
    bool wanted = link->spec.listener || link->count == 0;
    if (link->socket == SRT_INVALID_SOCK && link->lookup == NULL && wanted && now >= link->next_attempt)
        start_attempt(link);
    if (link->socket != SRT_INVALID_SOCK && link->spec.listener)
        check_listener(link);
    else if (link->socket != SRT_INVALID_SOCK)
        check_call(link);
}

/* ---- the outside ---- */

static void close_link(struct srt_link *link)
{
    if (link->lookup != NULL)
        lookup_cancel(link->lookup);
    link->lookup = NULL;
    close_socket(link);
    while (link->count > 0)
        remove_peer(link, link->count - 1);
    link->open = false;
}

struct srt_link *srt_link_new(struct loop *loop, loop_call_fn *changed, void *data)
{
    struct srt_link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return NULL;
    *link = (struct srt_link){.loop = loop, .changed = changed, .data = data, .socket = SRT_INVALID_SOCK};
    srt_callers_init(&link->callers);
    if (srt_startup() >= 0)
        link->timer = loop_every(loop, TICK_MS, tick, link);
    if (link->timer == NULL) {
        srt_link_free(link);
        return NULL;
    }
    srt_setloglevel(LOG_CRIT); /* what concerns the user is in our states */
    return link;
}

void srt_link_free(struct srt_link *link)
{
    if (link == NULL)
        return;
    close_link(link);
    if (link->timer != NULL)
        loop_timer_stop(link->timer);
    srt_cleanup();
    srt_callers_destroy(&link->callers);
    free(link);
}

void srt_link_open(struct srt_link *link, const struct output_spec *spec)
{
    close_link(link);
    link->open = true;
    link->spec = *spec;
    snprintf(link->place, sizeof link->place, "%s:%u", spec->address, spec->port);
    link->note[0] = '\0';
    link->losses = link->reconnects;
    link->retry_ms = RETRY_MIN_MS;
    link->next_attempt = 0;
    srt_callers_reset(&link->callers, spec->stream_id);
    show(link, SRT_LINK_CONNECTING, spec->listener ? "opening %s" : "calling %s", link->place);
    tick(link);
}

void srt_link_send(struct srt_link *link, const uint8_t datagram[TAP_DATAGRAM_SIZE])
{
    for (unsigned i = 0; i < link->count; i++) {
        struct peer *peer = &link->peers[i];
        int sent = srt_sendmsg2(peer->socket, (const char *)datagram, TAP_DATAGRAM_SIZE, NULL);
        if (sent == TAP_DATAGRAM_SIZE) {
            link->bytes += TAP_DATAGRAM_SIZE;
            peer->full_since = 0;
            continue;
        }
        link->dropped++;
        if (peer->full_since == 0)
            peer->full_since = clock_now();
    }
}

static void sample(struct peer *peer, int64_t now)
{
    SRT_TRACEBSTATS figures;
    if (srt_bistats(peer->socket, &figures, 0, 1) != 0)
        return;
    /* Without the socket's lock libsrt reports a queue of no packets, but no free room in it either. */
    bool all_taken = figures.pktSndBuf == 0 && figures.byteAvailSndBuf > 0;
    if (figures.pktRecvACKTotal != peer->acknowledgements || all_taken)
        peer->answered = now;
    peer->acknowledgements = figures.pktRecvACKTotal;
    peer->dropped = (uint64_t)figures.pktSndDropTotal;
    peer->retransmitted = (uint64_t)figures.pktRetransTotal;
    peer->rtt_ms = figures.msRTT;
}

struct srt_link_status srt_link_status(struct srt_link *link)
{
    struct srt_link_status status = {.state = link->state,
                                     .detail = link->detail,
                                     .peers = link->count,
                                     .bytes = link->bytes,
                                     .dropped = link->dropped,
                                     .retransmitted = link->retransmitted,
                                     .reconnects = link->reconnects};
    int64_t now = clock_now();
    for (unsigned i = 0; i < link->count; i++) {
        struct peer *peer = &link->peers[i];
        sample(peer, now);
        status.dropped += peer->dropped;
        status.retransmitted += peer->retransmitted;
        if (peer->rtt_ms > status.rtt_ms)
            status.rtt_ms = peer->rtt_ms;
    }
    return status;
}
