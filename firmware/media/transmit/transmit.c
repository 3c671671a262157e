#include "transmit.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "clock.h"
#include "transmit_private.h"

/* When a beat lasts longer, or the stream has to catch up, feeds and datagrams are looked after this often. */
#define TICK_LONGEST (2 * BEAT)
/* After a stall the stream catches up at this many times its rate, sparing the switches a burst at line rate. */
#define CATCH_UP 4
/* A stall longer than this is not caught up: the stream jumps, with discontinuity_indicator set. Longer than
 * the supervisor takes to replace a frozen process. */
#define JUMP_AFTER (5 * NS_PER_S)
/* A VBR datagram that is not full goes out after this. */
#define FLUSH_AFTER (10 * NS_PER_MS)

/* ---- the stream ---- */

static void finish_datagram(struct transmit *t)
{
    struct datagram *datagram = journal_datagram(t->journal, t->state.head);
    datagram->due = grid_ns(&t->state.mux.grid, t->state.mux.slot);
    datagram->rtp_time = (uint32_t)pes_timestamp(t->first_packet);
    datagram->size = t->packets * PACKET_SIZE;
    t->packets = 0;
    t->state.head++;
    /* In VBR the next packet already belongs to a datagram that is not complete by the end of the tick. */
    if (t->spec->vbr)
        journal_commit(t->journal, &t->state);
}

/* Uses up one slot. In CBR an empty one takes a null packet, in VBR nothing. */
static void fill_slot(struct transmit *t, time_t utc)
{
    struct datagram *datagram = journal_datagram(t->journal, t->state.head);
    uint8_t *out = datagram->bytes + t->packets * PACKET_SIZE;
    int64_t start = grid_ns(&t->state.mux.grid, t->state.mux.slot);
    bool pcr, used = mux_next(t->mux, utc, out, &pcr);
    if (!used && !t->spec->vbr) {
        mux_null_packet(out);
        t->figures.null_packets++;
        used = true;
    }
    if (used) {
        if (t->packets == 0)
            t->first_packet = start;
        t->packets++;
        analyser_push(t->analyser, out, t->last_tick);
        t->figures.packets++;
    }
    /* In VBR the PCR closes its datagram, so that it leaves at the time that it tells. */
    bool flush = t->spec->vbr && t->packets > 0 && (pcr || start - t->first_packet > FLUSH_AFTER);
    if (t->packets == DATAGRAM_PACKETS || flush)
        finish_datagram(t);
}

/* Makes what is due by `until`. CBR makes whole datagrams, so that none is open between two ticks. */
static void make_datagrams(struct transmit *t, int64_t until)
{
    unsigned at_once = t->spec->vbr ? 1 : DATAGRAM_PACKETS;
    time_t utc = time(NULL);
    while (grid_ns(&t->state.mux.grid, t->state.mux.slot + at_once - t->packets % at_once) <= until)
        for (unsigned i = t->packets % at_once; i < at_once; i++)
            fill_slot(t, utc);
    if (!t->spec->vbr)
        journal_commit(t->journal, &t->state);
}

static void jump(struct transmit *t, int64_t now)
{
    struct grid *grid = &t->state.mux.grid;
    grid->anchor = ticks_from_ns(now);
    grid->anchor_slot = t->state.mux.slot;
    mux_discontinuity(t->mux);
    t->state.jumps++;
    if (t->control != NULL)
        control_log(t->control, "warning", "the stream stood still for more than %lld s and jumped",
                    (long long)(JUMP_AFTER / NS_PER_S));
}

static void send_datagrams(struct transmit *t, uint64_t made_before, int64_t now)
{
    if (t->state.head != made_before) {
        int64_t late = now - journal_datagram(t->journal, made_before)->due;
        if (late > t->figures.late)
            t->figures.late = late;
        if (t->last_sent != 0 && now - t->last_sent > t->figures.gap)
            t->figures.gap = now - t->last_sent;
        t->last_sent = now;
    }
    t->datagrams += t->state.head - made_before;
    sender_run(t->sender, t->state.head, t->state.rtp_ssrc, now);
    tap_run(t->tap);
}

static void tell_state(struct transmit *t, struct channel *channel)
{
    enum programme_state state = programme_stats(channel->flow).state;
    if (state == channel->told || t->control == NULL)
        return;
    channel->told = state;
    control_event(t->control, json_pack("{s:s, s:i, s:s}", "event", "programme", "number", (int)channel->spec.number,
                                        "state", programme_state_name(state)));
}

