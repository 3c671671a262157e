/* The stamp: a strip of large black and white blocks in the picture that carries a frame counter and the
 * box clock at the moment of drawing, so that a test can tell from a decoded picture which frame it is
 * and how long it took.
 *
 * Geometry, as fractions of the picture, so that scaling it as a whole keeps it readable: the strip
 * covers x from 1/8 to 7/8 and y from 1/16 to 5/16 in 8 rows of 16 blocks; a block is 3/64 of the width
 * and 1/32 of the height. Row by row from the top left, block i is bit 127 − i of
 *
 *   bits 127…96  frame counter, from 0 at each start of the source, modulo 2³²
 *   bits  95…32  box clock in ns
 *   bits  31…0   CRC-32 (IEEE 802.3, as in zlib) of the twelve bytes before, most significant byte first
 *
 * White (luma 235) is 1, black (luma 16) is 0. A reader averages the middle half of each block in both
 * directions, takes the mean of the darkest and the brightest block as threshold, and checks the CRC. */
#ifndef STEADYCAST_ENCODE_STAMP_H
#define STEADYCAST_ENCODE_STAMP_H

#include <gst/gst.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STAMP_ROWS 8
#define STAMP_COLUMNS 16

struct stamp {
    uint32_t counter;
    int64_t time; /* ns of the box clock */
};

/** One component of a picture: `step` bytes from sample to sample, `stride` from line to line. */
struct stamp_plane {
    uint8_t *data;
    int width, height, stride, step;
};

void stamp_draw(const struct stamp_plane *luma, const struct stamp *stamp, uint8_t black, uint8_t white);
/** False when there is no stamp, or not a readable one. */
bool stamp_read(const struct stamp_plane *luma, struct stamp *stamp);

/** Draws into every 8-bit raw frame that passes `element`. It is taken off with the element. */
void stamp_attach(GstElement *element);

#endif
