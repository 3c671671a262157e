#include "mux_private.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "clock.h"

#define PID_NULL 0x1fff
#define TRANSPORT_BUFFER 512   /* TBS of every stream, bytes (13818-1 2.4.2.3) */
#define AUDIO_LEAK 2000000     /* Rx of sound, bit/s */
#define VIDEO_LEAK 12000000    /* Rx of video whose level is not known */
#define AUDIO_BUFFER 3584      /* BS of sound with up to two channels, bytes */
#define AUDIO_LEAD_UNKNOWN (60 * NS_PER_MS)
/* Where a beat lasts longer (at low rates), PCRs can't wait for its end. */
#define BEAT_LONGEST_FOR_PCR (10 * NS_PER_MS)

struct mux *mux_new(struct mux_state *state)
{
    struct mux *mux = calloc(1, sizeof *mux);
    if (mux != NULL)
        mux->state = state;
    return mux;
}

static void drop_first(struct stream *stream)
{
    struct pes *pes = stream->first;
    stream->first = pes->next;
    if (stream->first == NULL)
        stream->last = &stream->first;
    stream->position = 0;
    free(pes);
}

static void drop_all(struct stream *stream)
{
    while (stream->first != NULL)
        drop_first(stream);
}

void mux_free(struct mux *mux)
{
    if (mux == NULL)
        return;
    for (size_t i = 0; i < mux->stream_count; i++)
        drop_all(&mux->streams[i]);
    free(mux->spec);
    free(mux);
}

static struct stream *find_stream(const struct mux *mux, uint16_t pid)
{
    for (size_t i = 0; i < mux->stream_count; i++)
        if (mux->streams[i].pid == pid)
            return (struct stream *)(uintptr_t)&mux->streams[i];
    return NULL;
}

/* ---- configuration ---- */

static struct stream_clock *find_clock(struct mux_state *state, uint16_t pid)
{
    struct stream_clock *unused = NULL;
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        if (state->clocks[i].pid == pid)
            return &state->clocks[i];
        if (state->clocks[i].pid == 0 && unused == NULL)
            unused = &state->clocks[i];
    }
    *unused = (struct stream_clock){.pid = pid, .last_dts = INT64_MIN};
    return unused;
}

static bool spec_has_pid(const struct spec *spec, uint16_t pid)
{
    for (size_t i = 0; i < spec->programme_count; i++)
        for (size_t j = 0; j < spec->programmes[i].stream_count; j++)
            if (spec->programmes[i].streams[j].pid == pid)
                return true;
    return false;
}

/* Streams that stay keep their queues and buffers. */
static void apply_programme(struct mux *mux, size_t index, const struct stream *old, size_t old_count)
{
    const struct programme_spec *spec = &mux->spec->programmes[index];
    struct programme *programme = &mux->programmes[index];
    programme->pcr_pid = spec->pcr_pid;
    for (size_t i = 0; i < spec->stream_count; i++) {
        struct stream *stream = &mux->streams[mux->stream_count++];
        *stream = (struct stream){.pid = spec->streams[i].pid, .needs_key = true, .earliest = INT64_MAX};
        stream->stats.least_lead = INT64_MAX;
        for (size_t j = 0; j < old_count; j++)
            if (old[j].pid == stream->pid)
                *stream = old[j];
        stream->programme = index;
        stream->clock = find_clock(mux->state, stream->pid);
        if (stream->first == NULL)
            stream->last = &stream->first;
    }
}

static void set_beat(struct mux *mux)
{
    const struct spec *spec = mux->spec;
    struct mux_state *state = mux->state;
    unsigned before = mux->beat;
    int64_t unit = spec->vbr ? 1 : DATAGRAM_PACKETS;
    int64_t unit_ns = unit * PACKET_SIZE * 8 * NS_PER_S / spec->bitrate;
    int64_t fitting = (BEAT + unit_ns / 2) / unit_ns;
    mux->beat = (unsigned)(fitting < 1 ? unit : fitting * unit);
    bool short_enough = unit_ns <= BEAT_LONGEST_FOR_PCR;
    mux->clock_slots = short_enough ? (unsigned)spec->programme_count : mux->beat;
    if (state->grid.bitrate != spec->bitrate || mux->beat != before)
        grid_change_rate(&state->grid, state->slot, spec->bitrate);
}

