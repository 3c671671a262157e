/* The rules of the flow.
 *
 * Units carry the box time of their content (label). A live unit arrives some time after its label; the slate
 * is played `lag` behind the clock, later than live units come. So when the feed is back, the slate has not
 * yet reached the first live key frame's label and is filled up to it: no gap, no overlap.
 *
 *   LIVE   units pass. Holes in the sound (the feed was rebuilt) are filled with the slate's silence.
 *   HOLD   no unit came for a moment. Sound goes on with silence; the last picture stays, since none is sent.
 *   SLATE  none came for slate_after: the clip's picture and silence.
 *   NONE   as SLATE, without a clip.
 *
 * From SLATE back to LIVE only a key frame of stream 0 leads, with a label above the slate's last. */
#include "programme.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"

/* Without a unit for this long a live feed counts as interrupted: a third of the delay, so that silence still
 * comes in time, within these limits. */
#define HOLD_AFTER_MIN (60 * NS_PER_MS)
#define HOLD_AFTER_MAX (150 * NS_PER_MS)
/* Labels further off the clock than this are no labels of ours. */
#define IMPLAUSIBLE (5 * NS_PER_S)
/* Sound that was away for longer begins anew instead of being filled up. */
#define FILL_MAX (2 * NS_PER_S)

struct stream {
    struct stream_spec spec;
    int64_t origin; /* label of the slate's unit 0, when slate_index is not 0 or filling has begun */
    uint64_t slate_index;
    bool playing; /* origin and slate_index count on from the last unit sent */
};

struct programme_flow {
    struct mux *mux;
    size_t index;
    int64_t delay, slate_after;
    size_t stream_count;
    struct stream streams[FEED_STREAMS_MAX];
    struct feed_table table; /* of the feed; count 0 while there is none */
    struct slate *slate;
    const struct feed_table *shown; /* the table in the PMT: &table or the slate's */
    struct psi_stream psi[FEED_STREAMS_MAX];
    size_t psi_count;
    int64_t last_unit; /* box clock when the last live unit came, or of the start */
    struct programme_stats stats;
};

static const struct feed_stream *table_entry(const struct feed_table *table, uint8_t stream)
{
    for (size_t i = 0; table != NULL && i < table->count; i++)
        if (table->streams[i].stream == stream)
            return &table->streams[i];
    return NULL;
}

/* Puts the streams of `table` into the PMT. */
static void show(struct programme_flow *flow, const struct feed_table *table)
{
    uint32_t bitrates[FEED_STREAMS_MAX];
    flow->shown = table;
    flow->psi_count = 0;
    for (size_t i = 0; i < flow->stream_count; i++) {
        const struct stream_spec *spec = &flow->streams[i].spec;
        const struct feed_stream *entry = table_entry(table, spec->stream);
        if (entry == NULL)
            continue;
        struct psi_stream *psi = &flow->psi[flow->psi_count];
        *psi = (struct psi_stream){.pid = spec->pid, .codec = entry->codec};
        memcpy(psi->language, spec->language, sizeof psi->language);
        bitrates[flow->psi_count++] = entry->bitrate;
    }
    mux_streams(flow->mux, flow->index, flow->psi, bitrates, flow->psi_count);
}

static void set_state(struct programme_flow *flow, enum programme_state state)
{
    if (flow->stats.state == PROGRAMME_LIVE && state == PROGRAMME_HOLD)
        flow->stats.feed_losses++;
    flow->stats.state = state;
}

static struct stream *find_stream(struct programme_flow *flow, uint8_t number)
{
    for (size_t i = 0; i < flow->stream_count; i++)
        if (flow->streams[i].spec.stream == number)
            return &flow->streams[i];
    return NULL;
}

/* Label of the last unit sent on a stream, or INT64_MIN. */
static int64_t last_label(const struct programme_flow *flow, const struct stream *stream)
{
    int64_t dts = mux_last_dts(flow->mux, stream->spec.pid);
    return dts == INT64_MIN ? INT64_MIN : dts - flow->delay;
}

static bool send_unit(struct programme_flow *flow, struct stream *stream, uint8_t codec, const struct feed_unit *unit)
{
    struct pes *pes = pes_new(unit, codec, flow->delay);
    return pes != NULL && mux_push(flow->mux, stream->spec.pid, pes);
}

/* ---- slate ---- */

static int64_t hold_after(const struct programme_flow *flow)
{
    int64_t wait = flow->delay / 3;
    return wait < HOLD_AFTER_MIN ? HOLD_AFTER_MIN : wait > HOLD_AFTER_MAX ? HOLD_AFTER_MAX : wait;
}

/* How far behind the clock the slate plays: later than live units come, early enough to be sent in time. */
static int64_t slate_lag(const struct programme_flow *flow)
{
    int64_t lag = flow->delay * 2 / 5;
    return lag < 200 * NS_PER_MS ? lag : 200 * NS_PER_MS;
}

