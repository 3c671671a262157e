/* Sends datagrams from the journal's ring to UDP and RTP (RFC 2250, RFC 3550) destinations. Each destination
 * has its own socket and its own position in the ring: one that fails or is slow hurts no other. */
#ifndef STEADYCAST_SENDER_H
#define STEADYCAST_SENDER_H

#include "journal.h"
#include "spec.h"

struct sender_stats {
    const char *id;
    uint64_t datagrams; /* handed to the kernel */
    uint64_t errors;    /* sends that the kernel refused */
    uint64_t lost;      /* datagrams that a destination never got, since it was behind by the whole ring */
    const char *last_error;
};

struct sender;

struct sender *sender_new(struct journal *journal);
void sender_free(struct sender *sender);

/** Opens what is new, closes what is gone, keeps what is unchanged. A destination whose socket can't be opened
 *  (no such interface, say) is kept and tried again every second; its stats say why. New destinations begin at
 *  datagram `head`. */
void sender_apply(struct sender *sender, const struct spec *spec, uint64_t head);

/** Sends every destination what it has not had yet, up to `head`. `now` is the box clock (ns). */
void sender_run(struct sender *sender, uint64_t head, uint32_t ssrc, int64_t now);

size_t sender_count(const struct sender *sender);
struct sender_stats sender_stats(const struct sender *sender, size_t index);

#endif
