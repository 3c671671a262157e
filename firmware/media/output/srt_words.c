#include "srt_words.h"

#include <errno.h>
#include <srt/access_control.h>
#include <srt/srt.h>
#include <stdio.h>
#include <string.h>

static const char *rejection(int reason, bool encrypted)
{
    switch (reason) {
    case SRT_REJ_BADSECRET:
        return "wrong passphrase";
    case SRT_REJ_UNSECURE:
        return encrypted ? "the peer has no passphrase" : "the peer asks for a passphrase";
    case SRT_REJ_BACKLOG:
    case SRT_REJ_RESOURCE:
    case SRT_REJX_OVERLOAD:
        return "the peer is overloaded";
    case SRT_REJ_CLOSE:
    case SRT_REJX_DOWN:
        return "the peer is going down";
    case SRT_REJ_VERSION:
    case SRT_REJX_VERSION:
        return "the peer does not accept this SRT version";
    case SRT_REJ_MESSAGEAPI:
    case SRT_REJ_CONGESTION:
        return "the peer is not in live mode";
    case SRT_REJ_FILTER:
        return "the peer asks for a packet filter";
    case SRT_REJX_UNAUTHORIZED:
    case SRT_REJX_FORBIDDEN:
        return "the peer does not permit this stream id";
    case SRT_REJX_NOTFOUND:
        return "the peer does not know this stream id";
    case SRT_REJX_BAD_MODE:
        return "the peer does not take streams under this stream id";
    case SRT_REJX_CONFLICT:
    case SRT_REJX_LOCKED:
        return "the peer already gets this stream from another sender";
    default:
        return NULL;
    }
}

void srt_words_rejected(char *out, size_t size, int reason, const char *peer, bool encrypted)
{
    const char *words = rejection(reason, encrypted);
    if (reason == SRT_REJ_TIMEOUT)
        snprintf(out, size, "no answer from %s", peer);
    else if (words != NULL)
        snprintf(out, size, "refused: %s", words);
    else if (reason == SRT_REJ_PEER || reason >= SRT_REJC_PREDEFINED)
        snprintf(out, size, "refused: by the peer, code %d", reason);
    else
        snprintf(out, size, "refused: %s", srt_rejectreason_str(reason));
}

void srt_words_cannot_listen(char *out, size_t size, const char *place)
{
    int system = 0;
    int error = srt_getlasterror(&system);
    const char *words = system == EADDRINUSE || error == SRT_EBINDCONFLICT || error == SRT_EDUPLISTEN
                            ? "another program uses this port"
                        : system == EADDRNOTAVAIL ? "this is not an address of the box"
                        : system != 0             ? strerror(system)
                                                  : srt_getlasterror_str();
    snprintf(out, size, "cannot listen on %s: %s", place, words);
}
