/* Why SRT failed, in words for the person who set it up. */
#ifndef STEADYCAST_OUTPUT_SRT_WORDS_H
#define STEADYCAST_OUTPUT_SRT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/** Why `peer` (address and port) let us not in: `reason` is of SRT_REJECT_REASON or SRT_REJX_*. */
void srt_words_rejected(char *out, size_t size, int reason, const char *peer, bool encrypted);

/** Why we cannot listen on `place`, after a failed libsrt call in this thread. */
void srt_words_cannot_listen(char *out, size_t size, const char *place);

#endif
