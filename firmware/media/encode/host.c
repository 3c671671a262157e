#include "host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_internal.h"
#include "picture.h"

#define FEED_QUEUE (16u * 1024 * 1024) /* bytes that may wait for a reader */
#define CREW_MAX 24                    /* threads that hang; with more there is no going on */
#define END_TIME (2 * NS_PER_S)

/* ---- the loss picture ---- */

struct drawing {
    struct host *host;
    struct spec *spec;
    unsigned generation;
    GstBuffer *picture;
    char fault[240];
};

static void drawn(void *data)
{
    struct drawing *drawing = data;
    struct host *host = drawing->host;
    if (drawing->fault[0] != '\0')
        control_log(host->control, "warning", "%s", drawing->fault);
    if (drawing->generation == host->picture_generation && drawing->picture != NULL)
        store_set_loss_picture(host->store, drawing->picture, &drawing->spec->video);
    else
        g_clear_pointer(&drawing->picture, gst_buffer_unref);
    spec_unref(drawing->spec);
    free(drawing);
}

static void draw_job(void *data)
{
    struct drawing *drawing = data;
    drawing->picture = picture_of_loss(&drawing->spec->video, &drawing->spec->loss, drawing->fault,
                                       sizeof drawing->fault);
    loop_post(drawing->host->loop, drawn, drawing);
}

static void draw_picture(struct host *host, bool format_changed)
{
    if (format_changed)
        store_set_loss_picture(host->store, picture_black(&host->spec->video), &host->spec->video);
    struct drawing *drawing = calloc(1, sizeof *drawing);
    if (drawing == NULL)
        return;
    *drawing = (struct drawing){host, spec_ref(host->spec), ++host->picture_generation, NULL, ""};
    if (crew_run(&host->crew, draw_job, drawing))
        return;
    spec_unref(drawing->spec);
    free(drawing);
}

/* ---- source, preview, feed ---- */

static void restart_source(struct host *host)
{
    if (host->source != NULL) {
        struct source_info info;
        source_info(host->source, &info);
        host->rebuilds += info.rebuilds + 1;
        source_stop(host->source);
        host->source = NULL;
    }
    if (!host->spec->source.present)
        return;
    host->source = source_start(host->store, &host->crew, host->spec);
    if (host->source == NULL)
        control_log(host->control, "error", "no memory or thread to start the source with");
}

static void free_preview_job(void *data)
{
    preview_free(data);
}

static void restart_preview(struct host *host)
{
    struct preview *before = host->preview;
    host->preview = host->spec->preview.present ? preview_new(&host->spec->preview) : NULL;
    store_swap_preview(host->store, host->preview);
    if (before != NULL && !crew_run(&host->crew, free_preview_job, before))
        preview_free(before);
}

/* The program's threads use the feed, so nothing is let out while it is exchanged. */
static bool move_feed(struct host *host, const struct spec *spec, struct control_error *error)
{
    struct feed_server *feed = feed_server_new(host->loop, spec->feed, FEED_QUEUE, program_want_key, host);
    if (feed == NULL) {
        control_fail(error, "failed", "/feed", "/feed %s cannot be served: %s", spec->feed, strerror(errno));
        return false;
    }
    program_succeed(host);
    if (host->program != NULL)
        program_close(host->program);
    feed_server_free(host->feed);
    host->feed = feed;
    program_resume(host);
    return true;
}

/* ---- control ---- */

static json_t *apply(struct host *host, const json_t *params, struct control_error *error)
{
    struct spec *spec = spec_parse(json_object_get(params, "spec"), error), *before = host->spec;
    if (spec == NULL)
        return NULL;
    struct spec_change change = spec_compare(before, spec);
    if (change.feed && !move_feed(host, spec, error)) {
        json_decref(change.live);
        json_decref(change.rebuilt);
        spec_unref(spec);
        return NULL;
    }
    host->spec = spec;
    store_configure(host->store, spec);
    if (change.source)
        restart_source(host);
    if (change.program)
        program_rebuild(host);
    if (change.picture)
        draw_picture(host, before == NULL || before->video.width != spec->video.width ||
                               before->video.height != spec->video.height ||
                               before->video.format != spec->video.format);
    if (change.properties)
        program_refresh(host);
    if (change.table)
        program_announce(host);
    if (change.preview)
        restart_preview(host);
    spec_unref(before);
    return json_pack("{s:o, s:o}", "live", change.live, "rebuilt", change.rebuilt);
}

