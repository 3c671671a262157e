/* The tap: the transport stream on a UNIX stream socket, for outputs and previews. A reader starts at a packet
 * boundary with the newest datagram; one that falls behind by most of the ring is cut off. */
#ifndef STEADYCAST_TAP_H
#define STEADYCAST_TAP_H

#include "journal.h"
#include "loop.h"

struct tap;

struct tap_stats {
    uint32_t readers;
    uint64_t cut;
};

/** Serves `path`; NULL with errno set. `head` tells where the ring stands. */
struct tap *tap_new(struct loop *loop, const char *path, struct journal *journal, const uint64_t *head);
void tap_free(struct tap *tap);

/** Gives every reader what it can take. */
void tap_run(struct tap *tap);
struct tap_stats tap_stats(const struct tap *tap);

#endif
