#include "spec.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json_read.h"

static int64_t read_ms(struct json_reader *reader, const json_t *object, const char *name, int64_t min, int64_t max)
{
    return json_read_int(reader, object, name, min, max) * NS_PER_MS;
}

static void read_stream(struct json_reader *reader, const json_t *json, struct stream_spec *stream)
{
    stream->stream = (uint8_t)json_read_int(reader, json, "stream", 0, FEED_STREAMS_MAX - 1);
    stream->pid = (uint16_t)json_read_int(reader, json, "pid", 32, 8190);
    json_read_text(reader, json, "language", stream->language, sizeof stream->language);
    size_t length = strlen(stream->language);
    if (length != 0 && length != 3)
        json_refuse(reader, "language", "must have three letters or be empty, is %s", stream->language);
}

static void read_programme(struct json_reader *reader, const json_t *json, struct programme_spec *programme)
{
    programme->number = (uint16_t)json_read_int(reader, json, "number", 1, 65535);
    programme->pmt_pid = (uint16_t)json_read_int(reader, json, "pmtPid", 32, 8190);
    programme->pcr_pid = (uint16_t)json_read_int(reader, json, "pcrPid", 32, 8190);
    json_read_text(reader, json, "serviceName", programme->service_name, sizeof programme->service_name);
    json_read_text(reader, json, "providerName", programme->provider_name, sizeof programme->provider_name);
    json_read_text(reader, json, "feed", programme->feed, sizeof programme->feed);
    json_read_text(reader, json, "slate", programme->slate, sizeof programme->slate);
    programme->slate_after = read_ms(reader, json, "slateAfterMs", 0, 60000);
    const json_t *streams = json_read_array(reader, json, "streams", FEED_STREAMS_MAX);
    json_enter(reader, "streams");
    bool has_pcr = false;
    for (size_t i = 0; i < json_array_size(streams); i++) {
        json_enter_index(reader, i);
        read_stream(reader, json_array_get(streams, i), &programme->streams[i]);
        json_leave(reader);
        has_pcr = has_pcr || programme->streams[i].pid == programme->pcr_pid;
        programme->stream_count++;
    }
    json_leave(reader);
    if (programme->stream_count == 0)
        json_refuse(reader, "streams", "must not be empty");
    if (!has_pcr)
        json_refuse(reader, "pcrPid", "must be the PID of one of the streams, is %d", programme->pcr_pid);
}

static void read_destination(struct json_reader *reader, const json_t *json, struct destination_spec *destination)
{
    static const char *const protocols[] = {"udp", "rtp", NULL};
    char address[64];
    json_read_text(reader, json, "id", destination->id, sizeof destination->id);
    destination->rtp = json_read_choice(reader, json, "protocol", protocols) == 1;
    json_read_text(reader, json, "address", address, sizeof address);
    if (inet_pton(AF_INET, address, &destination->address) != 1)
        json_refuse(reader, "address", "must be an IPv4 address, is %s", address);
    destination->port = (uint16_t)json_read_int(reader, json, "port", 1, 65535);
    destination->source_port = (uint16_t)json_read_int(reader, json, "sourcePort", 0, 65535);
    json_read_text(reader, json, "interface", destination->interface, sizeof destination->interface);
    destination->ttl = (uint8_t)json_read_int(reader, json, "ttl", 1, 255);
    destination->dscp = (uint8_t)json_read_int(reader, json, "dscp", 0, 63);
}

/* A PID has one use in the whole multiplex; a feed's stream may go to several PIDs. */
static void check_pids(struct json_reader *reader, const struct spec *spec)
{
    uint8_t used[8192] = {0};
    size_t streams = 0;
    for (size_t i = 0; i < spec->programme_count; i++) {
        const struct programme_spec *programme = &spec->programmes[i];
        json_enter_index(reader, i);
        if (used[programme->pmt_pid]++ != 0)
            json_refuse(reader, "pmtPid", "PID %d is used twice", programme->pmt_pid);
        for (size_t j = 0; j < programme->stream_count; j++)
            if (used[programme->streams[j].pid]++ != 0)
                json_refuse(reader, "streams", "PID %d is used twice", programme->streams[j].pid);
        for (size_t j = 0; j < i; j++)
            if (spec->programmes[j].number == programme->number)
                json_refuse(reader, "number", "programme %d is there twice", programme->number);
        streams += programme->stream_count;
        json_leave(reader);
    }
    if (streams > STREAMS_MAX)
        json_refuse(reader, NULL, "must have at most %d streams in all, has %zu", STREAMS_MAX, streams);
}