/** {levels}: whether levels are sent. Nobody who does not show them has to be woken for them. */
static json_t *watch(struct host *host, const json_t *params, struct control_error *error)
{
    const json_t *levels = json_object_get(params, "levels");
    if (!json_is_boolean(levels))
        return control_fail(error, "invalid", "/levels", "must be true or false");
    host->levels_watched = json_is_true(levels);
    return json_object();
}

static json_t *request(void *data, const char *method, const json_t *params, struct control_error *error)
{
    struct host *host = data;
    if (strcmp(method, "apply") == 0)
        return apply(host, params, error);
    if (strcmp(method, "stats") == 0)
        return report_stats(host, false);
    if (strcmp(method, "watch") == 0)
        return watch(host, params, error);
    if (strcmp(method, "keyframe") != 0)
        return control_fail(error, "unknown-method", "", "there is no method \"%.40s\"", method);
    program_want_key(host);
    return json_object();
}

static json_t *current_spec(void *data)
{
    const struct host *host = data;
    return host->spec == NULL ? NULL : json_incref(host->spec->json);
}

/* ---- health ---- */

static void check_source(struct host *host)
{
    struct source_info info = {.hangs = false};
    if (host->source != NULL)
        source_info(host->source, &info);
    if (!info.hangs)
        return;
    control_log(host->control, "warning", "the source hangs; starting another one");
    restart_source(host);
    if (crew_busy(&host->crew) > CREW_MAX)
        loop_quit(host->loop, EXIT_NO_RESOURCES);
}

static void every_tenth(void *data)
{
    struct host *host = data;
    program_watch(host);
    check_source(host);
    json_t *levels = host->levels_watched ? report_levels(host) : NULL;
    if (levels != NULL)
        control_event(host->control, levels);
}

static void every_second(void *data)
{
    struct host *host = data;
    if (host->spec != NULL)
        control_event(host->control, report_stats(host, true));
}

static void tell_source(void *data)
{
    struct host *host = data;
    struct store_stats stats;
    store_stats(host->store, &stats);
    if (stats.state == host->told)
        return;
    host->told = stats.state;
    control_event(host->control, report_source(host, stats.state));
}

static void on_state(void *data)
{
    struct host *host = data;
    loop_post(host->loop, tell_source, host);
}

struct host *host_new(struct loop *loop, const char *socket, int orphan_seconds)
{
    struct host *host = calloc(1, sizeof *host);
    if (host == NULL)
        return NULL;
    host->loop = loop;
    crew_init(&host->crew);
    host->store = store_new(&(struct store_events){.data = host, .state = on_state});
    if (host->store == NULL) {
        free(host);
        errno = ENOMEM;
        return NULL;
    }
    struct control_handler handler = {
        .role = "encode", .data = host, .request = request, .spec = current_spec};
    host->control = control_new(loop, socket, orphan_seconds, &handler);
    if (host->control != NULL) {
        host->tenth = loop_every(loop, 100, every_tenth, host);
        host->second = loop_every(loop, 1000, every_second, host);
        if (host->tenth != NULL && host->second != NULL)
            return host;
    }
    int reason = errno;
    host_free(host);
    errno = reason;
    return NULL;
}

/* Waits for what the crew has in work, and takes its results, which nobody wants any more. */
static bool dismiss_crew(struct host *host, int64_t deadline)
{
    /* Before the first spec there was no work. */
    while (host->spec != NULL) {
        if (!crew_wait(&host->crew, deadline))
            return false;
        /* The loop has ended: it runs what was posted, which may be new work, and returns. */
        loop_run(host->loop);
        if (crew_busy(&host->crew) == 0)
            return true;
    }
    return true;
}

bool host_free(struct host *host)
{
    if (host->tenth != NULL)
        loop_timer_stop(host->tenth);
    if (host->second != NULL)
        loop_timer_stop(host->second);
    host->picture_generation++;
    program_stop(host);
    source_stop(host->source);
    store_swap_preview(host->store, NULL);
    if (host->preview != NULL && !crew_run(&host->crew, free_preview_job, host->preview))
        preview_free(host->preview);
    if (!dismiss_crew(host, clock_now() + END_TIME))
        return false;
    control_free(host->control);
    if (host->feed != NULL)
        feed_server_free(host->feed);
    store_free(host->store);
    crew_clear(&host->crew);
    spec_unref(host->spec);
    free(host);
    return true;
}
