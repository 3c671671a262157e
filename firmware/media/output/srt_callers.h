/* What libsrt tells from its own threads: who knocks at our listener, and why our call failed. */
#ifndef STEADYCAST_OUTPUT_SRT_CALLERS_H
#define STEADYCAST_OUTPUT_SRT_CALLERS_H

#include <pthread.h>
#include <srt/srt.h>
#include <stdbool.h>
#include <stdint.h>

#include "spec.h"

/** Room for an IPv4 address, a colon and a port. */
#define SRT_NAME_SIZE 24

void srt_name(char out[SRT_NAME_SIZE], const struct sockaddr *address);

/** Must live as long as libsrt does. */
struct srt_callers {
    pthread_mutex_t lock;
    char stream_id[SPEC_STREAM_ID_MAX + 1]; /* that a caller must show; empty: any */
    bool full;
    SRTSOCKET failed; /* our call that failed, and why */
    int reason;
    char admitted[SRT_NAME_SIZE]; /* a caller that was let in by us, and now has to pass libsrt's checks */
    int64_t admitted_at;          /* box clock; 0: there is none */
    char note[SRT_NAME_SIZE + 64];
};

void srt_callers_init(struct srt_callers *callers);
void srt_callers_destroy(struct srt_callers *callers);

/** Begins anew, with another stream id. */
void srt_callers_reset(struct srt_callers *callers, const char *stream_id);

/** For srt_listen_callback(). */
srt_listen_callback_fn srt_callers_knock;
/** For srt_connect_callback(). */
srt_connect_callback_fn srt_callers_failed;

/** Why the call on `socket` failed, of SRT_REJECT_REASON or SRT_REJX_*. */
int srt_callers_reason(struct srt_callers *callers, SRTSOCKET socket);

/** To be called after each look at the listener: `accepted` when it gave a connection, `full` when it
 *  shall give no more. Writes to `note` what there is to say about the last caller, or leaves it alone. */
void srt_callers_note(struct srt_callers *callers, bool accepted, bool full, char *note, size_t size);

#endif