/* Wakes up when the last packet of the beat is due. Setting the timer also takes its last expiry. */
static void await_beat(struct transmit *t)
{
    int64_t next = grid_ns(&t->state.mux.grid, mux_beat_end(t->mux)) + 1;
    int64_t latest = t->last_tick + TICK_LONGEST;
    if (next > latest || next <= t->last_tick)
        next = latest;
    struct itimerspec spec = {.it_value = {.tv_sec = next / NS_PER_S, .tv_nsec = next % NS_PER_S}};
    timerfd_settime(t->timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void tick(void *data, uint32_t events)
{
    struct transmit *t = data;
    int64_t now = clock_now();
    (void)events;
    for (size_t i = 0; i < t->channel_count; i++) {
        feed_reader_tick(t->channels[i].reader, now);
        programme_tick(t->channels[i].flow, now);
        tell_state(t, &t->channels[i]);
    }
    if (now - grid_ns(&t->state.mux.grid, t->state.mux.slot) > JUMP_AFTER)
        jump(t, now);
    int64_t stream_now = grid_ns(&t->state.mux.grid, t->state.mux.slot);
    int64_t farthest = stream_now + CATCH_UP * (now - t->last_tick < TICK_LONGEST ? TICK_LONGEST : now - t->last_tick);
    /* At low rates a datagram lasts longer than that. */
    int64_t datagram = grid_ns(&t->state.mux.grid, t->state.mux.slot + DATAGRAM_PACKETS);
    farthest = farthest < datagram ? datagram : farthest;
    uint64_t made_before = t->state.head;
    t->last_tick = now;
    make_datagrams(t, now < farthest ? now : farthest);
    send_datagrams(t, made_before, now);
    await_beat(t);
}

/* ---- specs ---- */

static void load_slate(struct transmit *t, struct channel *channel)
{
    char reason[96];
    struct slate *slate = NULL;
    if (channel->spec.slate[0] != '\0')
        slate = slate_load(channel->spec.slate, reason, sizeof reason);
    if (slate == NULL && channel->spec.slate[0] != '\0' && t->control != NULL)
        control_log(t->control, "warning", "no slate: %s: %s", channel->spec.slate, reason);
    programme_slate(channel->flow, slate);
}

static bool open_channel(struct transmit *t, struct channel *channel, size_t index, const struct spec *spec)
{
    channel->spec = spec->programmes[index];
    channel->flow = programme_new(t->mux, index, spec, clock_now());
    if (channel->flow != NULL)
        channel->reader = feed_reader_new(channel->spec.feed, channel->flow);
    if (channel->reader != NULL)
        load_slate(t, channel);
    return channel->reader != NULL;
}

static void close_channel(struct channel *channel)
{
    feed_reader_free(channel->reader);
    programme_free(channel->flow);
    *channel = (struct channel){0};
}

/* The running channel is brought to programme `index` of the spec. */
static bool change_channel(struct transmit *t, struct channel *channel, size_t index, const struct spec *spec)
{
    struct programme_spec before = channel->spec;
    channel->spec = spec->programmes[index];
    programme_apply(channel->flow, index, spec);
    if (strcmp(before.slate, channel->spec.slate) != 0)
        load_slate(t, channel);
    if (strcmp(before.feed, channel->spec.feed) != 0) {
        feed_reader_free(channel->reader);
        channel->reader = feed_reader_new(channel->spec.feed, channel->flow);
    }
    return channel->reader != NULL;
}

/* Programmes are told apart by their number; those that stay keep their feed. */
static bool apply_channels(struct transmit *t, const struct spec *spec)
{
    struct channel old[PROGRAMMES_MAX];
    bool good = true;
    memcpy(old, t->channels, sizeof old);
    memset(t->channels, 0, sizeof t->channels);
    for (size_t i = 0; i < spec->programme_count; i++) {
        struct channel *channel = &t->channels[i];
        for (size_t j = 0; j < t->channel_count; j++) {
            if (old[j].flow != NULL && old[j].spec.number == spec->programmes[i].number) {
                *channel = old[j];
                old[j] = (struct channel){0};
            }
        }
        bool running = channel->flow != NULL;
        good = good && (running ? change_channel(t, channel, i, spec) : open_channel(t, channel, i, spec));
    }
    for (size_t i = 0; i < t->channel_count; i++)
        close_channel(&old[i]);
    t->channel_count = spec->programme_count;
    return good;
}

static void warn_of_disk(struct transmit *t, const char *path)
{
    struct statfs status;
    if (t->control != NULL && statfs(path, &status) == 0 && status.f_type != TMPFS_MAGIC)
        control_log(t->control, "warning", "%s is not in memory: writing it back can make the stream falter", path);
}

/* The first spec opens what lives as long as the process. */
static bool open_stream(struct transmit *t, const struct spec *spec, struct control_error *error)
{
    t->journal = journal_open(spec->state, &t->resumed);
    if (t->journal == NULL) {
        control_fail(error, "failed", "/state", "can't open %s: %s", spec->state, strerror(errno));
        return false;
    }
    warn_of_disk(t, spec->state);
    if (t->resumed) {
        t->state = *journal_committed(t->journal);
    } else {
        t->state.mux.grid = (struct grid){.anchor = ticks_from_ns(clock_now()), .bitrate = spec->bitrate};
        if (getrandom(&t->state.rtp_ssrc, sizeof t->state.rtp_ssrc, 0) < 0)
            t->state.rtp_ssrc = (uint32_t)getpid();
    }
    t->tap = tap_new(t->loop, spec->tap, t->journal, &t->state.head);
    if (t->tap == NULL) {
        control_fail(error, "failed", "/tap", "can't serve %s: %s", spec->tap, strerror(errno));
        journal_close(t->journal, true);
        t->journal = NULL;
        return false;
    }
    t->mux = mux_new(&t->state.mux);
    t->sender = sender_new(t->journal);
    return t->mux != NULL && t->sender != NULL;
}

static json_t *changed_fields(const json_t *before, const json_t *after)
{
    json_t *changed = json_array();
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)after, key, value) {
        char pointer[64];
        snprintf(pointer, sizeof pointer, "/%s", key);
        if (before == NULL || !json_equal(json_object_get(before, key), value))
            json_array_append_new(changed, json_string(pointer));
    }
    return changed;
}

