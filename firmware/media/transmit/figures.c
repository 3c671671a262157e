/* What a `transmit` tells of itself each second: measured, never the setpoint. */
#include <string.h>

#include "clock.h"
#include "transmit_private.h"

static double ms(int64_t ns)
{
    return (double)ns / NS_PER_MS;
}

static const char *codec_name(uint8_t codec)
{
    switch (codec) {
    case FEED_H264:
        return "h264";
    case FEED_H265:
        return "h265";
    case FEED_AAC_ADTS:
        return "aac";
    default:
        return "mp2";
    }
}

static json_t *errors(const struct transmit *t)
{
    const struct analyser_counters *counters = analyser_counters(t->analyser);
    json_t *result = json_object();
    for (int i = 0; i < ANALYSER_CHECKS; i++)
        json_object_set_new(result, analyser_check_name(i), json_integer((json_int_t)counters->count[i]));
    return result;
}

/* Bytes of the stream since the last call. */
static uint64_t take_bytes(struct transmit *t, size_t slot, uint64_t total)
{
    uint64_t before = t->figures.stream_bytes[slot];
    t->figures.stream_bytes[slot] = total;
    return total >= before ? total - before : total;
}

static json_t *programmes(struct transmit *t, double seconds)
{
    json_t *list = json_array();
    size_t slot = 0;
    for (size_t i = 0; i < t->channel_count; i++) {
        const struct channel *channel = &t->channels[i];
        struct programme_stats stats = programme_stats(channel->flow);
        const struct psi_stream *streams;
        size_t count = programme_streams(channel->flow, &streams);
        uint64_t units = 0, late = 0, dropped = 0;
        json_t *figures = json_array();
        for (size_t j = 0; j < count && slot < STREAMS_MAX; j++, slot++) {
            struct mux_stream_stats stream = mux_stream_stats(t->mux, streams[j].pid);
            double rate = (double)take_bytes(t, slot, stream.bytes) * 8 / seconds;
            units += stream.units;
            late += stream.late;
            dropped += stream.dropped;
            json_array_append_new(figures, json_pack("{s:i, s:s, s:I}", "pid", (int)streams[j].pid, "codec",
                                                     codec_name(streams[j].codec), "bitrate", (json_int_t)rate));
        }
        int64_t lead = mux_take_lead(t->mux, i);
        json_array_append_new(
            list, json_pack("{s:i, s:s, s:f, s:I, s:I, s:I, s:I, s:i, s:o}", "number", (int)channel->spec.number, "state",
                            programme_state_name(stats.state), "leadMs", lead == INT64_MAX ? 0.0 : ms(lead), "units",
                            (json_int_t)units, "late", (json_int_t)late, "dropped", (json_int_t)dropped, "feedLosses",
                            (json_int_t)stats.feed_losses, "pmtVersion", (int)mux_pmt_version(t->mux, i), "streams",
                            figures));
    }
    return list;
}

static json_t *destinations(const struct transmit *t)
{
    json_t *list = json_array();
    for (size_t i = 0; i < sender_count(t->sender); i++) {
        struct sender_stats stats = sender_stats(t->sender, i);
        json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:I, s:s}", "id", stats.id, "datagrams",
                                              (json_int_t)stats.datagrams, "errors", (json_int_t)stats.errors, "lost",
                                              (json_int_t)stats.lost, "lastError", stats.last_error));
    }
    return list;
}

static void each_second(void *data)
{
    struct transmit *t = data;
    struct figures *figures = &t->figures;
    int64_t now = clock_now();
    if (t->spec == NULL)
        return;
    double seconds = (double)(now - figures->since) / NS_PER_S;
    double packet_rate = PACKET_SIZE * 8 / seconds;
    struct analyser_recent recent = analyser_take_recent(t->analyser);
    struct tap_stats tap = tap_stats(t->tap);
    /* A stall that still lasts counts too. */
    int64_t open_gap = t->last_sent == 0 ? 0 : now - t->last_sent;
    json_decref(figures->last);
    figures->last = json_pack(
        "{s:s, s:I, s:I, s:I, s:f, s:f, s:b, s:I, s:o, s:{s:f, s:f}, s:o, s:o, s:{s:i, s:I}}", "event", "stats", "bitrate",
        (json_int_t)((double)figures->packets * packet_rate), "payloadBitrate",
        (json_int_t)((double)(figures->packets - figures->null_packets) * packet_rate), "datagrams",
        (json_int_t)t->datagrams, "gapMs", ms(open_gap > figures->gap ? open_gap : figures->gap), "lateMs",
        ms(figures->late), "resumed", t->resumed, "jumps", (json_int_t)t->state.jumps, "tr101290", errors(t), "pcr",
        "intervalMs", ms(recent.pcr_interval_ns), "errorNs", (double)recent.pcr_error_ns, "programmes",
        programmes(t, seconds), "destinations", destinations(t), "tap", "readers", (int)tap.readers, "cut",
        (json_int_t)tap.cut);
    figures->since = now;
    figures->packets = figures->null_packets = 0;
    figures->gap = figures->late = 0;
    if (t->control != NULL)
        control_event(t->control, json_incref(figures->last));
}

bool figures_start(struct transmit *t)
{
    t->figures.since = clock_now();
    t->second = loop_every(t->loop, 1000, each_second, t);
    return t->second != NULL;
}

void figures_stop(struct transmit *t)
{
    if (t->second != NULL)
        loop_timer_stop(t->second);
    json_decref(t->figures.last);
}
