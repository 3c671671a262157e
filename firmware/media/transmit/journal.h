/* What a successor needs to go on where a killed `transmit` stood: a small mapped file with the multiplexer's
 * state, the newest datagrams, and how far each destination has got. The kernel keeps it when the process dies
 * at any instruction.
 *
 * The state is kept twice; a commit writes the spare copy and then switches over with one atomic store. The
 * datagrams that a copy counts were written before it. A destination's position is stored right before its
 * datagrams are handed to the kernel, since a process is killed within the system call far more likely than in
 * the few instructions before it: so nothing is sent twice, nothing is left out. */
#ifndef STEADYCAST_JOURNAL_H
#define STEADYCAST_JOURNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "mux.h"

#define DATAGRAM_SIZE (DATAGRAM_PACKETS * PACKET_SIZE)
/** Datagrams kept, a power of two: 1.3 s at 4 Mbit/s. */
#define RING_DATAGRAMS 512

struct datagram {
    int64_t due; /* box clock (ns) when it shall be on the wire: the end of its last slot */
    uint32_t rtp_time;
    uint32_t size; /* bytes, whole packets */
    uint8_t bytes[DATAGRAM_SIZE];
};

/** What is committed together. */
struct journal_state {
    struct mux_state mux;
    uint64_t head; /* datagrams made so far; the ring holds the last RING_DATAGRAMS of them */
    uint64_t jumps;
    uint32_t rtp_ssrc;
};

struct journal_position {
    char id[33]; /* of the destination; "": free */
    _Atomic uint64_t sent;
};

struct journal;

/** Maps `path`, which is made anew when it is missing or not usable. `*resumed` tells whether it holds the
 *  state of a predecessor in this boot. NULL with errno set. EBUSY: another process has it. */
struct journal *journal_open(const char *path, bool *resumed);
/** `keep` leaves the file for a successor. */
void journal_close(struct journal *journal, bool keep);

/** The last committed state (read only). */
const struct journal_state *journal_committed(const struct journal *journal);
/** Commits `state`; the datagrams up to state->head must be in the ring. */
void journal_commit(struct journal *journal, const struct journal_state *state);

/** Datagram number `index` in the ring. */
struct datagram *journal_datagram(struct journal *journal, uint64_t index);

/** The position record of a destination, new ones standing at `head`; NULL when there are too many. */
struct journal_position *journal_position(struct journal *journal, const char *id, uint64_t head);
void journal_forget(struct journal *journal, const char *id);

#endif
