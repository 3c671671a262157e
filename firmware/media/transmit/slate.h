/* The slate clip: a recorded feed of some seconds, held in memory, that can be played endlessly. Each of its
 * streams is a ring of its own, since sound and picture rarely have a common period. */
#ifndef STEADYCAST_SLATE_H
#define STEADYCAST_SLATE_H

#include "feed.h"

struct slate;

/** Loads a recorded feed; NULL when it can't be read, is no feed, is larger than 64 MiB, or has a stream
 *  without units or whose first unit is no key frame. `reason` then says why. */
struct slate *slate_load(const char *path, char *reason, size_t reason_size);
void slate_free(struct slate *slate);

const struct feed_table *slate_table(const struct slate *slate);

/** Unit number `index` (0 to infinity) of stream `stream`, as if the clip's stream were endless and began with
 *  its unit 0 at `origin` (ns). Its bytes live as long as the slate. False when it has no such stream. */
bool slate_unit(const struct slate *slate, uint8_t stream, uint64_t index, int64_t origin, struct feed_unit *unit);

/** Time of unit `index` of a stream with the given table entry, ns after its unit 0; exact, without summing up. */
int64_t slate_offset(const struct feed_stream *stream, uint64_t index);

#endif
