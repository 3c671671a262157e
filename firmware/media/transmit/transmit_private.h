/* What transmit.c and figures.c share. */
#ifndef STEADYCAST_TRANSMIT_PRIVATE_H
#define STEADYCAST_TRANSMIT_PRIVATE_H

#include "analyser.h"
#include "feed_reader.h"
#include "journal.h"
#include "programme.h"
#include "sender.h"
#include "tap.h"
#include "transmit.h"

/* Counts of the running second, and the figures made of the last one. */
struct figures {
    int64_t since;
    uint64_t packets, null_packets;
    int64_t gap, late; /* ns, widest */
    uint64_t stream_bytes[STREAMS_MAX];
    json_t *last;
};

struct channel {
    struct programme_flow *flow;
    struct feed_reader *reader;
    struct programme_spec spec;
    enum programme_state told; /* the state of the last event */
};

struct transmit {
    struct loop *loop;
    struct control *control;
    struct spec *spec;
    struct journal *journal;
    struct journal_state state; /* the working copy; the journal has the committed one */
    bool resumed, handed_over;
    struct mux *mux;
    size_t channel_count;
    struct channel channels[PROGRAMMES_MAX];
    struct sender *sender;
    struct tap *tap;
    struct analyser *analyser;
    int timer;
    struct loop_fd *timer_watch;
    struct loop_timer *second;
    int64_t last_tick, last_sent;
    uint64_t datagrams;
    unsigned packets;     /* in the datagram that is being filled */
    int64_t first_packet; /* when its first slot began, ns */
    struct figures figures;
};

/** Starts and ends the counting. */
bool figures_start(struct transmit *transmit);
void figures_stop(struct transmit *transmit);

#endif
