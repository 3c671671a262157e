/* The reader of a tap: the UNIX socket on which `transmit` serves its transport stream. */
#ifndef STEADYCAST_OUTPUT_TAP_H
#define STEADYCAST_OUTPUT_TAP_H

#include <stddef.h>

#include "loop.h"

#define TS_PACKET_SIZE 188
/** Seven packets: what fits into one datagram of an Ethernet MTU. */
#define TAP_DATAGRAM_SIZE (7 * TS_PACKET_SIZE)

struct tap;

/** Gives the stream as it arrives, in whole datagrams of seven packets. */
typedef void tap_datagram_fn(void *data, const uint8_t datagram[TAP_DATAGRAM_SIZE]);

/** A reader of no tap yet. NULL when out of resources. */
struct tap *tap_new(struct loop *loop, tap_datagram_fn *fn, void *data);
void tap_free(struct tap *tap);

/** Reads the tap at `path` from now on, and connects again every 200 ms while it is away. */
void tap_open(struct tap *tap, const char *path);

/** The box clock when bytes last came in; when the tap was opened if none have come yet. */
int64_t tap_last_data(const struct tap *tap);

#endif
