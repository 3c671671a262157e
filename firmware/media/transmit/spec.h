/* What a `transmit` shall send (TransmitSpec in src/media/protocol.ts), checked and in C's terms. */
#ifndef STEADYCAST_TRANSMIT_SPEC_H
#define STEADYCAST_TRANSMIT_SPEC_H

#include <jansson.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#include "control.h"
#include "feed.h"

#define PROGRAMMES_MAX 16
#define STREAMS_MAX 64 /* in the whole multiplex */
#define DESTINATIONS_MAX 64
#define NAME_MAX_BYTES 241 /* 60 characters of UTF-8 */
#define SOCKET_PATH_MAX sizeof(((struct sockaddr_un *)0)->sun_path)

struct stream_spec {
    uint8_t stream; /* in the feed */
    uint16_t pid;
    char language[4]; /* ISO 639-2, or "" */
};

struct programme_spec {
    uint16_t number, pmt_pid, pcr_pid;
    char service_name[NAME_MAX_BYTES], provider_name[NAME_MAX_BYTES];
    char feed[SOCKET_PATH_MAX];
    char slate[1024];    /* recorded feed, or "" */
    int64_t slate_after; /* ns without a unit before the slate */
    size_t stream_count;
    struct stream_spec streams[FEED_STREAMS_MAX];
};

struct destination_spec {
    char id[33];
    bool rtp;
    struct in_addr address;
    uint16_t port, source_port; /* host order; source_port 0: any */
    char interface[IFNAMSIZ];   /* "": by the routing table */
    uint8_t ttl, dscp;
};

struct spec {
    json_t *json; /* as it came, for hello and comparison */
    bool vbr;
    int64_t bitrate; /* bit/s; the peak in VBR */
    int64_t delay;   /* ns */
    uint16_t transport_stream_id, original_network_id, network_id;
    char network_name[NAME_MAX_BYTES];
    char character_set[16];
    int64_t pat_interval, pmt_interval, sdt_interval, nit_interval, tdt_interval, pcr_interval; /* ns */
    size_t programme_count;
    struct programme_spec programmes[PROGRAMMES_MAX];
    size_t destination_count;
    struct destination_spec destinations[DESTINATIONS_MAX];
    char tap[SOCKET_PATH_MAX];
    char state[1024];
};

/** A spec from its JSON, or NULL with `error` filled with the first fault. */
struct spec *spec_parse(const json_t *json, struct control_error *error);
void spec_free(struct spec *spec);

#endif
