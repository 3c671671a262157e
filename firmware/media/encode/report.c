/* What the process tells of itself: encodeStats, sourceEvent and levelsEvent of src/media/protocol.ts. */
#include <math.h>

#include "host_internal.h"

static const char *state_name(enum source_state state)
{
    static const char *const names[] = {"none", "starting", "live", "held", "lost"};
    return names[state];
}

static struct source_info info_of(struct host *host)
{
    struct source_info info = {.scan = ""};
    if (host->source != NULL)
        source_info(host->source, &info);
    return info;
}

static const char *detail_of(const struct source_info *info, enum source_state state)
{
    if (info->detail[0] != '\0')
        return info->detail;
    return state == SOURCE_HELD || state == SOURCE_LOST ? "no picture comes from the source" : "";
}

static double rounded(double value)
{
    return round(value * 100) / 100;
}

static json_t *source_object(struct host *host, enum source_state state)
{
    struct source_info info = info_of(host);
    return json_pack("{s:s, s:s, s:i, s:i, s:f, s:s, s:I}", "state", state_name(state), "detail",
                     detail_of(&info, state), "width", info.width, "height", info.height, "rate",
                     rounded(info.rate), "scan", info.scan, "rebuilds",
                     (json_int_t)(host->rebuilds + info.rebuilds));
}

json_t *report_stats(struct host *host, bool event)
{
    struct store_stats store;
    struct program_stats program = {0};
    struct feed_server_stats feed = {0};
    store_stats(host->store, &store);
    if (host->program != NULL)
        program_stats(host->program, event, &program);
    if (host->feed != NULL)
        feed = feed_server_stats(host->feed);
    json_t *bytes = json_array();
    for (size_t i = 0; host->spec != NULL && i < host->spec->table.count; i++)
        json_array_append_new(bytes, json_integer((json_int_t)program.bytes[i]));
    json_t *video = json_pack("{s:I, s:I, s:I, s:I, s:I}", "in", (json_int_t)store.video_in, "out",
                              (json_int_t)store.video_out, "repeated", (json_int_t)store.repeated, "dropped",
                              (json_int_t)store.dropped, "overload", (json_int_t)store.overload);
    json_t *audio = json_pack("{s:I, s:I, s:I, s:f, s:I}", "in", (json_int_t)store.audio_in, "out",
                              (json_int_t)store.audio_out, "silence", (json_int_t)store.silence, "driftPpm",
                              rounded(store.drift_ppm), "resyncs", (json_int_t)store.resyncs);
    json_t *stats = json_pack("{s:o, s:o, s:o, s:{s:f, s:f}, s:o, s:{s:i, s:I}}", "source",
                              source_object(host, store.state), "video", video, "audio", audio, "encodeMs",
                              "median", rounded(program.median_ms), "max", rounded(program.max_ms), "bytes",
                              bytes, "feed", "readers", (int)feed.readers, "cut", (json_int_t)feed.cut);
    if (event)
        json_object_set_new(stats, "event", json_string("stats"));
    return stats;
}

json_t *report_source(struct host *host, enum source_state state)
{
    struct source_info info = info_of(host);
    /* At its first frame, what was wrong before may not be taken back yet. */
    return json_pack("{s:s, s:s, s:s}", "event", "source", "state", state_name(state), "detail",
                     state == SOURCE_LIVE ? "" : detail_of(&info, state));
}

json_t *report_levels(struct host *host)
{
    struct store_levels levels;
    store_levels(host->store, &levels);
    if (levels.channels == 0)
        return NULL;
    json_t *peak = json_array(), *rms = json_array();
    for (int i = 0; i < levels.channels; i++) {
        json_array_append_new(peak, json_real(rounded(levels.peak[i])));
        json_array_append_new(rms, json_real(rounded(levels.rms[i])));
    }
    return json_pack("{s:s, s:o, s:o}", "event", "levels", "peak", peak, "rms", rms);
}