bool mux_apply(struct mux *mux, const struct spec *spec)
{
    struct mux_state *state = mux->state;
    struct spec *copy = malloc(sizeof *copy);
    struct stream *old = malloc(sizeof mux->streams);
    if (copy == NULL || old == NULL) {
        free(copy);
        free(old);
        return false;
    }
    *copy = *spec;
    copy->json = NULL;
    for (size_t i = 0; i < spec->programme_count; i++)
        if (mux->spec == NULL || i >= mux->spec->programme_count ||
            mux->spec->programmes[i].number != spec->programmes[i].number)
            mux->programmes[i].stream_count = 0;
    free(mux->spec);
    mux->spec = copy;
    set_beat(mux);

    size_t old_count = mux->stream_count;
    memcpy(old, mux->streams, sizeof mux->streams);
    for (size_t i = 0; i < old_count; i++)
        if (!spec_has_pid(spec, old[i].pid))
            drop_all(&old[i]);
    for (size_t i = 0; i < STREAMS_MAX; i++)
        if (!spec_has_pid(spec, state->clocks[i].pid))
            state->clocks[i].pid = 0;
    mux->stream_count = 0;
    for (size_t i = 0; i < spec->programme_count; i++)
        apply_programme(mux, i, old, old_count);
    free(old);
    mux_tables_build(mux);
    return true;
}

void mux_streams(struct mux *mux, size_t index, const struct psi_stream *streams, const uint32_t *bitrates, size_t count)
{
    struct programme *programme = &mux->programmes[index];
    programme->stream_count = count;
    memcpy(programme->streams, streams, count * sizeof *streams);
    for (size_t i = 0; i < count; i++) {
        struct stream *stream = find_stream(mux, streams[i].pid);
        if (stream == NULL)
            continue;
        if (stream->codec != streams[i].codec) {
            drop_all(stream);
            stream->codec = streams[i].codec;
            stream->needs_key = true;
        }
        bool video = feed_codec_is_video(stream->codec);
        stream->leak = video ? VIDEO_LEAK : AUDIO_LEAK;
        stream->earliest = INT64_MAX;
        if (!video)
            stream->earliest =
                bitrates[i] == 0 ? AUDIO_LEAD_UNKNOWN : INT64_C(7) * AUDIO_BUFFER * 8 * NS_PER_S / 10 / bitrates[i];
    }
    mux_tables_refresh_pmt(mux, index);
}

bool mux_push(struct mux *mux, uint16_t pid, struct pes *pes)
{
    struct stream *stream = find_stream(mux, pid);
    bool video = stream != NULL && feed_codec_is_video(stream->codec);
    if (stream == NULL || pes->dts <= stream->clock->last_dts || (video && stream->needs_key && !pes->key)) {
        if (stream != NULL) {
            stream->stats.dropped++;
            stream->needs_key = stream->needs_key || video;
        }
        free(pes);
        return false;
    }
    if (stream->codec == FEED_H264 && pes->key) {
        int64_t max_bitrate = pes_h264_max_bitrate(pes->bytes, pes->size);
        if (max_bitrate > 0)
            stream->leak = max_bitrate * 12 / 10;
    }
    stream->needs_key = false;
    stream->clock->last_dts = pes->dts;
    *stream->last = pes;
    stream->last = &pes->next;
    return true;
}

int64_t mux_last_dts(const struct mux *mux, uint16_t pid)
{
    const struct stream *stream = find_stream(mux, pid);
    return stream == NULL ? INT64_MIN : stream->clock->last_dts;
}

bool mux_needs_key(const struct mux *mux, uint16_t pid)
{
    const struct stream *stream = find_stream(mux, pid);
    return stream != NULL && stream->needs_key;
}

void mux_require_key(struct mux *mux, uint16_t pid)
{
    struct stream *stream = find_stream(mux, pid);
    if (stream != NULL)
        stream->needs_key = true;
}

