/* What a datagram carries: transport packets alone, or behind an RTP header (RFC 3550, RFC 2250). */
#ifndef STEADYCAST_ANALYSE_DATAGRAM_H
#define STEADYCAST_ANALYSE_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct datagram {
    const uint8_t *packets;
    size_t count; /* whole packets of 188 bytes */
    bool odd;     /* bytes are left over */
    bool rtp;
    uint16_t sequence; /* of RTP */
};

/** Finds the transport packets. False when the datagram carries none. A damaged sync byte does not hide them
 *  as long as the size is right. */
bool datagram_read(const uint8_t *bytes, size_t size, struct datagram *out);

/** Counts what is missing in RTP sequence numbers. */
struct rtp_sequence {
    bool started;
    uint16_t next;
    uint64_t lost, disordered; /* disordered: came late, or twice */
};
void rtp_sequence_take(struct rtp_sequence *s, uint16_t sequence);

#endif
