/* Time stamps of elementary streams (13818-1 clause 2.4.3.6): steps, repetition, lead over the PCR. */
#include "internal.h"

#define FLAG_PTS 0x80
#define FLAG_DTS 0x40

/* Reads a time stamp of 33 bits and checks its marker bits and prefix; −1 when they are wrong. */
static int64_t read_stamp(const uint8_t *p, int prefix)
{
    if (p[0] >> 4 != prefix || !(p[0] & p[2] & p[4] & 1))
        return -1;
    return (int64_t)(p[0] >> 1 & 7) << 30 | p[1] << 22 | (p[2] & 0xfe) << 14 | p[3] << 7 | p[4] >> 1;
}

static bool is_video_or_audio(uint8_t stream_id)
{
    return (stream_id >= 0xc0 && stream_id <= 0xef) || stream_id == 0xfd;
}

/* The streams that have neither PES header nor time stamps: table 2-21. */
static bool is_plain(uint8_t stream_id)
{
    return stream_id == 0xbc || stream_id == 0xbe || stream_id == 0xbf || stream_id == 0xf0 ||
           stream_id == 0xf1 || stream_id == 0xf2 || stream_id == 0xf8 || stream_id == 0xff;
}

void ana_lead(struct ana_stream *s, int64_t lead)
{
    if (!s->view.lead_known || lead < s->view.lead_min)
        s->view.lead_min = lead;
    s->view.lead_known = true;
}

static void count_step(struct analyser_stream *v, int64_t step)
{
    ana_span(&v->dts_step, step);
    v->backward += step <= 0;
    for (size_t i = 0; i < v->step_kinds; i++) {
        if (v->steps[i].step == step) {
            v->steps[i].count++;
            return;
        }
    }
    if (v->step_kinds == ANALYSER_STEPS_MAX) {
        v->other_steps++;
        return;
    }
    v->steps[v->step_kinds].step = step;
    v->steps[v->step_kinds++].count = 1;
}

void ana_pes(struct analyser *a, struct ana_pid *p, const uint8_t *payload, size_t size, bool start)
{
    struct ana_stream *s = p->stream;
    if (!start) {
        s->end = a->packet;
        return;
    }
    const struct ana_pid *clock_pid = a->pids[s->clock_pid];
    struct ana_clock *clock = clock_pid ? clock_pid->clock : NULL;
    if (s->open && clock)
        ana_mark(a, (struct ana_mark){.packet = s->end, .clock = clock, .stream = s, .dts = s->dts});
    s->end = a->packet;
    s->open = false;
    if (size < 14 || payload[0] || payload[1] || payload[2] != 1 || is_plain(payload[3]) ||
        !(payload[7] & FLAG_PTS))
        return;
    int64_t pts = read_stamp(payload + 9, payload[7] & FLAG_DTS ? 3 : 2), dts = pts;
    if (payload[7] & FLAG_DTS)
        dts = size < 19 ? -1 : read_stamp(payload + 14, 1);
    if (pts < 0 || dts < 0)
        return;
    s->view.units++;
    if (s->started) {
        ana_span(&s->view.pts_step, ana_wrap(pts - s->pts, STAMP_WRAP));
        count_step(&s->view, ana_wrap(dts - s->dts, STAMP_WRAP));
    }
    s->started = s->open = true;
    s->pts = pts;
    s->dts = dts;
    if (is_video_or_audio(payload[3])) {
        if (!s->timed)
            ana_watch_start(a, &s->watch, ANALYSER_PTS, p->view.pid, 700);
        s->timed = true;
        ana_mark(a, (struct ana_mark){.packet = a->packet, .clock = clock, .watch = &s->watch});
    }
}
