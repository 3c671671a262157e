/* One multiplex on air: feeds and slates in, datagrams out, by the clock. It brings the parts together and
 * lives on the loop's thread. */
#ifndef STEADYCAST_TRANSMIT_H
#define STEADYCAST_TRANSMIT_H

#include <jansson.h>

#include "control.h"
#include "loop.h"

struct transmit;

/** Nothing is sent before the first spec is applied. NULL when out of resources. */
struct transmit *transmit_new(struct loop *loop);
/** An orderly end: the journal goes too, so that the next start is a new stream. Unless it is handed over. */
void transmit_free(struct transmit *transmit);
/** Keeps the journal at the end: a successor goes on with the stream where this one leaves it. */
void transmit_hand_over(struct transmit *transmit);

/** Where warnings go, once the control socket is there. */
void transmit_set_control(struct transmit *transmit, struct control *control);

/** Brings the multiplex to `spec` and answers {live, rebuilt}; NULL with `error` filled when it is refused, and
 *  then nothing has changed. */
json_t *transmit_apply(struct transmit *transmit, const json_t *spec, struct control_error *error);
/** The spec that runs (a new reference), or NULL. */
json_t *transmit_spec(struct transmit *transmit);
/** The figures of the last full second (transmitStats in src/media/protocol.ts). */
json_t *transmit_stats(struct transmit *transmit);

#endif