static void check_destinations(struct json_reader *reader, const struct spec *spec)
{
    for (size_t i = 0; i < spec->destination_count; i++) {
        json_enter_index(reader, i);
        for (size_t j = 0; j < i; j++)
            if (strcmp(spec->destinations[j].id, spec->destinations[i].id) == 0)
                json_refuse(reader, "id", "%s is there twice", spec->destinations[i].id);
        json_leave(reader);
    }
}

static void read_spec(struct json_reader *reader, const json_t *json, struct spec *spec)
{
    static const char *const modes[] = {"cbr", "vbr", NULL};
    spec->vbr = json_read_choice(reader, json, "mode", modes) == 1;
    spec->bitrate = json_read_int(reader, json, "bitrate", 100000, 200000000);
    spec->delay = read_ms(reader, json, "delayMs", 50, 5000);
    spec->transport_stream_id = (uint16_t)json_read_int(reader, json, "transportStreamId", 0, 65535);
    spec->original_network_id = (uint16_t)json_read_int(reader, json, "originalNetworkId", 0, 65535);
    spec->network_id = (uint16_t)json_read_int(reader, json, "networkId", 0, 65535);
    json_read_text(reader, json, "networkName", spec->network_name, sizeof spec->network_name);
    json_read_text(reader, json, "characterSet", spec->character_set, sizeof spec->character_set);
    json_read_text(reader, json, "tap", spec->tap, sizeof spec->tap);
    json_read_text(reader, json, "state", spec->state, sizeof spec->state);

    const json_t *intervals = json_read_object(reader, json, "intervals");
    json_enter(reader, "intervals");
    spec->pat_interval = read_ms(reader, intervals, "patMs", 25, 500);
    spec->pmt_interval = read_ms(reader, intervals, "pmtMs", 25, 500);
    spec->sdt_interval = read_ms(reader, intervals, "sdtMs", 100, 10000);
    spec->nit_interval = read_ms(reader, intervals, "nitMs", 100, 30000);
    spec->tdt_interval = read_ms(reader, intervals, "tdtMs", 100, 30000);
    spec->pcr_interval = read_ms(reader, intervals, "pcrMs", 10, 100);
    json_leave(reader);

    const json_t *programmes = json_read_array(reader, json, "programmes", PROGRAMMES_MAX);
    json_enter(reader, "programmes");
    for (size_t i = 0; i < json_array_size(programmes); i++) {
        json_enter_index(reader, i);
        read_programme(reader, json_array_get(programmes, i), &spec->programmes[i]);
        json_leave(reader);
        spec->programme_count++;
    }
    check_pids(reader, spec);
    json_leave(reader);
    if (spec->programme_count == 0)
        json_refuse(reader, "programmes", "must not be empty");

    const json_t *destinations = json_read_array(reader, json, "destinations", DESTINATIONS_MAX);
    json_enter(reader, "destinations");
    for (size_t i = 0; i < json_array_size(destinations); i++) {
        json_enter_index(reader, i);
        read_destination(reader, json_array_get(destinations, i), &spec->destinations[i]);
        json_leave(reader);
        spec->destination_count++;
    }
    check_destinations(reader, spec);
    json_leave(reader);
}

struct spec *spec_parse(const json_t *json, struct control_error *error)
{
    struct json_reader reader = {.error = error};
    struct spec *spec = calloc(1, sizeof *spec);
    if (spec == NULL) {
        control_fail(error, "failed", "", "out of memory");
        return NULL;
    }
    if (!json_is_object(json))
        json_refuse(&reader, NULL, "the spec must be an object");
    else
        read_spec(&reader, json, spec);
    if (!reader.failed)
        spec->json = json_deep_copy(json);
    if (spec->json == NULL) {
        spec_free(spec);
        return NULL;
    }
    return spec;
}

void spec_free(struct spec *spec)
{
    if (spec == NULL)
        return;
    json_decref(spec->json);
    free(spec);
}
