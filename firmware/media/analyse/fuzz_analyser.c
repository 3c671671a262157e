/* Any packets at any time: each record of the input is a byte that tells how much later it arrives (255: not
 * known) and a packet. Every section passes for undamaged, so that the tables behind the CRC are reached. */
#include <stdlib.h>

#include "analyser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_event(void *data, const struct analyser_event *event)
{
    uint64_t *sum = data;
    *sum += event->pid + (event->programme ? event->programme->count : 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t sum = 0;
    int64_t arrival = 0;
    struct analyser_options options = {.samples = true, .event = read_event, .data = &sum};
    struct analyser *a = analyser_new(&options);
    if (!a)
        return 0;
    for (size_t at = 0; at + 1 + ANALYSER_PACKET_SIZE <= size; at += 1 + ANALYSER_PACKET_SIZE) {
        arrival += (int64_t)(data[at] % 128) * data[at] * 100000;
        analyser_push(a, data + at + 1, data[at] == 255 ? -1 : arrival);
    }
    const struct analyser_pid *p;
    for (unsigned pid = 0; (p = analyser_pid(a, pid)); pid = p->pid + 1u) {
        const struct analyser_pcr *pcr = analyser_pcr(a, p->pid);
        const struct analyser_stream *s = analyser_stream(a, p->pid);
        struct analyser_jitter jitter;
        if (pcr && analyser_jitter(a, p->pid, &jitter))
            sum += jitter.samples + analyser_constant_rate(pcr);
        if (s && s->step_kinds > ANALYSER_STEPS_MAX)
            abort();
    }
    const struct analyser_programme *g;
    for (size_t i = 0; (g = analyser_programme(a, i)); i++)
        if (g->count > ANALYSER_STREAMS_MAX || g->name_size > sizeof g->name)
            abort();
    for (enum analyser_table t = 0; t < ANALYSER_TABLES; t++)
        sum += analyser_table(a, t).count;
    if (analyser_bitrate(a) < 0)
        abort();
    analyser_free(a);
    return 0;
}
