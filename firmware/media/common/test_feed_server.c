/* The feed's server, seen by its readers: what they get first, in which order, and when they are cut off. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "feed.h"
#include "unix_socket.h"

#define QUEUE_BYTES (256 * 1024)
#define WAIT_MS 5000

struct fixture {
    char path[64];
    struct loop *loop;
    pthread_t thread;
    struct feed_server *server;
    sem_t keys_wanted;
};

static const struct feed_table table_a = {
    .count = 2,
    .streams = {{.stream = 0, .codec = FEED_H264, .rate_num = 25, .rate_den = 1, .bitrate = 1},
                {.stream = 1, .codec = FEED_AAC_ADTS, .rate_num = 48000, .rate_den = 1024, .bitrate = 1}},
};
static const struct feed_table table_b = {
    .count = 1, .streams = {{.stream = 0, .codec = FEED_H265, .rate_num = 50, .rate_den = 1, .bitrate = 2}}};

static void want_key(void *data)
{
    sem_post(&((struct fixture *)data)->keys_wanted);
}

static void *run(void *data)
{
    CHECK_EQ_INT(loop_run(((struct fixture *)data)->loop), 0);
    return NULL;
}

static void start(struct fixture *fixture)
{
    snprintf(fixture->path, sizeof fixture->path, "/tmp/steadycast-feed-%d.sock", (int)getpid());
    CHECK(sem_init(&fixture->keys_wanted, 0, 0) == 0);
    fixture->loop = loop_new();
    CHECK(fixture->loop != NULL);
    fixture->server = feed_server_new(fixture->loop, fixture->path, QUEUE_BYTES, want_key, fixture);
    CHECK(fixture->server != NULL);
    CHECK(pthread_create(&fixture->thread, NULL, run, fixture) == 0);
}

static void quit(void *data)
{
    loop_quit(((struct fixture *)data)->loop, 0);
}

static void stop(struct fixture *fixture)
{
    CHECK(loop_post(fixture->loop, quit, fixture));
    pthread_join(fixture->thread, NULL);
    feed_server_free(fixture->server);
    loop_free(fixture->loop);
    sem_destroy(&fixture->keys_wanted);
    CHECK(access(fixture->path, F_OK) < 0);
}

/* Returns when the loop has done everything that was posted before. */
static void post_sem(void *data)
{
    sem_post(data);
}

static void settle(struct fixture *fixture)
{
    sem_t done;
    sem_init(&done, 0, 0);
    CHECK(loop_post(fixture->loop, post_sem, &done));
    sem_wait(&done);
    sem_destroy(&done);
}

/* ---- a reader ---- */

struct reader {
    int fd;
    struct feed_parser *parser;
    char got[4096]; /* one character a record: A, B the tables, else the first byte of the unit */
    size_t count;
};

static void take(struct reader *reader, char what)
{
    CHECK(reader->count < sizeof reader->got - 1);
    reader->got[reader->count++] = what;
    reader->got[reader->count] = '\0';
}

static void take_table(void *data, const struct feed_table *table)
{
    take(data, table->count == table_a.count ? 'A' : 'B');
}

static void take_unit(void *data, const struct feed_unit *unit)
{
    CHECK(unit->size > 0);
    take(data, (char)unit->data[0]);
}

/* Connects, and returns when the server has noticed. */
static void connect_reader(struct fixture *fixture, struct reader *reader)
{
    *reader = (struct reader){.fd = unix_connect(fixture->path)};
    CHECK(reader->fd >= 0);
    struct feed_sink sink = {.data = reader, .table = take_table, .unit = take_unit};
    reader->parser = feed_parser_new(&sink);
    CHECK(reader->parser != NULL);
    sem_wait(&fixture->keys_wanted);
}

static void disconnect_reader(struct reader *reader)
{
    close(reader->fd);
    feed_parser_free(reader->parser);
}

/* Reads until `count` records are there; false at the end of the connection. */
static bool read_records(struct reader *reader, size_t count)
{
    uint8_t bytes[1000];
    while (reader->count < count) {
        struct pollfd poll_fd = {.fd = reader->fd, .events = POLLIN};
        CHECK_EQ_INT(poll(&poll_fd, 1, WAIT_MS), 1);
        ssize_t got = recv(reader->fd, bytes, sizeof bytes, 0);
        if (got <= 0)
            return false;
        CHECK(feed_parser_push(reader->parser, bytes, (size_t)got));
    }
    return true;
}

