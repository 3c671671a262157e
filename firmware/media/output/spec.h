/* What an output shall do: the checked form of OutputSpec in src/media/protocol.ts. */
#ifndef STEADYCAST_OUTPUT_SPEC_H
#define STEADYCAST_OUTPUT_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "control.h"

#define SPEC_LATENCY_MIN 20 /* ms */
#define SPEC_LATENCY_MAX 8000
#define SPEC_PASSPHRASE_MIN 10 /* SRTO_PASSPHRASE */
#define SPEC_PASSPHRASE_MAX 79
#define SPEC_STREAM_ID_MAX 512 /* SRTO_STREAMID */

struct output_spec {
    char channel[65], id[65];
    char tap[108]; /* as sun_path */
    bool listener;
    char address[254]; /* the peer's for a caller, the own one for a listener */
    uint16_t port;
    int latency_ms;
    char passphrase[SPEC_PASSPHRASE_MAX + 1]; /* empty: not encrypted */
    char stream_id[SPEC_STREAM_ID_MAX + 1];
};

/** Checks `json` and fills `spec`. False with `error` filled when a member is missing, of another type
 *  or out of its limits; `spec` is then unchanged. */
bool spec_parse(const json_t *json, struct output_spec *spec, struct control_error *error);

/** Appends the JSON pointer of each member in which the two differ: to `live` what is a mere label, to
 *  `rebuilt` what makes the tap or the link be opened anew. */
void spec_difference(const struct output_spec *before, const struct output_spec *after, json_t *live,
                     json_t *rebuilt);

/** Whether the link to the peer can stay as it is. */
bool spec_same_link(const struct output_spec *a, const struct output_spec *b);

#endif