json_t *transmit_apply(struct transmit *t, const json_t *json, struct control_error *error)
{
    struct spec *spec = spec_parse(json, error);
    if (spec == NULL)
        return NULL;
    bool first = t->spec == NULL;
    if (!first && (strcmp(spec->state, t->spec->state) != 0 || strcmp(spec->tap, t->spec->tap) != 0)) {
        spec_free(spec);
        return control_fail(error, "unsupported", "/state", "the paths of state and tap can't change while running");
    }
    json_t *changed = changed_fields(first ? NULL : t->spec->json, spec->json);
    if (t->packets > 0)
        finish_datagram(t);
    if ((first && !open_stream(t, spec, error)) || !mux_apply(t->mux, spec) || !apply_channels(t, spec)) {
        if (error->code[0] == '\0')
            loop_quit(t->loop, EXIT_NO_RESOURCES);
        spec_free(spec);
        json_decref(changed);
        return error->code[0] != '\0' ? NULL : control_fail(error, "failed", "", "out of memory");
    }
    sender_apply(t->sender, spec, t->state.head);
    spec_free(t->spec);
    t->spec = spec;
    if (first)
        t->last_tick = clock_now();
    await_beat(t);
    return json_pack("{s:o, s:[]}", "live", changed, "rebuilt");
}

json_t *transmit_spec(struct transmit *t)
{
    return t->spec == NULL ? NULL : json_incref(t->spec->json);
}

json_t *transmit_stats(struct transmit *t)
{
    return t->figures.last == NULL ? json_object() : json_incref(t->figures.last);
}

void transmit_hand_over(struct transmit *t)
{
    t->handed_over = true;
}

void transmit_set_control(struct transmit *t, struct control *control)
{
    t->control = control;
}

struct transmit *transmit_new(struct loop *loop)
{
    struct transmit *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    struct analyser_options options = {0};
    t->loop = loop;
    t->analyser = analyser_new(&options);
    t->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (t->timer >= 0)
        t->timer_watch = loop_watch(loop, t->timer, EPOLLIN, tick, t);
    if (t->analyser == NULL || t->timer_watch == NULL || !figures_start(t)) {
        transmit_free(t);
        return NULL;
    }
    return t;
}

void transmit_free(struct transmit *t)
{
    if (t == NULL)
        return;
    figures_stop(t);
    for (size_t i = 0; i < t->channel_count; i++)
        close_channel(&t->channels[i]);
    if (t->timer_watch != NULL)
        loop_unwatch(t->timer_watch);
    if (t->timer >= 0)
        close(t->timer);
    tap_free(t->tap);
    sender_free(t->sender);
    mux_free(t->mux);
    journal_close(t->journal, t->handed_over);
    analyser_free(t->analyser);
    spec_free(t->spec);
    free(t);
}
