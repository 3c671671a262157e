#include "report.h"

#include <iconv.h>
#include <stdio.h>
#include <string.h>

#define MS(ticks) ((double)(ticks) / 27000)

static const char *codec(const struct analyser_entry *e)
{
    switch (e->type) {
    case 0x01: return "MPEG-1 video";
    case 0x02: return "MPEG-2 video";
    case 0x03: case 0x04: return "MPEG audio";
    case 0x0f: return "AAC";
    case 0x10: return "MPEG-4 video";
    case 0x11: return "AAC LATM";
    case 0x1b: return "H.264";
    case 0x24: return "H.265";
    case 0x81: return "AC-3";
    case 0x86: return "SCTE-35";
    case 0x87: return "E-AC-3";
    case 0x05: return "sections";
    case 0x06: break;
    default: return "other";
    }
    switch (e->descriptor) {
    case 0x56: return "teletext";
    case 0x59: return "subtitles";
    case 0x6a: return "AC-3";
    case 0x7a: return "E-AC-3";
    case 0x7c: return "AAC";
    default: return "private data";
    }
}

/* A DVB string (EN 300 468 annex A) as JSON; what cannot be converted is left out. */
static json_t *dvb_string(const uint8_t *bytes, size_t size)
{
    static const char *const tables[] = {"ISO-8859-5", "ISO-8859-6", "ISO-8859-7", "ISO-8859-8", "ISO-8859-9",
                                         "ISO-8859-10", "ISO-8859-11", "", "ISO-8859-13", "ISO-8859-14",
                                         "ISO-8859-15"};
    char set[16] = "ISO_6937", in[256], out[1024], *from = in, *to = out;
    size_t selector = 0;
    if (size && bytes[0] == 0x15) {
        selector = 1;
        snprintf(set, sizeof set, "UTF-8");
    } else if (size && bytes[0] >= 1 && bytes[0] <= 11) {
        selector = 1;
        snprintf(set, sizeof set, "%s", tables[bytes[0] - 1]);
    } else if (size >= 3 && bytes[0] == 0x10 && bytes[1] == 0) {
        selector = 3;
        snprintf(set, sizeof set, "ISO-8859-%d", bytes[2]);
    }
    size_t in_left = size - selector, out_left = sizeof out;
    memcpy(in, bytes + selector, in_left);
    iconv_t conversion = iconv_open("UTF-8", set);
    if (conversion == (iconv_t)-1)
        return json_string("");
    while (iconv(conversion, &from, &in_left, &to, &out_left) == (size_t)-1 && in_left && out_left) {
        from++;
        in_left--;
    }
    iconv(conversion, NULL, NULL, &to, &out_left);
    iconv_close(conversion);
    return json_stringn(out, sizeof out - out_left);
}

json_t *report_counters(const struct analyser *a)
{
    const struct analyser_counters *c = analyser_counters(a);
    json_t *object = json_object();
    for (enum analyser_check i = 0; i < ANALYSER_CHECKS; i++)
        json_object_set_new(object, analyser_check_name(i), json_integer((json_int_t)c->count[i]));
    return object;
}

static json_t *time_or_null(int64_t ns)
{
    return ns < 0 ? json_null() : json_integer(ns);
}

json_t *report_error(const struct analyser_event *e)
{
    json_t *object = json_pack("{s:s, s:s, s:i, s:o, s:I}", "event", "error",
                               "check", analyser_check_name(e->check), "pid", e->pid,
                               "time", time_or_null(e->arrival_ns), "packet", (json_int_t)e->packet);
    if (e->check == ANALYSER_CONTINUITY)
        json_object_set_new(object, "missing", json_integer(e->value));
    else if (e->check == ANALYSER_PCR_ACCURACY)
        json_object_set_new(object, "ns", json_integer(e->value));
    else if (e->value)
        json_object_set_new(object, "ms", json_real((double)e->value / 1e6));
    return object;
}

static json_t *entry_json(const struct analyser_entry *e)
{
    return json_pack("{s:i, s:i, s:s, s:s}", "pid", e->pid, "type", e->type, "codec", codec(e),
                     "language", e->language);
}

static json_t *entries_json(const struct analyser_programme *g)
{
    json_t *list = json_array();
    for (size_t i = 0; i < g->count; i++)
        json_array_append_new(list, entry_json(&g->streams[i]));
    return list;
}

json_t *report_pmt(const struct analyser_event *e)
{
    const struct analyser_programme *g = e->programme;
    return json_pack("{s:s, s:o, s:i, s:i, s:i, s:o}", "event", "pmt", "time", time_or_null(e->arrival_ns),
                     "programme", g->number, "version", g->version, "pcrPid", g->pcr_pid,
                     "streams", entries_json(g));
}

