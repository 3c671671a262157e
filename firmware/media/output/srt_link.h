/* One SRT link in live mode: a caller with its peer, or a listener with up to eight callers. It sends the
 * same datagrams to every peer that is connected, and never waits for any.
 *
 * What a peer has not acknowledged waits in libsrt's send buffer, for the link's latency and at least one
 * second; then the oldest datagrams are dropped (the SRT protocol's too-late packet drop). A peer that takes
 * nothing at all is cut off. A new peer is sent what comes from then on. */
#ifndef STEADYCAST_OUTPUT_SRT_LINK_H
#define STEADYCAST_OUTPUT_SRT_LINK_H

#include "loop.h"
#include "spec.h"
#include "tap.h"

struct srt_link;

enum srt_link_state { SRT_LINK_CONNECTING, SRT_LINK_LISTENING, SRT_LINK_CONNECTED, SRT_LINK_FAILED };

struct srt_link_status {
    enum srt_link_state state;
    const char *detail; /* in words; valid until the loop's next round */
    unsigned peers;
    /* Since the start, over all peers. Bytes of payload that libsrt took; whole datagrams that were not
     * sent in time; datagrams sent again; connections that came in the place of a lost one. */
    uint64_t bytes, dropped, retransmitted, reconnects;
    double rtt_ms; /* the longest of all peers; 0 without any */
};

/** Starts libsrt. `changed` is called on the loop's thread when state or detail have changed. NULL when
 *  out of resources. Block signals before: libsrt starts threads. */
struct srt_link *srt_link_new(struct loop *loop, loop_call_fn *changed, void *data);
void srt_link_free(struct srt_link *link);

/** Opens the link that `spec` describes, in place of the one before. It is kept up for ever: a lost or
 *  refused connection is tried again after 0.5 s, doubling up to 5 s. */
void srt_link_open(struct srt_link *link, const struct output_spec *spec);

void srt_link_send(struct srt_link *link, const uint8_t datagram[TAP_DATAGRAM_SIZE]);

/** To be called about once a second, since libsrt's counters are read at these moments. */
struct srt_link_status srt_link_status(struct srt_link *link);

#endif
