/* The byte grid of the transport stream: which packet belongs to which moment, exactly.
 *
 * The stream is a sequence of slots of 188 bytes at the multiplex bitrate. Slot n starts at
 * anchor + (n − anchor_slot) · 1504 / bitrate; all in ticks of the 27 MHz system clock, which is the box
 * clock × 27 / 1000. Integer arithmetic throughout, so that the PCR is exact to a tick (37 ns). */
#ifndef STEADYCAST_GRID_H
#define STEADYCAST_GRID_H

#include <stdint.h>

#define TICKS_PER_S INT64_C(27000000)
#define PACKET_SIZE 188
/** Packets in a datagram of a constant rate: what an Ethernet frame holds. */
#define DATAGRAM_PACKETS 7
/** The byte of a PCR packet whose arrival the PCR gives: the one with the last bit of the base. */
#define PCR_BYTE 11

struct grid {
    int64_t anchor; /* ticks at anchor_slot's first byte */
    uint64_t anchor_slot;
    int64_t bitrate;
};

static inline int64_t ticks_from_ns(int64_t ns)
{
    return (int64_t)((__int128)ns * 27 / 1000);
}

static inline int64_t ns_from_ticks(int64_t ticks)
{
    return (int64_t)((__int128)ticks * 1000 / 27);
}

/** Ticks at byte `byte` of slot `slot`. */
static inline int64_t grid_ticks(const struct grid *grid, uint64_t slot, int byte)
{
    __int128 bits = ((__int128)(int64_t)(slot - grid->anchor_slot) * PACKET_SIZE + byte) * 8;
    return grid->anchor + (int64_t)(bits * TICKS_PER_S / grid->bitrate);
}

/** Box clock (ns) at the start of slot `slot`. */
static inline int64_t grid_ns(const struct grid *grid, uint64_t slot)
{
    return ns_from_ticks(grid_ticks(grid, slot, 0));
}

/** From `slot` on the stream runs at `bitrate`; time goes on without a step. */
static inline void grid_change_rate(struct grid *grid, uint64_t slot, int64_t bitrate)
{
    grid->anchor = grid_ticks(grid, slot, 0);
    grid->anchor_slot = slot;
    grid->bitrate = bitrate;
}

#endif