static void expect(struct reader *reader, const char *records)
{
    CHECK(read_records(reader, strlen(records)));
    if (strcmp(reader->got, records) != 0) {
        fprintf(stderr, "got %s, not %s\n", reader->got, records);
        abort();
    }
}

static void push(struct fixture *fixture, uint8_t stream, bool key, char mark, size_t size)
{
    uint8_t *data = malloc(size);
    CHECK(data != NULL);
    memset(data, mark, size);
    struct feed_unit unit = {.stream = stream, .flags = key ? FEED_KEY : 0, .data = data, .size = size};
    feed_server_push(fixture->server, &unit);
    free(data); /* the server has a copy */
}

/* ---- tests ---- */

static void test_begins_with_table_and_key_frame(void)
{
    struct fixture fixture;
    struct reader early, late;
    start(&fixture);
    connect_reader(&fixture, &early);
    feed_server_table(fixture.server, &table_a);
    push(&fixture, 0, false, 'x', 10); /* before the first key frame: nothing is given */
    push(&fixture, 1, true, 'x', 10);
    push(&fixture, 0, true, 'k', 10);
    push(&fixture, 1, true, 'a', 10);
    push(&fixture, 0, false, 'p', 10);
    expect(&early, "Akap");
    connect_reader(&fixture, &late);
    push(&fixture, 1, true, 'b', 10);
    push(&fixture, 0, false, 'q', 10);
    push(&fixture, 0, true, 'l', 10);
    push(&fixture, 1, true, 'c', 10);
    expect(&early, "Akapbqlc");
    expect(&late, "Alc");
    CHECK_EQ_INT(feed_server_stats(fixture.server).readers, 2);
    disconnect_reader(&early);
    disconnect_reader(&late);
    stop(&fixture);
}

static void hold_loop(void *data)
{
    sem_wait(data);
}

/* A reader that is let in late gets the table of what follows. */
static void test_table_keeps_its_place(void)
{
    struct fixture fixture;
    struct reader first, second;
    sem_t go;
    sem_init(&go, 0, 0);
    start(&fixture);
    connect_reader(&fixture, &first);
    feed_server_table(fixture.server, &table_a);
    push(&fixture, 0, true, 'k', 10);
    expect(&first, "Ak");
    CHECK(loop_post(fixture.loop, hold_loop, &go));
    second = (struct reader){.fd = unix_connect(fixture.path)}; /* waits at the door */
    push(&fixture, 0, true, 'l', 10);
    push(&fixture, 1, true, 'm', 10);
    feed_server_table(fixture.server, &table_b);
    push(&fixture, 0, true, 'n', 10);
    expect(&first, "AklmBn");
    sem_post(&go);
    sem_wait(&fixture.keys_wanted);
    struct feed_sink sink = {.data = &second, .table = take_table, .unit = take_unit};
    second.parser = feed_parser_new(&sink);
    push(&fixture, 0, true, 'o', 10);
    expect(&second, "Bo");
    disconnect_reader(&first);
    disconnect_reader(&second);
    stop(&fixture);
    sem_destroy(&go);
}

static void test_wants_keys(void)
{
    struct fixture fixture;
    struct reader reader;
    start(&fixture);
    connect_reader(&fixture, &reader); /* once for the connect */
    CHECK(sem_trywait(&fixture.keys_wanted) < 0);
    const char request = FEED_WANT_KEY, other = 'x';
    CHECK(send(reader.fd, &other, 1, 0) == 1);
    CHECK(send(reader.fd, &request, 1, 0) == 1);
    sem_wait(&fixture.keys_wanted);
    disconnect_reader(&reader);
    stop(&fixture);
}

static void wait_for_readers(struct fixture *fixture, uint32_t readers)
{
    for (int i = 0; feed_server_stats(fixture->server).readers != readers; i++) {
        CHECK(i < WAIT_MS);
        usleep(1000);
    }
}

