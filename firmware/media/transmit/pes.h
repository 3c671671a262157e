/* Access units made ready for the multiplex: PES packets (ISO/IEC 13818-1 2.4.3.6) waiting for their slots. */
#ifndef STEADYCAST_PES_H
#define STEADYCAST_PES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feed.h"

struct pes {
    struct pes *next;
    int64_t dts; /* ns of the box clock, on the wire's time line */
    bool key;
    size_t size;
    uint8_t bytes[]; /* the PES packet, header included */
};

/** One access unit as a PES packet; `delay` (ns) shifts its time stamps to the wire's. Video gets an access
 *  unit delimiter where it has none (13818-1 2.14.1 wants one). NULL when out of memory. */
struct pes *pes_new(const struct feed_unit *unit, uint8_t codec, int64_t delay);

/** The 33-bit 90 kHz time stamp of a box time in ns. */
uint64_t pes_timestamp(int64_t ns);

/** MaxBR of the level in an H.264 access unit's sequence parameter set, in bit/s (H.264 table A-1, High
 *  profile's factor), or 0 when it holds none. */
int64_t pes_h264_max_bitrate(const uint8_t *data, size_t size);

#endif
