/* The whole process, as its peers see it: a control client and a feed reader beside `encode` itself,
 * while sources change mode, vanish and come back, the program is rebuilt, and the process is stopped.
 *
 *   test_encode_process PATH-OF-ENCODE */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "control.h"
#include "feed.h"
#include "grid.h"

#define UNITS_MAX 8192
#define PATIENCE (20 * NS_PER_S) /* with sanitizers on a busy machine */

static const struct rate rates[] = {{25, 1}, {48000, 1024}};

struct unit {
    uint8_t stream;
    bool key;
    int table; /* how many tables came before */
    int64_t pts, dts;
};

struct bench {
    char folder[64], socket[96], feed[96];
    pid_t encode;
    int control;
    FILE *answers;
    int requests;
    int levels; /* events of them */
    char state[16];
    int64_t overload; /* pictures that the process says it skipped */

    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    int tables;
    size_t count;
    struct unit units[UNITS_MAX];
};

/* ---- peers ---- */

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    for (int64_t end = clock_now() + PATIENCE; clock_now() < end;) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
            return fd;
        close(fd);
        clock_sleep_until(clock_now() + 5 * NS_PER_MS);
    }
    CHECK(!"a socket to connect to");
    return -1;
}

static pid_t run(const char *const arguments[])
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        execv(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    return pid;
}

