/* What mux.c (streams, slots) and mux_tables.c (tables) share. */
#ifndef STEADYCAST_MUX_PRIVATE_H
#define STEADYCAST_MUX_PRIVATE_H

#include "mux.h"

/* One elementary stream: its queue, and the decoder's transport buffer as it stands. */
struct stream {
    uint16_t pid;
    uint8_t codec;
    size_t programme;
    struct pes *first, **last;
    size_t position; /* in the first unit; 0: not begun */
    bool needs_key;
    int64_t earliest; /* ns before its DTS that a unit may be sent at the earliest; INT64_MAX: at once */
    int64_t leak;     /* bit/s */
    int64_t buffer_bits, buffer_ticks; /* level of the transport buffer, and when */
    struct stream_clock *clock;
    struct mux_stream_stats stats;
};

enum table_kind { TABLE_PAT, TABLE_PMT, TABLE_SDT, TABLE_NIT, TABLE_TDT };

struct table {
    enum table_kind kind;
    uint16_t pid;
    size_t programme;
    int64_t interval, due; /* ticks */
    uint8_t section[SECTION_MAX];
    size_t size;
};

struct programme {
    uint16_t pcr_pid;
    int64_t pcr_due;
    bool discontinuity;
    struct psi_stream streams[FEED_STREAMS_MAX];
    size_t stream_count;
};

struct mux {
    struct mux_state *state;
    struct spec *spec; /* own copy */
    unsigned beat;     /* slots */
    unsigned clock_slots; /* at the end of a beat, in which PCRs may ride */
    struct stream streams[STREAMS_MAX];
    size_t stream_count;
    struct programme programmes[PROGRAMMES_MAX];
    struct table tables[TABLES_MAX];
    size_t table_count;
    struct table *sending; /* the table that is being sent, and how far it is */
    size_t sent;
};

/** All tables of the spec, due at once. */
void mux_tables_build(struct mux *mux);
/** The programme's streams have changed: its PMT steps and goes out first, if that changes what it says. */
void mux_tables_refresh_pmt(struct mux *mux, size_t programme);
/** A packet of the table that is being sent or is due at `now` (ticks); false when there is none. */
bool mux_tables_packet(struct mux *mux, int64_t now, time_t utc, uint8_t out[PACKET_SIZE]);

#endif
