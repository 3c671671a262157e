/* The program's life: built in a side thread, put in the place of its predecessor without a lost unit,
 * watched, built anew when it breaks. */
#include <stdio.h>
#include <stdlib.h>

#include "host_internal.h"

#define KEY_INTERVAL (250 * NS_PER_MS) /* between two key frames that were asked for */
#define FAILS_AGAIN (10 * NS_PER_S)    /* a second failure within this time ends the process */
#define READY_TIME (500 * NS_PER_MS)   /* that a new program waits for a picture of its size */
#define READY_CHECK_MS 20
#define FINISH_TIME (500 * NS_PER_MS) /* that the successor waits for the last units */

struct build {
    struct host *host;
    struct spec *spec;
    unsigned generation;
    struct program *program;
    char reason[200];
};

struct finish {
    struct host *host;
    struct program *program;
};

static void free_job(void *data)
{
    program_free(data);
}

static void dispose(struct host *host, struct program *program)
{
    if (program != NULL && !crew_run(&host->crew, free_job, program))
        program_free(program);
}

/* The program that is fed is the one that the spec demands. */
static bool is_current(const struct host *host)
{
    return host->program != NULL && host->placed_generation == host->program_generation;
}

static void announce(struct host *host)
{
    /* A program that is about to be replaced has its own streams. */
    const struct spec *spec = is_current(host) ? host->spec : program_spec(host->program);
    feed_server_table(host->feed, &spec->table);
}

void program_refresh(struct host *host)
{
    char reason[200];
    if (!is_current(host))
        return;
    if (!program_set_properties(host->program, host->spec->live, reason, sizeof reason))
        control_log(host->control, "warning", "%s", reason);
}

void program_announce(struct host *host)
{
    if (is_current(host) && host->leaving == NULL)
        announce(host);
}

/* ---- succession ---- */

void program_succeed(struct host *host)
{
    if (host->leaving == NULL)
        return;
    program_close(host->leaving);
    host->leaving = NULL;
    announce(host);
    program_open(host->program);
}

void program_resume(struct host *host)
{
    if (host->program == NULL)
        return;
    announce(host);
    program_open(host->program);
}

static void finished(void *data)
{
    struct finish *finish = data;
    struct host *host = finish->host;
    /* Unless another change has brought it forward. */
    if (host->leaving == finish->program)
        program_succeed(host);
    dispose(host, finish->program);
    free(finish);
}

static void finish_job(void *data)
{
    struct finish *finish = data;
    program_finish(finish->program, FINISH_TIME);
    loop_post(finish->host->loop, finished, finish);
}

/* Feeds `program` from now on. What its predecessor has still in work comes out before its own units. */
static void put_in_place(struct host *host, struct program *program)
{
    program_succeed(host);
    host->leaving = store_swap_program(host->store, program);
    host->program = program;
    host->placed_generation = host->program_generation;
    /* Live properties may have changed since the build began. */
    program_refresh(host);
    struct finish *finish = host->leaving == NULL ? NULL : malloc(sizeof *finish);
    if (finish != NULL) {
        *finish = (struct finish){host, host->leaving};
        if (crew_run(&host->crew, finish_job, finish))
            return;
        free(finish);
    }
    struct program *before = host->leaving;
    if (before != NULL)
        program_close(before);
    host->leaving = NULL;
    announce(host);
    program_open(program);
    dispose(host, before);
}

/* ---- building ---- */

/* A program that is ready but overtaken goes unused. */
static void forget_ready(struct host *host)
{
    if (host->ready_timer != NULL)
        loop_timer_stop(host->ready_timer);
    host->ready_timer = NULL;
    dispose(host, host->ready);
    host->ready = NULL;
}

static void place_when_shown(void *data)
{
    struct host *host = data;
    if (!store_can_show(host->store, &program_spec(host->ready)->video) && clock_now() < host->ready_until)
        return;
    struct program *program = host->ready;
    host->ready = NULL;
    forget_ready(host);
    put_in_place(host, program);
}

static void program_failed(struct host *host, const char *reason);

/* When the size changes while a picture is on air, the source needs a moment to give one of the new size:
 * until then the old program goes on, so that no slate flashes up. */
static void built(void *data)
{
    struct build *build = data;
    struct host *host = build->host;
    if (build->generation != host->program_generation) {
        dispose(host, build->program);
    } else if (build->program == NULL) {
        program_failed(host, build->reason);
    } else if (host->program == NULL || store_can_show(host->store, &build->spec->video)) {
        put_in_place(host, build->program);
    } else {
        host->ready = build->program;
        host->ready_until = clock_now() + READY_TIME;
        host->ready_timer = loop_every(host->loop, READY_CHECK_MS, place_when_shown, host);
        if (host->ready_timer == NULL) {
            host->ready = NULL;
            put_in_place(host, build->program);
        }
    }
    spec_unref(build->spec);
    free(build);
}

static void push_unit(void *data, const struct feed_unit *unit)
{
    struct host *host = data;
    feed_server_push(host->feed, unit);
}

static void build_job(void *data)
{
    struct build *build = data;
    struct program_output output = {.data = build->host, .unit = push_unit};
    build->program = program_new(build->spec, true, &output, build->reason, sizeof build->reason);
    loop_post(build->host->loop, built, build);
}

void program_rebuild(struct host *host)
{
    forget_ready(host);
    struct build *build = calloc(1, sizeof *build);
    if (build != NULL) {
        *build = (struct build){host, spec_ref(host->spec), ++host->program_generation, NULL, ""};
        if (crew_run(&host->crew, build_job, build))
            return;
        spec_unref(build->spec);
        free(build);
    }
    control_log(host->control, "error", "no memory or thread to build the program with");
    loop_quit(host->loop, EXIT_NO_RESOURCES);
}

/* ---- watching ---- */

/* Once may be bad luck; twice in a row needs a fresh process. */
static void program_failed(struct host *host, const char *reason)
{
    int64_t now = clock_now();
    bool again = host->failed_at != 0 && now - host->failed_at < FAILS_AGAIN;
    control_log(host->control, "error", "the program failed: %s; %s", reason,
                again ? "ending" : "building it anew");
    host->failed_at = now;
    if (again)
        loop_quit(host->loop, EXIT_BROKEN);
    else
        program_rebuild(host);
}

/* Takes the program out of use; what it has in work is lost. */
static void take_away(struct host *host)
{
    program_succeed(host);
    struct program *program = store_swap_program(host->store, NULL);
    host->program = NULL;
    if (program != NULL)
        program_close(program);
    dispose(host, program);
}

void program_watch(struct host *host)
{
    char reason[200];
    if (host->key_wanted)
        program_want_key(host);
    if (host->program == NULL || program_check(host->program, clock_now(), reason, sizeof reason))
        return;
    /* A broken program takes no more pictures, which would only pile up. */
    take_away(host);
    program_failed(host, reason);
}

void program_want_key(void *data)
{
    struct host *host = data;
    int64_t now = clock_now();
    host->key_wanted = host->program != NULL && now - host->key_at < KEY_INTERVAL;
    if (host->program == NULL || host->key_wanted)
        return;
    host->key_at = now;
    program_force_key(host->program);
}

void program_stop(struct host *host)
{
    host->program_generation++;
    forget_ready(host);
    take_away(host);
}