static json_t *span_ms(const struct analyser_span *s)
{
    return json_pack("{s:I, s:f, s:f, s:f}", "count", (json_int_t)s->count, "min", MS(s->min),
                     "mean", analyser_mean(s) / 27000, "max", MS(s->max));
}

static json_t *pcr_json(const struct analyser *a, uint16_t pid, const struct analyser_pcr *p)
{
    struct analyser_jitter j;
    json_t *object = json_pack("{s:i, s:b, s:o, s:I, s:b, s:I, s:I, s:f, s:I}", "pid", pid,
                               "referenced", p->referenced, "intervalMs", span_ms(&p->interval),
                               "discontinuities", (json_int_t)p->discontinuities,
                               "cbr", analyser_constant_rate(p), "windows", (json_int_t)p->windows,
                               "constantWindows", (json_int_t)p->constant_windows,
                               "bitrate", p->bitrate, "errorNs", (json_int_t)p->error_ns);
    if (analyser_jitter(a, pid, &j))
        json_object_set_new(object, "jitterUs", json_pack("{s:I, s:f, s:f, s:f, s:f}",
                            "samples", (json_int_t)j.samples, "p1", j.p1 / 1e3, "p50", j.p50 / 1e3,
                            "p99", j.p99 / 1e3, "driftPpm", j.drift_ppm));
    return object;
}

static json_t *step_json(const struct analyser_span *s)
{
    return json_pack("{s:I, s:f, s:I}", "min", (json_int_t)s->min, "mean", analyser_mean(s),
                     "max", (json_int_t)s->max);
}

/* Steps in 90 kHz as sent; lead in ms, null when no unit was complete. */
static json_t *stream_json(const struct analyser_stream *s)
{
    json_t *object = entry_json(&s->entry), *steps = json_object();
    for (size_t i = 0; i < s->step_kinds; i++) {
        char key[24];
        snprintf(key, sizeof key, "%lld", (long long)s->steps[i].step);
        json_object_set_new(steps, key, json_integer((json_int_t)s->steps[i].count));
    }
    json_t *times = json_pack("{s:I, s:o, s:o, s:o, s:I, s:I, s:o}", "units", (json_int_t)s->units,
                              "dtsStep", step_json(&s->dts_step), "ptsStep", step_json(&s->pts_step),
                              "steps", steps,
                              "otherSteps", (json_int_t)s->other_steps, "backward", (json_int_t)s->backward,
                              "leadMinMs", s->lead_known ? json_real(MS(s->lead_min)) : json_null());
    json_object_update_new(object, times);
    return object;
}

void report_stream(json_t *report, const struct analyser *a)
{
    static const char *const tables[ANALYSER_TABLES] = {"pat", "pmt", "sdt", "nit", "tdt"};
    json_t *pids = json_array(), *pcrs = json_array(), *streams = json_array(), *programmes = json_array(),
           *intervals = json_object();
    uint64_t packets = analyser_packets(a);
    double rate = packets ? analyser_bitrate(a) / (double)packets : 0;
    const struct analyser_pid *p;
    for (unsigned pid = 0; (p = analyser_pid(a, pid)); pid = p->pid + 1u) {
        json_array_append_new(pids, json_pack("{s:i, s:I, s:f, s:I, s:I, s:I}", "pid", p->pid, "packets",
                              (json_int_t)p->packets, "bitrate", rate * (double)p->packets, "continuity",
                              (json_int_t)p->continuity, "duplicates", (json_int_t)p->duplicates,
                              "scrambled", (json_int_t)p->scrambled));
        if (analyser_pcr(a, p->pid))
            json_array_append_new(pcrs, pcr_json(a, p->pid, analyser_pcr(a, p->pid)));
        if (analyser_stream(a, p->pid))
            json_array_append_new(streams, stream_json(analyser_stream(a, p->pid)));
    }
    const struct analyser_programme *g;
    for (size_t i = 0; (g = analyser_programme(a, i)); i++)
        json_array_append_new(programmes, json_pack("{s:i, s:i, s:i, s:i, s:I, s:o, s:o, s:o}",
                              "number", g->number,
                              "pmtPid", g->pmt_pid, "pcrPid", g->pcr_pid, "version", g->version, "changes",
                              (json_int_t)g->changes, "name", dvb_string(g->name, g->name_size), "provider",
                              dvb_string(g->provider, g->provider_size), "streams", entries_json(g)));
    for (enum analyser_table t = 0; t < ANALYSER_TABLES; t++) {
        struct analyser_span span = analyser_table(a, t);
        json_object_set_new(intervals, tables[t], span_ms(&span));
    }
    json_object_update_new(report, json_pack("{s:I, s:f, s:o, s:o, s:o, s:o, s:o, s:o}", "packets",
                           (json_int_t)packets, "bitrate", analyser_bitrate(a),
                           "tr101290", report_counters(a), "pcr", pcrs, "tables", intervals,
                           "programmes", programmes, "pids", pids, "streams", streams));
}