void mux_discontinuity(struct mux *mux)
{
    for (size_t i = 0; i < mux->spec->programme_count; i++) {
        mux->programmes[i].discontinuity = true;
        mux->programmes[i].pcr_due = 0;
    }
}

/* ---- slots ---- */

/* Drops units that can't be in time any more. A video stream then waits for a key frame, so what follows up
 * to the next one is dropped too: half a GOP would only be rubbish on the screen. */
static void drop_late(struct stream *stream, int64_t now_ns)
{
    bool video = feed_codec_is_video(stream->codec);
    bool broken = false;
    while (stream->first != NULL && stream->position == 0 &&
           (stream->first->dts <= now_ns || (broken && !stream->first->key))) {
        broken = video;
        stream->stats.dropped++;
        drop_first(stream);
    }
    if (broken && stream->first == NULL)
        stream->needs_key = true;
}

static bool may_send(struct stream *stream, int64_t now, int64_t now_ns)
{
    if (stream->first == NULL)
        return false;
    if (stream->position == 0) {
        drop_late(stream, now_ns);
        if (stream->first == NULL)
            return false;
        if (stream->earliest != INT64_MAX && stream->first->dts - now_ns > stream->earliest)
            return false;
    }
    int64_t passed = now - stream->buffer_ticks;
    stream->buffer_ticks = now;
    /* In a second any buffer has run empty; the first time, all of the box's uptime has passed. */
    int64_t leaked = passed < 0 || passed > TICKS_PER_S ? stream->buffer_bits : passed * stream->leak / TICKS_PER_S;
    stream->buffer_bits = leaked >= stream->buffer_bits ? 0 : stream->buffer_bits - leaked;
    return stream->buffer_bits <= (TRANSPORT_BUFFER - PACKET_SIZE) * 8;
}

/* Sound goes first: it is little, it has waited until its buffer takes it, and a video that is too much for the
 * multiplex must not starve it. Then the earliest decoding time. */
static bool goes_before(const struct stream *a, const struct stream *b)
{
    bool a_video = feed_codec_is_video(a->codec), b_video = feed_codec_is_video(b->codec);
    return a_video != b_video ? b_video : a->first->dts < b->first->dts;
}

static struct stream *choose_stream(struct mux *mux, int64_t now)
{
    struct stream *chosen = NULL;
    int64_t now_ns = ns_from_ticks(now);
    for (size_t i = 0; i < mux->stream_count; i++) {
        struct stream *stream = &mux->streams[i];
        if (may_send(stream, now, now_ns) && (chosen == NULL || goes_before(stream, chosen)))
            chosen = stream;
    }
    return chosen;
}

static void put_pcr(uint8_t *out, int64_t ticks)
{
    uint64_t base = (uint64_t)(ticks / 300) & ((UINT64_C(1) << 33) - 1);
    unsigned extension = (unsigned)(ticks % 300);
    put_be32(out, (uint32_t)(base >> 1));
    out[4] = (uint8_t)((base & 1) << 7 | 0x7e | extension >> 8);
    out[5] = (uint8_t)extension;
}

/* A packet of `stream`, or of the PCR PID without payload when `stream` is NULL; with the PCR of `clock`
 * when that is not NULL. */