static int wait_for(pid_t pid)
{
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void on_table(void *data, const struct feed_table *table)
{
    struct bench *bench = data;
    CHECK_EQ_INT(table->count, 2);
    pthread_mutex_lock(&bench->lock);
    bench->tables++;
    pthread_mutex_unlock(&bench->lock);
}

static void on_unit(void *data, const struct feed_unit *unit)
{
    struct bench *bench = data;
    pthread_mutex_lock(&bench->lock);
    CHECK(bench->count < UNITS_MAX);
    bench->units[bench->count++] = (struct unit){unit->stream, (unit->flags & FEED_KEY) != 0, bench->tables,
                                                 unit->pts, unit->dts};
    pthread_mutex_unlock(&bench->lock);
}

static void *read_feed(void *data)
{
    struct bench *bench = data;
    static uint8_t bytes[65536];
    int fd = connect_to(bench->feed);
    struct feed_parser *parser = feed_parser_new(&(struct feed_sink){bench, on_table, on_unit});
    for (ssize_t got; (got = read(fd, bytes, sizeof bytes)) > 0;)
        CHECK(feed_parser_push(parser, bytes, (size_t)got));
    feed_parser_free(parser);
    close(fd);
    return NULL;
}

/* The answer to a request; source events that come before it are noted, those of levels counted. */
static json_t *call(struct bench *bench, const char *method, json_t *params)
{
    int id = ++bench->requests;
    json_t *request = json_pack("{s:i, s:s, s:o}", "id", id, "method", method, "params",
                                params == NULL ? json_object() : params);
    char *text = json_dumps(request, JSON_COMPACT), *line = NULL;
    dprintf(bench->control, "%s\n", text);
    free(text);
    json_decref(request);
    json_t *answer = NULL;
    for (size_t size = 0; answer == NULL && getline(&line, &size, bench->answers) > 0;) {
        json_t *message = json_loads(line, 0, NULL);
        CHECK(message != NULL);
        const char *event = json_string_value(json_object_get(message, "event"));
        if (event != NULL && strcmp(event, "source") == 0)
            snprintf(bench->state, sizeof bench->state, "%s",
                     json_string_value(json_object_get(message, "state")));
        if (event != NULL && strcmp(event, "levels") == 0)
            bench->levels++;
        if (json_integer_value(json_object_get(message, "id")) == id)
            answer = json_incref(message);
        json_decref(message);
    }
    free(line);
    CHECK(answer != NULL);
    return answer;
}

static json_t *apply(struct bench *bench, json_t *spec)
{
    json_t *answer = call(bench, "apply", json_pack("{s:O}", "spec", spec));
    json_t *result = json_incref(json_object_get(answer, "result"));
    CHECK(result != NULL);
    json_decref(answer);
    return result;
}

static void await_state(struct bench *bench, const char *state)
{
    for (int64_t end = clock_now() + PATIENCE; strcmp(bench->state, state) != 0;) {
        CHECK(clock_now() < end);
        clock_sleep_until(clock_now() + 20 * NS_PER_MS);
        json_decref(call(bench, "ping", NULL));
    }
}

static size_t units_of(struct bench *bench, int stream)
{
    size_t count = 0;
    pthread_mutex_lock(&bench->lock);
    for (size_t i = 0; i < bench->count; i++)
        count += bench->units[i].stream == stream;
    pthread_mutex_unlock(&bench->lock);
    return count;
}

static void await_units(struct bench *bench, size_t more)
{
    size_t wanted = units_of(bench, 0) + more;
    for (int64_t end = clock_now() + PATIENCE; units_of(bench, 0) < wanted;) {
        CHECK(clock_now() < end);
        clock_sleep_until(clock_now() + 20 * NS_PER_MS);
    }
}

/* ---- specs ---- */

static json_t *source_of(int width, int height, const char *rate, bool interlaced, int to_width,
                         int to_height)
{
    char launch[1200];
    snprintf(launch, sizeof launch,
             "videotestsrc is-live=true ! video/x-raw,format=I420,width=%d,height=%d,framerate=%s%s"
             " ! identity name=stamp ! identity name=mode ! deinterlace ! videoconvertscale"
             " ! video/x-raw,format=I420,width=%d,height=%d,pixel-aspect-ratio=1/1 ! appsink name=video"
             " audiotestsrc is-live=true samplesperbuffer=480 ! audioconvert ! audioresample"
             " ! audio/x-raw,format=S16LE,rate=48000,channels=2,layout=interleaved ! appsink name=audio",
             width, height, rate, interlaced ? ",interlace-mode=interleaved" : "", to_width, to_height);
    return json_pack("{s:s, s:i, s:b, s:b}", "launch", launch, "latencyMs", 40, "stamp", 1, "loop", 0);
}

static json_t *spec_of(const struct bench *bench, int width, int height)
{
    char preview[128];
    snprintf(preview, sizeof preview, "%s/preview.jpg", bench->folder);
    json_t *program = json_pack(
        "{s:s, s:{s:{s:i}}}", "launch",
        "appsrc name=video ! x264enc name=venc tune=zerolatency speed-preset=ultrafast key-int-max=25"
        " ! h264parse config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au"
        " ! appsink name=out0"
        " appsrc name=audio0 ! audioconvert ! avenc_aac ! aacparse ! audio/mpeg,stream-format=adts"
        " ! appsink name=out1",
        "live", "venc", "bitrate", 500);
    json_t *streams = json_pack("[{s:s, s:[i,i], s:i}, {s:s, s:[i,i], s:i}]", "codec", "h264", "rate", 25, 1,
                                "bitrate", 500000, "codec", "aac", "rate", 48000, 1024, "bitrate", 128000);
    return json_pack("{s:s, s:o, s:{s:i, s:i, s:[i,i], s:s}, s:[{s:i, s:i}], s:{s:i, s:s, s:s, s:s}, s:o, "
                     "s:o, s:s, s:{s:s, s:i, s:i}}",
                     "channel", "test", "source", source_of(320, 180, "25/1", false, width, height), "video",
                     "width", width, "height", height, "rate", 25, 1, "format", "I420", "audio", "channels",
                     2, "delayMs", 0, "loss", "holdMs", 200, "picture", "slate", "text", "A & <b>", "image",
                     "", "program", program, "streams", streams, "feed", bench->feed, "preview", "file",
                     preview, "width", 160, "height", 90);
}

/* ---- what must hold ---- */

/* Neither stream ever misses a step, also where programs change over, but for the pictures that the process
 * says it skipped since the encoder could not keep up (with sanitizers on a busy machine). */
static void check_steps(struct bench *bench)
{
    int64_t skipped = 0;
    pthread_mutex_lock(&bench->lock);
    CHECK(bench->count > 0);
    for (int stream = 0; stream < 2; stream++) {
        const struct unit *last = NULL;
        for (size_t i = 0; i < bench->count; i++) {
            const struct unit *unit = &bench->units[i];
            if (unit->stream != stream)
                continue;
            int64_t n = grid_nearest(unit->pts, rates[stream]);
            CHECK_EQ_INT(unit->pts, grid_time(n, rates[stream]));
            CHECK(unit->pts >= unit->dts);
            CHECK(unit->key || (last != NULL && last->table == unit->table));
            int64_t steps = last == NULL ? 1 : n - grid_nearest(last->pts, rates[stream]);
            CHECK(steps == 1 || (steps > 1 && stream == 0));
            skipped += steps - 1;
            last = unit;
        }
    }
    pthread_mutex_unlock(&bench->lock);
    CHECK_EQ_INT(skipped, bench->overload);
}

static void starts(struct bench *bench, const char *encode)
{
    int64_t begin = clock_now();
    bench->encode = run(
        (const char *const[]){encode, "--socket", bench->socket, "--orphan-seconds", "60", NULL});
    bench->control = connect_to(bench->socket);
    bench->answers = fdopen(dup(bench->control), "r");
    json_t *spec = spec_of(bench, 320, 180);
    json_decref(apply(bench, spec));
    CHECK(pthread_create(&bench->thread, NULL, read_feed, bench) == 0);
    await_units(bench, 1);
    printf("first access unit %d ms after the start\n", (int)((clock_now() - begin) / NS_PER_MS));
    await_state(bench, "live");
    json_t *same = apply(bench, spec);
    CHECK_EQ_INT(json_array_size(json_object_get(same, "live")), 0);
    CHECK_EQ_INT(json_array_size(json_object_get(same, "rebuilt")), 0);
    json_decref(same);
    json_decref(spec);
}

static void refuses_nonsense(struct bench *bench, const char *encode)
{
    json_t *spec = spec_of(bench, 320, 180);
    json_object_set_new(json_object_get(spec, "video"), "width", json_integer(321));
    json_t *answer = call(bench, "apply", json_pack("{s:o}", "spec", spec));
    json_t *error = json_object_get(answer, "error");
    CHECK(strcmp(json_string_value(json_object_get(error, "field")), "/video/width") == 0);
    json_decref(answer);
    pid_t second = run((const char *const[]){encode, "--socket", bench->socket, NULL});
    CHECK_EQ_INT(wait_for(second), EXIT_SOCKET_BUSY);
}

static void source_changes_mode(struct bench *bench)
{
    static const struct {
        int width, height;
        const char *rate;
        bool interlaced;
    } modes[] = {{320, 180, "50/1", false},
                 {480, 270, "25/1", true},
                 {180, 144, "25/1", true},
                 {180, 120, "60000/1001", false}};
    for (int i = 0; i < 8; i++) {
        json_t *spec = spec_of(bench, 320, 180);
        int m = i % 4;
        json_object_set_new(
            spec, "source",
            source_of(modes[m].width, modes[m].height, modes[m].rate, modes[m].interlaced, 320, 180));
        json_decref(apply(bench, spec));
        json_decref(spec);
        await_units(bench, 8);
    }
    await_state(bench, "live");
    json_t *stats = call(bench, "stats", NULL),
           *source = json_object_get(json_object_get(stats, "result"), "source");
    CHECK_EQ_INT(json_integer_value(json_object_get(source, "height")), 120);
    CHECK(strcmp(json_string_value(json_object_get(source, "scan")), "progressive") == 0);
    json_decref(stats);
}

static void source_vanishes_and_returns(struct bench *bench)
{
    json_t *spec = spec_of(bench, 320, 180);
    json_t *live = json_incref(json_object_get(spec, "source"));
    json_t *broken = json_deep_copy(live);
    json_object_set_new(broken, "launch", json_string("videotestsrc num-buffers=5 ! nothing"));
    json_object_set_new(spec, "source", broken);
    json_decref(apply(bench, spec));
    await_state(bench, "lost");
    await_units(bench, 5);
    json_object_set_new(spec, "source", live);
    json_decref(apply(bench, spec));
    await_state(bench, "live");
    json_decref(spec);
}

static void program_is_exchanged(struct bench *bench)
{
    for (int i = 0; i < 4; i++) {
        json_t *spec = i % 2 == 0 ? spec_of(bench, 480, 270) : spec_of(bench, 320, 180);
        json_decref(apply(bench, spec));
        json_decref(spec);
        int64_t end = clock_now() + PATIENCE;
        for (int tables = 0; tables < i + 2;) {
            CHECK(clock_now() < end);
            clock_sleep_until(clock_now() + 20 * NS_PER_MS);
            pthread_mutex_lock(&bench->lock);
            tables = bench->tables;
            pthread_mutex_unlock(&bench->lock);
        }
        await_units(bench, 10);
    }
}

static void stall_is_caught_up_with(struct bench *bench)
{
    kill(bench->encode, SIGSTOP);
    clock_sleep_until(clock_now() + NS_PER_S);
    kill(bench->encode, SIGCONT);
    await_units(bench, 35);
}

static void sends_levels_when_asked(struct bench *bench)
{
    CHECK_EQ_INT(bench->levels, 0);
    json_t *answer = call(bench, "watch", json_pack("{s:s}", "levels", "loud"));
    CHECK(json_object_get(answer, "error") != NULL);
    json_decref(answer);
    json_decref(call(bench, "watch", json_pack("{s:b}", "levels", true)));
    for (int64_t end = clock_now() + PATIENCE; bench->levels < 3;) {
        CHECK(clock_now() < end);
        clock_sleep_until(clock_now() + 20 * NS_PER_MS);
        json_decref(call(bench, "ping", NULL));
    }
    json_decref(call(bench, "watch", json_pack("{s:b}", "levels", false)));
    int sent = bench->levels;
    clock_sleep_until(clock_now() + 300 * NS_PER_MS);
    json_decref(call(bench, "ping", NULL));
    CHECK_EQ_INT(bench->levels, sent);
}

static void ends_in_order(struct bench *bench)
{
    char path[128];
    struct stat status;
    snprintf(path, sizeof path, "%s/preview.jpg", bench->folder);
    CHECK(stat(path, &status) == 0 && status.st_size > 500);
    json_decref(call(bench, "keyframe", NULL));
    json_t *stats = call(bench, "stats", NULL);
    json_t *video = json_object_get(json_object_get(stats, "result"), "video");
    bench->overload = json_integer_value(json_object_get(video, "overload"));
    json_decref(stats);
    json_decref(call(bench, "quit", NULL));
    CHECK_EQ_INT(wait_for(bench->encode), EXIT_ORDERLY);
    unlink(path);
    pthread_join(bench->thread, NULL);
    fclose(bench->answers);
    close(bench->control);
}

/* ---- the slate clip ---- */

static void clip_is_whole(struct bench *bench, const char *encode)
{
    char spec_path[128], clip_path[128];
    static uint8_t bytes[4 * 1024 * 1024];
    snprintf(spec_path, sizeof spec_path, "%s/spec.json", bench->folder);
    snprintf(clip_path, sizeof clip_path, "%s/clip.feed", bench->folder);
    json_t *spec = spec_of(bench, 320, 180);
    CHECK(json_dump_file(spec, spec_path, 0) == 0);
    json_decref(spec);
    pid_t pid = run((const char *const[]){encode, "--clip", spec_path, clip_path, "2", NULL});
    CHECK_EQ_INT(wait_for(pid), EXIT_ORDERLY);
    bench->count = 0;
    bench->tables = 0;
    bench->overload = 0;
    FILE *file = fopen(clip_path, "r");
    CHECK(file != NULL);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    struct feed_parser *parser = feed_parser_new(&(struct feed_sink){bench, on_table, on_unit});
    CHECK(feed_parser_push(parser, bytes, size));
    feed_parser_free(parser);
    CHECK_EQ_INT(bench->tables, 1);
    CHECK(bench->units[0].stream == 0 && bench->units[0].key);
    CHECK_EQ_INT(units_of(bench, 0), 50);
    CHECK_EQ_INT(units_of(bench, 1), 93);
    check_steps(bench);
    unlink(spec_path);
    unlink(clip_path);
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    static struct bench bench = {.folder = "/tmp/encode-test-XXXXXX"};
    CHECK(mkdtemp(bench.folder) != NULL);
    snprintf(bench.socket, sizeof bench.socket, "%s/encode.sock", bench.folder);
    snprintf(bench.feed, sizeof bench.feed, "%s/feed.sock", bench.folder);
    pthread_mutex_init(&bench.lock, NULL);
    starts(&bench, argv[1]);
    refuses_nonsense(&bench, argv[1]);
    source_changes_mode(&bench);
    source_vanishes_and_returns(&bench);
    program_is_exchanged(&bench);
    stall_is_caught_up_with(&bench);
    sends_levels_when_asked(&bench);
    ends_in_order(&bench);
    check_steps(&bench);
    clip_is_whole(&bench, argv[1]);
    CHECK(rmdir(bench.folder) == 0);
    return 0;
}
