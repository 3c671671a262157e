/* The multiplexer: decides for every slot of the byte grid which packet goes there.
 *
 * In order: a PCR that is due, a table that is due, else sound that may be sent now, else the video with the
 * earliest decoding time, else nothing (a null packet in CBR). Streams are sent as soon as
 * they can be, within what the decoder model (13818-1 2.4.2) takes: transport buffers leak at their rate, and
 * sound is not sent earlier than its buffer holds. A unit whose decoding time is past is not sent.
 *
 * Slots are sent in beats: some packets (in CBR whole datagrams) that leave together at the end of the last one.
 * The PCRs ride in a beat's last packets, so that they arrive when they say and a beat costs no jitter.
 *
 * The module does no I/O and asks no clock; time comes from the slots. What a successor must know to go on
 * is in struct mux_state, plain data without pointers. */
#ifndef STEADYCAST_MUX_H
#define STEADYCAST_MUX_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "grid.h"
#include "pes.h"
#include "psi.h"
#include "spec.h"

/** About how long a beat lasts (ns): fewer wake-ups for the box, against bursts for the network's buffers. */
#define BEAT (6 * NS_PER_MS)

#define TABLES_MAX (3 + 2 * PROGRAMMES_MAX)

/** A table's version and the checksum of what it said, so that the version steps only when it says something else. */
struct table_version {
    uint32_t key; /* PID << 16 | programme number; 0: free */
    uint32_t content;
    uint8_t version;
};

struct stream_clock {
    uint16_t pid; /* 0: free */
    int64_t last_dts;
};

struct mux_state {
    struct grid grid;
    uint64_t slot; /* the next one */
    uint8_t continuity[8192]; /* counter of the PID's next packet with payload */
    struct table_version versions[TABLES_MAX];
    struct stream_clock clocks[STREAMS_MAX];
};

/** What a stream has done so far. */
struct mux_stream_stats {
    uint64_t units, late, dropped, bytes;
    int64_t least_lead; /* ns, smallest since mux_take_lead() */
};

struct mux;

/** A multiplexer that works on `state`, which must outlive it. `state->grid` must be set. */
struct mux *mux_new(struct mux_state *state);
void mux_free(struct mux *mux);

/** From the next slot on: these programmes, tables, intervals and rate. False when out of memory. */
bool mux_apply(struct mux *mux, const struct spec *spec);

/** The programme's streams now have these codecs (by PID); the PMT steps when that changes it, and goes out
 *  first. Units of another codec that still wait are dropped. bitrate 0: not known. */
void mux_streams(struct mux *mux, size_t programme, const struct psi_stream *streams, const uint32_t *bitrates,
                 size_t count);

/** Takes a unit for the PID. Returns false (and frees it) when its DTS is not above the last one's, or when a
 *  key frame must come first. */
bool mux_push(struct mux *mux, uint16_t pid, struct pes *pes);

/** The DTS of the last unit taken for a PID (ns, wire time line), or INT64_MIN. It outlives the process. */
int64_t mux_last_dts(const struct mux *mux, uint16_t pid);

/** The stream waits for a key frame, since a unit was dropped. */
bool mux_needs_key(const struct mux *mux, uint16_t pid);
/** From here on only a key frame will do (the feed was changed). */
void mux_require_key(struct mux *mux, uint16_t pid);

/** Time stands elsewhere from the next slot on: sets discontinuity_indicator in each programme's next PCR. */
void mux_discontinuity(struct mux *mux);

/** The packet of the next slot, which it uses up. False when the slot is empty (`out` is not written).
 *  `utc` is for the TDT. `*pcr` tells that the packet carries a PCR. */
bool mux_next(struct mux *mux, time_t utc, uint8_t out[PACKET_SIZE], bool *pcr);

/** The slot after the last one of the beat that the next slot belongs to. */
uint64_t mux_beat_end(const struct mux *mux);

struct mux_stream_stats mux_stream_stats(const struct mux *mux, uint16_t pid);
/** Smallest lead (ns) among a programme's units since the last call; INT64_MAX when none was sent. */
int64_t mux_take_lead(struct mux *mux, size_t programme);
uint8_t mux_pmt_version(const struct mux *mux, size_t programme);

/** A null packet (PID 0x1FFF). */
void mux_null_packet(uint8_t out[PACKET_SIZE]);

#endif