/* Where the slate begins on a stream: on the grid of what was sent before, not before `from`. */
static void start_slate(struct programme_flow *flow, struct stream *stream, const struct feed_stream *entry, int64_t from)
{
    int64_t last = last_label(flow, stream);
    int64_t base = last == INT64_MIN ? 0 : last;
    uint64_t steps = 1;
    if (from > base)
        steps = (uint64_t)((__int128)(from - base) * entry->rate_num / ((__int128)entry->rate_den * NS_PER_S));
    stream->origin = base + slate_offset(entry, steps == 0 ? 1 : steps);
    stream->slate_index = 0;
    stream->playing = true;
}

/* Plays a stream's slate up to, not including, the label `until`. */
static void play_slate(struct programme_flow *flow, struct stream *stream, int64_t until)
{
    const struct feed_stream *entry = table_entry(slate_table(flow->slate), stream->spec.stream);
    struct feed_unit unit;
    if (entry == NULL)
        return;
    int64_t half_step = slate_offset(entry, 1) / 2;
    while (slate_unit(flow->slate, stream->spec.stream, stream->slate_index, stream->origin, &unit) &&
           unit.dts + half_step < until) {
        send_unit(flow, stream, entry->codec, &unit);
        stream->slate_index++;
    }
}

/* Fills a stream with the slate up to `until`. When it did not play before, it begins right behind the last
 * unit sent, but not before `from`. */
static void fill(struct programme_flow *flow, struct stream *stream, int64_t from, int64_t until)
{
    const struct feed_stream *entry =
        flow->slate == NULL ? NULL : table_entry(slate_table(flow->slate), stream->spec.stream);
    if (entry == NULL)
        return;
    if (!stream->playing)
        start_slate(flow, stream, entry, from);
    play_slate(flow, stream, until);
}

/* The slate's silence can stand in for the live sound only if it is coded alike. */
static bool silence_fits(const struct programme_flow *flow, uint8_t stream)
{
    const struct feed_stream *live = table_entry(&flow->table, stream);
    const struct feed_stream *slate = flow->slate == NULL ? NULL : table_entry(slate_table(flow->slate), stream);
    return live != NULL && slate != NULL && live->codec == slate->codec && !feed_codec_is_video(live->codec);
}

static void fill_silence(struct programme_flow *flow, struct stream *stream, int64_t until)
{
    int64_t last = last_label(flow, stream);
    const struct feed_stream *entry = table_entry(&flow->table, stream->spec.stream);
    if (last == INT64_MIN || !silence_fits(flow, stream->spec.stream) || until - last > FILL_MAX)
        return;
    if (stream->playing || until - last > slate_offset(entry, 3) / 2)
        fill(flow, stream, last, until);
}

static void enter_slate(struct programme_flow *flow)
{
    if (flow->slate == NULL) {
        set_state(flow, PROGRAMME_NONE);
        return;
    }
    set_state(flow, PROGRAMME_SLATE);
    show(flow, slate_table(flow->slate));
    for (size_t i = 0; i < flow->stream_count; i++) {
        struct stream *stream = &flow->streams[i];
        const struct feed_stream *entry = table_entry(slate_table(flow->slate), stream->spec.stream);
        if (entry != NULL && feed_codec_is_video(entry->codec)) {
            mux_require_key(flow->mux, stream->spec.pid);
            stream->playing = false;
        }
    }
}

void programme_tick(struct programme_flow *flow, int64_t now)
{
    int64_t silent_for = now - flow->last_unit;
    int64_t until = now - slate_lag(flow);
    if (flow->stats.state == PROGRAMME_LIVE && silent_for > hold_after(flow))
        set_state(flow, PROGRAMME_HOLD);
    bool waiting = flow->stats.state == PROGRAMME_HOLD || flow->stats.state == PROGRAMME_NONE;
    if (waiting && silent_for > flow->slate_after && (flow->slate != NULL || flow->stats.state == PROGRAMME_HOLD))
        enter_slate(flow);
    for (size_t i = 0; i < flow->stream_count; i++) {
        if (flow->stats.state == PROGRAMME_HOLD)
            fill_silence(flow, &flow->streams[i], until);
        else if (flow->stats.state == PROGRAMME_SLATE)
            fill(flow, &flow->streams[i], until, until);
    }
}

/* ---- the feed ---- */

/* Codecs that differ from what the PMT says make the PMT step; the sound's grid may differ too. */
static bool same_streams(const struct programme_flow *flow)
{
    for (size_t i = 0; i < flow->stream_count; i++) {
        const struct feed_stream *live = table_entry(&flow->table, flow->streams[i].spec.stream);
        const struct feed_stream *shown = table_entry(flow->shown, flow->streams[i].spec.stream);
        if ((live == NULL) != (shown == NULL) || (live != NULL && live->codec != shown->codec))
            return false;
    }
    return true;
}