static void test_slow_reader_is_cut(void)
{
    struct fixture fixture;
    struct reader slow, good;
    start(&fixture);
    connect_reader(&fixture, &slow);
    connect_reader(&fixture, &good);
    feed_server_table(fixture.server, &table_a);
    push(&fixture, 0, true, 'k', 100);
    for (size_t given = 2; feed_server_stats(fixture.server).cut == 0; given++) {
        CHECK(given < 100);
        CHECK(read_records(&good, given));
        push(&fixture, 0, false, 'p', 20000);
    }
    wait_for_readers(&fixture, 1);
    /* The slow one gets what was in its socket, and then the end; it begins anew at a key frame. */
    CHECK(!read_records(&slow, 1000));
    CHECK(strncmp(slow.got, "Akpp", 4) == 0);
    disconnect_reader(&slow);
    connect_reader(&fixture, &slow);
    push(&fixture, 0, false, 'p', 10);
    push(&fixture, 0, true, 'l', 10);
    expect(&slow, "Al");
    CHECK_EQ_INT(feed_server_stats(fixture.server).cut, 1);
    CHECK_EQ_INT(feed_server_stats(fixture.server).readers, 2);
    disconnect_reader(&slow);
    wait_for_readers(&fixture, 1);
    disconnect_reader(&good);
    wait_for_readers(&fixture, 0);
    CHECK_EQ_INT(feed_server_stats(fixture.server).cut, 1);
    stop(&fixture);
}

/* While the loop stands still, records come all the same, and what waits for a reader is bounded. */
static void test_without_the_loop(void)
{
    struct fixture fixture;
    struct reader reader;
    sem_t go;
    sem_init(&go, 0, 0);
    start(&fixture);
    connect_reader(&fixture, &reader);
    feed_server_table(fixture.server, &table_a);
    CHECK(loop_post(fixture.loop, hold_loop, &go));
    push(&fixture, 0, true, 'k', 10);
    expect(&reader, "Ak");
    for (int i = 0; i < 50; i++)
        push(&fixture, 0, false, 'p', 20000);
    feed_server_table(fixture.server, &table_b);
    CHECK(!read_records(&reader, 1000));
    sem_post(&go);
    wait_for_readers(&fixture, 0);
    CHECK_EQ_INT(feed_server_stats(fixture.server).cut, 1);
    disconnect_reader(&reader);
    connect_reader(&fixture, &reader);
    push(&fixture, 0, true, 'l', 10);
    expect(&reader, "Bl");
    disconnect_reader(&reader);
    stop(&fixture);
    sem_destroy(&go);
}

struct pusher {
    struct fixture *fixture;
    uint8_t stream;
};

static void *push_letters(void *data)
{
    struct pusher *pusher = data;
    for (int i = 0; i < 1000; i++)
        push(pusher->fixture, pusher->stream, false, (char)((pusher->stream == 0 ? 'a' : 'A') + i % 26), 20);
    return NULL;
}

static void test_threads_keep_their_order(void)
{
    struct fixture fixture;
    struct reader reader;
    start(&fixture);
    connect_reader(&fixture, &reader);
    feed_server_table(fixture.server, &table_a);
    push(&fixture, 0, true, '!', 20);
    struct pusher pushers[2] = {{&fixture, 0}, {&fixture, 1}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, push_letters, &pushers[i]) == 0);
    CHECK(read_records(&reader, 2002));
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    int next[2] = {0, 0};
    for (size_t i = 2; i < reader.count; i++) {
        int which = reader.got[i] < 'a';
        CHECK_EQ_INT(reader.got[i], (which == 0 ? 'a' : 'A') + next[which]++ % 26);
    }
    disconnect_reader(&reader);
    stop(&fixture);
}

static void free_server(void *data)
{
    struct fixture *fixture = data;
    feed_server_free(fixture->server);
    fixture->server = NULL;
}

/* The server may go while the loop goes on. */
static void test_freed_on_the_loop(void)
{
    struct fixture fixture;
    struct reader reader;
    start(&fixture);
    connect_reader(&fixture, &reader);
    feed_server_table(fixture.server, &table_a);
    push(&fixture, 0, true, 'k', 10);
    CHECK(loop_post(fixture.loop, free_server, &fixture));
    CHECK(!read_records(&reader, 3));
    CHECK(strcmp(reader.got, "Ak") == 0);
    settle(&fixture);
    disconnect_reader(&reader);
    stop(&fixture);
}

static void test_one_server_a_path(void)
{
    struct fixture fixture;
    start(&fixture);
    struct loop *loop = loop_new();
    CHECK(feed_server_new(loop, fixture.path, QUEUE_BYTES, NULL, NULL) == NULL);
    CHECK_EQ_INT(errno, EADDRINUSE);
    loop_free(loop);
    stop(&fixture);
}

int main(void)
{
    test_begins_with_table_and_key_frame();
    test_table_keeps_its_place();
    test_wants_keys();
    test_slow_reader_is_cut();
    test_without_the_loop();
    test_threads_keep_their_order();
    test_freed_on_the_loop();
    test_one_server_a_path();
    return 0;
}
