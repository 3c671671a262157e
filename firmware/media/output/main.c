/* output --socket PATH [--orphan-seconds N]
 *
 * Brings a channel's transport stream from transmit's tap to one SRT link. It may die at any time: nothing
 * but its own link depends on it. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "control.h"
#include "loop.h"
#include "spec.h"
#include "srt_link.h"
#include "tap.h"

/* Longer than a restart of transmit takes, which is no news. */
#define STARVED_NS NS_PER_S

struct output {
    struct loop *loop;
    struct control *control;
    struct tap *tap;
    struct srt_link *link;
    bool applied;
    struct output_spec spec;
    json_t *spec_json;
    bool starved;
    const char *state; /* as last told */
    char detail[720];
    int64_t measured_at;
    uint64_t measured_bytes;
    int64_t bitrate; /* bit/s in the last second */
};

static const char *const state_names[] = {
    [SRT_LINK_CONNECTING] = "connecting",
    [SRT_LINK_LISTENING] = "listening",
    [SRT_LINK_CONNECTED] = "connected",
    [SRT_LINK_FAILED] = "failed",
};

/* Tells state and detail when they are news. */
static void tell(void *data)
{
    struct output *output = data;
    struct srt_link_status status = srt_link_status(output->link);
    const char *state = output->starved ? "waiting" : state_names[status.state];
    char detail[sizeof output->detail];
    snprintf(detail, sizeof detail, "%s%s", output->starved ? "no transport stream from the channel; " : "",
             status.detail);
    if (output->state == state && strcmp(output->detail, detail) == 0)
        return;
    output->state = state;
    memcpy(output->detail, detail, sizeof detail);
    control_event(output->control,
                  json_pack("{s:s, s:s, s:s}", "event", "output", "state", state, "detail", detail));
}

static void take_datagram(void *data, const uint8_t *datagram)
{
    struct output *output = data;
    srt_link_send(output->link, datagram);
    if (output->starved) {
        output->starved = false;
        tell(output);
    }
}

static json_t *stats(struct output *output)
{
    struct srt_link_status status = srt_link_status(output->link);
    return json_pack("{s:s, s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:f, s:I}", "event", "stats",
                     "state", output->state,
                     "detail", output->detail,
                     "peers", (int)status.peers,
                     "bitrate", (json_int_t)output->bitrate,
                     "bytes", (json_int_t)status.bytes,
                     "dropped", (json_int_t)status.dropped,
                     "retransmitted", (json_int_t)status.retransmitted,
                     "rttMs", status.rtt_ms,
                     "reconnects", (json_int_t)status.reconnects);
}

static void each_second(void *data)
{
    struct output *output = data;
    int64_t now = clock_now();
    uint64_t bytes = srt_link_status(output->link).bytes;
    double seconds = (double)(now - output->measured_at) / (double)NS_PER_S;
    output->bitrate = (int64_t)((double)(bytes - output->measured_bytes) * 8 / seconds);
    output->measured_at = now;
    output->measured_bytes = bytes;
    if (output->applied) {
        output->starved = now - tap_last_data(output->tap) > STARVED_NS;
        tell(output);
    }
    control_event(output->control, stats(output));
}

static json_t *apply(struct output *output, const json_t *json, struct control_error *error)
{
    struct output_spec spec;
    if (!spec_parse(json, &spec, error))
        return NULL;
    json_t *copy = json_deep_copy(json);
    json_t *live = json_array(), *rebuilt = json_array();
    if (output->applied)
        spec_difference(&output->spec, &spec, live, rebuilt);
    else
        json_array_append_new(rebuilt, json_string(""));
    bool new_tap = !output->applied || strcmp(output->spec.tap, spec.tap) != 0;
    bool new_link = !output->applied || !spec_same_link(&output->spec, &spec);
    output->applied = true;
    output->spec = spec;
    json_decref(output->spec_json);
    output->spec_json = copy;
    if (new_tap)
        tap_open(output->tap, spec.tap);
    if (new_link)
        srt_link_open(output->link, &spec);
    return json_pack("{s:o, s:o}", "live", live, "rebuilt", rebuilt);
}

static json_t *request(void *data, const char *method, const json_t *params, struct control_error *error)
{
    struct output *output = data;
    if (strcmp(method, "apply") == 0)
        return apply(output, json_object_get(params, "spec"), error);
    if (strcmp(method, "stats") == 0)
        return stats(output);
    return control_fail(error, "unknown-method", "", "output has no method \"%.40s\"", method);
}

static json_t *current_spec(void *data)
{
    struct output *output = data;
    return json_incref(output->spec_json);
}

static void terminate(void *data)
{
    struct output *output = data;
    loop_quit(output->loop, EXIT_ORDERLY);
}

static int open_control(struct output *output, const char *path, int orphan_s)
{
    const struct control_handler handler = {
        .role = "output", .data = output, .request = request, .spec = current_spec};
    output->control = control_new(output->loop, path, orphan_s, &handler);
    if (output->control != NULL)
        return EXIT_ORDERLY;
    int reason = errno;
    fprintf(stderr, "output: cannot serve %s: %s\n", path, strerror(reason));
    return reason == EADDRINUSE ? EXIT_SOCKET_BUSY
           : reason == ENOMEM   ? EXIT_NO_RESOURCES
                                : EXIT_BAD_ARGUMENTS;
}

static int run(const char *path, int orphan_s)
{
    struct output output = {
        .state = "waiting", .detail = "no spec yet", .measured_at = clock_now(), .loop = loop_new()};
    struct loop_timer *second = NULL;
    int code = EXIT_NO_RESOURCES;
    if (output.loop == NULL || !loop_on_terminate(output.loop, terminate, &output))
        goto out;
    code = open_control(&output, path, orphan_s);
    if (code != EXIT_ORDERLY)
        goto out;
    output.link = srt_link_new(output.loop, tell, &output);
    output.tap = tap_new(output.loop, take_datagram, &output);
    second = loop_every(output.loop, 1000, each_second, &output);
    if (output.link == NULL || output.tap == NULL || second == NULL)
        code = EXIT_NO_RESOURCES;
    else
        code = loop_run(output.loop);
out:
    if (second != NULL)
        loop_timer_stop(second);
    tap_free(output.tap);
    srt_link_free(output.link);
    control_free(output.control);
    json_decref(output.spec_json);
    loop_free(output.loop);
    return code;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'}, {"orphan-seconds", required_argument, NULL, 'o'}, {0}};
    const char *path = NULL;
    char *end = "";
    long orphan_s = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 's')
            path = optarg;
        else if (option == 'o')
            orphan_s = strtol(optarg, &end, 10);
        else
            return EXIT_BAD_ARGUMENTS;
    }
    if (path == NULL || optind != argc || *end != '\0' || orphan_s < 0 || orphan_s > 86400) {
        fprintf(stderr, "usage: output --socket PATH [--orphan-seconds 0…86400]\n");
        return EXIT_BAD_ARGUMENTS;
    }
    return run(path, (int)orphan_s);
}