void programme_table(struct programme_flow *flow, const struct feed_table *table)
{
    bool was_live = flow->shown == &flow->table;
    flow->table = *table;
    /* On the slate the PMT changes with the first live picture. */
    if (was_live)
        show(flow, &flow->table);
}

static void go_live(struct programme_flow *flow, struct stream *stream, const struct feed_unit *unit)
{
    if (flow->stats.state == PROGRAMME_SLATE && stream->playing)
        play_slate(flow, stream, unit->dts);
    if (flow->shown != &flow->table) {
        bool same = same_streams(flow);
        show(flow, &flow->table);
        for (size_t i = 0; i < flow->stream_count && !same; i++)
            flow->streams[i].playing = false;
    }
    /* What the slate sent last is no reference for a picture. */
    if (flow->stats.state == PROGRAMME_SLATE)
        mux_require_key(flow->mux, stream->spec.pid);
    set_state(flow, PROGRAMME_LIVE);
}

void programme_unit(struct programme_flow *flow, const struct feed_unit *unit, int64_t now)
{
    struct stream *stream = find_stream(flow, unit->stream);
    const struct feed_stream *entry = table_entry(&flow->table, unit->stream);
    if (stream == NULL || entry == NULL || llabs(unit->dts - now) > IMPLAUSIBLE)
        return;
    bool video = feed_codec_is_video(entry->codec);
    int64_t last = last_label(flow, stream);
    /* Half a step of tolerance: the slate's grid and the encoder's may differ by the rounding of ns. */
    if (last != INT64_MIN && unit->dts - last < slate_offset(entry, 1) / 2) {
        if (video)
            mux_require_key(flow->mux, stream->spec.pid);
        return;
    }
    if (flow->stats.state != PROGRAMME_LIVE) {
        bool opens = unit->stream == 0 && (!video || (unit->flags & FEED_KEY) != 0);
        bool resumes = flow->stats.state == PROGRAMME_HOLD && flow->shown == &flow->table;
        if (!opens && !resumes)
            return;
        go_live(flow, stream, unit);
    }
    if (!video)
        fill_silence(flow, stream, unit->dts);
    stream->playing = false;
    flow->last_unit = now;
    send_unit(flow, stream, entry->codec, unit);
}

void programme_feed_lost(struct programme_flow *flow)
{
    /* The next connection begins at a key frame; what comes in between can't be decoded. */
    for (size_t i = 0; i < flow->stream_count; i++)
        mux_require_key(flow->mux, flow->streams[i].spec.pid);
}

/* ---- life ---- */

struct programme_flow *programme_new(struct mux *mux, size_t index, const struct spec *spec, int64_t now)
{
    struct programme_flow *flow = calloc(1, sizeof *flow);
    if (flow == NULL)
        return NULL;
    flow->mux = mux;
    flow->last_unit = now;
    flow->shown = &flow->table;
    programme_apply(flow, index, spec);
    return flow;
}

void programme_free(struct programme_flow *flow)
{
    if (flow == NULL)
        return;
    slate_free(flow->slate);
    free(flow);
}

void programme_apply(struct programme_flow *flow, size_t index, const struct spec *spec)
{
    const struct programme_spec *programme = &spec->programmes[index];
    flow->index = index;
    flow->delay = spec->delay;
    flow->slate_after = programme->slate_after;
    flow->stream_count = programme->stream_count;
    for (size_t i = 0; i < programme->stream_count; i++)
        flow->streams[i] = (struct stream){.spec = programme->streams[i]};
    show(flow, flow->shown);
}

void programme_slate(struct programme_flow *flow, struct slate *slate)
{
    bool shown = flow->slate != NULL && flow->shown == slate_table(flow->slate);
    slate_free(flow->slate);
    flow->slate = slate;
    for (size_t i = 0; i < flow->stream_count; i++)
        flow->streams[i].playing = false;
    if (shown)
        show(flow, &flow->table);
    if (flow->stats.state == PROGRAMME_SLATE)
        enter_slate(flow);
    else if (slate != NULL && flow->table.count == 0)
        show(flow, slate_table(slate)); /* what will come, before anything has come */
}

bool programme_wants_key(const struct programme_flow *flow)
{
    const struct feed_stream *entry = table_entry(&flow->table, 0);
    for (size_t i = 0; i < flow->stream_count; i++)
        if (flow->streams[i].spec.stream == 0 && entry != NULL && feed_codec_is_video(entry->codec))
            return flow->stats.state == PROGRAMME_SLATE || mux_needs_key(flow->mux, flow->streams[i].spec.pid);
    return false;
}

struct programme_stats programme_stats(const struct programme_flow *flow)
{
    return flow->stats;
}

const char *programme_state_name(enum programme_state state)
{
    static const char *const names[] = {"none", "live", "hold", "slate"};
    return names[state];
}

size_t programme_streams(const struct programme_flow *flow, const struct psi_stream **streams)
{
    *streams = flow->psi;
    return flow->psi_count;
}