static void stream_packet(struct mux *mux, uint16_t pid, struct stream *stream, struct programme *clock, uint8_t *out)
{
    uint8_t *continuity = &mux->state->continuity[pid];
    struct pes *pes = stream == NULL ? NULL : stream->first;
    bool starts = pes != NULL && stream->position == 0;
    unsigned flags = 0;
    if (starts && pes->key && feed_codec_is_video(stream->codec))
        flags |= 0x40; /* random_access_indicator */
    if (clock != NULL)
        flags |= 0x10u | (clock->discontinuity ? 0x80u : 0);

    size_t fields = flags == 0 ? 0 : clock != NULL ? 8 : 2; /* adaptation field with its length byte */
    size_t room = PACKET_SIZE - 4 - fields;
    size_t part = pes == NULL ? 0 : pes->size - stream->position;
    if (part > room)
        part = room;
    size_t field_size = PACKET_SIZE - 4 - part;

    put_be16(out + 1, (uint16_t)((starts ? 0x4000 : 0) | pid));
    out[3] = (uint8_t)((field_size > 0 ? 0x20 : 0) | (part > 0 ? 0x10 : 0) |
                       (part > 0 ? *continuity : (*continuity + 15) & 0xf));
    if (field_size > 0) {
        out[4] = (uint8_t)(field_size - 1);
        if (field_size > 1) {
            out[5] = (uint8_t)flags;
            memset(out + 6, 0xff, field_size - 2);
        }
        if (clock != NULL)
            put_pcr(out + 6, grid_ticks(&mux->state->grid, mux->state->slot, PCR_BYTE));
    }
    if (clock != NULL)
        clock->discontinuity = false;
    if (part == 0)
        return;
    *continuity = (*continuity + 1) & 0xf;
    memcpy(out + 4 + field_size, pes->bytes + stream->position, part);
    stream->position += part;
    stream->buffer_bits += PACKET_SIZE * 8;
    stream->stats.bytes += part;
    if (stream->position < pes->size)
        return;
    int64_t lead = pes->dts - grid_ns(&mux->state->grid, mux->state->slot + 1);
    stream->stats.units++;
    stream->stats.late += lead < 0;
    if (lead < stream->stats.least_lead)
        stream->stats.least_lead = lead;
    drop_first(stream);
}

uint64_t mux_beat_end(const struct mux *mux)
{
    uint64_t slot = mux->state->slot;
    return slot + mux->beat - (slot - mux->state->grid.anchor_slot) % mux->beat;
}

/* The programme whose PCR is to go into the next slot: the one that would be late if it waited for the next beat. */
static struct programme *due_clock(struct mux *mux, int64_t now)
{
    const struct mux_state *state = mux->state;
    struct programme *due = NULL;
    bool may_ride = mux_beat_end(mux) - state->slot <= mux->clock_slots;
    if (mux->clock_slots < mux->beat)
        now = grid_ticks(&state->grid, state->slot + mux->beat, 0);
    for (size_t i = 0; i < mux->spec->programme_count; i++) {
        struct programme *programme = &mux->programmes[i];
        if (programme->pcr_due <= now && (may_ride || programme->discontinuity) &&
            (due == NULL || programme->pcr_due < due->pcr_due))
            due = programme;
    }
    return due;
}

bool mux_next(struct mux *mux, time_t utc, uint8_t out[PACKET_SIZE], bool *pcr)
{
    int64_t now = grid_ticks(&mux->state->grid, mux->state->slot, 0);
    struct programme *clock = due_clock(mux, now);
    struct stream *stream = NULL;
    bool used = true;
    out[0] = 0x47;
    *pcr = clock != NULL;
    if (clock != NULL) {
        clock->pcr_due = now + ticks_from_ns(mux->spec->pcr_interval);
        stream = find_stream(mux, clock->pcr_pid);
        if (stream != NULL && !may_send(stream, now, ns_from_ticks(now)))
            stream = NULL;
        stream_packet(mux, clock->pcr_pid, stream, clock, out);
    } else if (!mux_tables_packet(mux, now, utc, out)) {
        stream = choose_stream(mux, now);
        used = stream != NULL;
        if (used)
            stream_packet(mux, stream->pid, stream, NULL, out);
    }
    mux->state->slot++;
    return used;
}

void mux_null_packet(uint8_t out[PACKET_SIZE])
{
    out[0] = 0x47;
    put_be16(out + 1, PID_NULL);
    out[3] = 0x10;
    memset(out + 4, 0xff, PACKET_SIZE - 4);
}

/* ---- figures ---- */

struct mux_stream_stats mux_stream_stats(const struct mux *mux, uint16_t pid)
{
    const struct stream *stream = find_stream(mux, pid);
    return stream == NULL ? (struct mux_stream_stats){0} : stream->stats;
}

int64_t mux_take_lead(struct mux *mux, size_t programme)
{
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < mux->stream_count; i++) {
        struct stream *stream = &mux->streams[i];
        if (stream->programme != programme)
            continue;
        if (stream->stats.least_lead < least)
            least = stream->stats.least_lead;
        stream->stats.least_lead = INT64_MAX;
    }
    return least;
}
