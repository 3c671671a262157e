/* The control socket as its clients see it: answers, errors, events, limits, and who may serve a path. */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "unix_socket.h"

#define WAIT_MS 5000
#define EVENT_SIZE 100000

struct fixture {
    char path[64];
    struct loop *loop;
    struct control *control;
    pthread_t thread;
    int exit_code;
    json_t *spec;
};

static json_t *request(void *data, const char *method, const json_t *params, struct control_error *error)
{
    struct fixture *fixture = data;
    if (strcmp(method, "apply") == 0) {
        json_decref(fixture->spec);
        fixture->spec = json_deep_copy(json_object_get(params, "spec"));
        return json_object();
    }
    if (strcmp(method, "refuse") == 0)
        return control_fail(error, "invalid", "/rate/bitrate", "must be %d to %d, is %d", 1, 2, 3);
    if (strcmp(method, "refuse at length") == 0) {
        /* 2-byte characters: the limit of the message falls into one of them. */
        char text[401];
        for (int i = 0; i < 400; i += 2)
            memcpy(text + i, "\xc3\xa4", 2);
        text[400] = '\0';
        return control_fail(error, "failed", "", "%s", text);
    }
    if (strcmp(method, "log") == 0) {
        control_log(fixture->control, "warning", "name \xff\xfe and \xc3\xa4");
        return json_object();
    }
    if (strcmp(method, "tell") == 0) {
        char *text = calloc(1, EVENT_SIZE + 1);
        CHECK(text != NULL);
        memset(text, 'x', EVENT_SIZE);
        control_event(fixture->control, json_pack("{s:s, s:s}", "event", "text", "text", text));
        free(text);
        return json_object();
    }
    if (strcmp(method, "event that is none") == 0) {
        control_event(fixture->control, json_pack("{s:s}", "event", "\xff"));
        return json_object();
    }
    return control_fail(error, "unknown-method", "", "no method \"%s\"", method);
}

static json_t *spec(void *data)
{
    return json_incref(((struct fixture *)data)->spec);
}

static void *run(void *data)
{
    struct fixture *fixture = data;
    fixture->exit_code = loop_run(fixture->loop);
    return NULL;
}

static const char *socket_path(struct fixture *fixture)
{
    snprintf(fixture->path, sizeof fixture->path, "/tmp/steadycast-control-%d.sock", (int)getpid());
    return fixture->path;
}

static void start(struct fixture *fixture, int orphan_s)
{
    *fixture = (struct fixture){.loop = loop_new(), .exit_code = -1};
    struct control_handler handler = {.role = "test", .data = fixture, .request = request, .spec = spec};
    CHECK(fixture->loop != NULL);
    fixture->control = control_new(fixture->loop, socket_path(fixture), orphan_s, &handler);
    CHECK(fixture->control != NULL);
    CHECK(pthread_create(&fixture->thread, NULL, run, fixture) == 0);
}

static void quit(void *data)
{
    loop_quit(((struct fixture *)data)->loop, 99);
}

static void clean_up(struct fixture *fixture)
{
    pthread_join(fixture->thread, NULL);
    control_free(fixture->control);
    loop_free(fixture->loop);
    json_decref(fixture->spec);
    CHECK(access(fixture->path, F_OK) < 0);
}

static void stop(struct fixture *fixture)
{
    CHECK(loop_post(fixture->loop, quit, fixture));
    clean_up(fixture);
    CHECK_EQ_INT(fixture->exit_code, 99);
}

/* ---- a client ---- */

struct client {
    int fd;
    char *text;
    size_t size, capacity;
};

static bool receive(struct client *client)
{
    if (client->size + 65536 > client->capacity) {
        client->capacity = client->capacity * 2 + 65536;
        client->text = realloc(client->text, client->capacity);
        CHECK(client->text != NULL);
    }
    struct pollfd poll_fd = {.fd = client->fd, .events = POLLIN};
    CHECK_EQ_INT(poll(&poll_fd, 1, WAIT_MS), 1);
    ssize_t got = recv(client->fd, client->text + client->size, client->capacity - client->size, 0);
    if (got > 0)
        client->size += (size_t)got;
    return got > 0;
}

/* The next line as JSON, or NULL at the end of the connection. */
static json_t *read_line(struct client *client)
{
    char *end;
    while (client->size == 0 || (end = memchr(client->text, '\n', client->size)) == NULL)
        if (!receive(client))
            return NULL;
    json_error_t error;
    json_t *line = json_loadb(client->text, (size_t)(end - client->text), 0, &error);
    CHECK(line != NULL);
    client->size -= (size_t)(end + 1 - client->text);
    memmove(client->text, end + 1, client->size);
    return line;
}

static const char *get(const json_t *line, const char *member)
{
    const char *text = json_string_value(json_object_get(line, member));
    return text == NULL ? "" : text;
}

static void write_text(struct client *client, const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t part = send(client->fd, text + at, size - at, MSG_NOSIGNAL);
        if (part < 0)
            return; /* it has been cut off; reading shows it */
        at += (size_t)part;
    }
}

static json_t *ask(struct client *client, const char *line)
{
    write_text(client, line, strlen(line));
    write_text(client, "\n", 1);
    return read_line(client);
}

static void expect_error(struct client *client, const char *line, const char *code, const char *field)
{
    json_t *answer = ask(client, line);
    CHECK(answer != NULL);
    const json_t *error = json_object_get(answer, "error");
    CHECK(strcmp(get(error, "code"), code) == 0);
    CHECK(strcmp(get(error, "field"), field) == 0);
    CHECK(strlen(get(error, "message")) > 0);
    CHECK(json_object_get(answer, "result") == NULL);
    json_decref(answer);
}

static void expect_result(struct client *client, const char *line, json_int_t id)
{
    json_t *answer = ask(client, line);
    CHECK(answer != NULL);
    CHECK(json_is_object(json_object_get(answer, "result")));
    CHECK(json_object_get(answer, "error") == NULL);
    CHECK_EQ_INT(json_integer_value(json_object_get(answer, "id")), id);
    json_decref(answer);
}

/* Connects with a blocking socket and reads the hello. */
static json_t *open_client(struct fixture *fixture, struct client *client)
{
    *client = (struct client){.fd = unix_connect(fixture->path)};
    CHECK(client->fd >= 0);
    CHECK(fcntl(client->fd, F_SETFL, 0) == 0);
    return read_line(client);
}

static void close_client(struct client *client)
{
    close(client->fd);
    free(client->text);
}

/* ---- tests ---- */

static void test_hello(void)
{
    struct fixture fixture;
    struct client client;
    start(&fixture, 0);
    json_t *hello = open_client(&fixture, &client);
    CHECK(strcmp(get(hello, "event"), "hello") == 0);
    CHECK(strcmp(get(hello, "role"), "test") == 0);
    CHECK(strlen(get(hello, "version")) > 0);
    CHECK_EQ_INT(json_integer_value(json_object_get(hello, "protocol")), CONTROL_PROTOCOL);
    CHECK_EQ_INT(json_integer_value(json_object_get(hello, "pid")), getpid());
    CHECK(json_is_null(json_object_get(hello, "spec")));
    json_decref(hello);
    expect_result(&client, "{\"id\":1,\"method\":\"apply\",\"params\":{\"spec\":{\"a\":1}}}", 1);
    close_client(&client);
    hello = open_client(&fixture, &client);
    CHECK_EQ_INT(json_integer_value(json_object_get(json_object_get(hello, "spec"), "a")), 1);
    json_decref(hello);
    close_client(&client);
    stop(&fixture);
}

static void test_requests(void)
{
    struct fixture fixture;
    struct client client;
    start(&fixture, 0);
    json_decref(open_client(&fixture, &client));
    expect_result(&client, "{\"id\":1,\"method\":\"ping\"}", 1);
    expect_result(&client, "\n\n{\"id\":9007199254740993,\"method\":\"ping\",\"params\":null}",
                  INT64_C(9007199254740993));
    expect_error(&client, "{\"id\":2,\"method\":\"dance\"}", "unknown-method", "");
    expect_error(&client, "{\"id\":3,\"method\":\"refuse\"}", "invalid", "/rate/bitrate");
    expect_error(&client, "{\"id\":4,\"method\":\"refuse at length\"}", "failed", "");
    static const char *const malformed[] = {
        "nonsense", "{", "[]", "[1,2]", "3", "null", "\"ping\"", "{}", "{\"id\":1}", "{\"method\":\"ping\"}",
        "{\"id\":\"1\",\"method\":\"ping\"}",
        "{\"id\":1.5,\"method\":\"ping\"}",
        "{\"id\":99999999999999999999,\"method\":\"ping\"}",
        "{\"id\":1,\"method\":null}",
        "{\"id\":1,\"method\":\"p\xff\"}",
        "{\"id\":1,\"method\":\"ping\"} {}",
    };
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        expect_error(&client, malformed[i], "invalid", "");
    expect_result(&client, "{\"id\":5,\"method\":\"ping\"}", 5);
    close_client(&client);
    stop(&fixture);
}

static void test_requests_in_pieces(void)
{
    struct fixture fixture;
    struct client client;
    start(&fixture, 0);
    json_decref(open_client(&fixture, &client));
    const char *lines = "{\"id\":1,\"method\":\"ping\"}\n"
                        "{\"id\":2,\"method\":\"dance\"}\n"
                        "{\"id\":3,\"method\":\"ping\"}\n";
    for (size_t piece = 1; piece <= strlen(lines); piece = piece * 2 + 1) {
        for (size_t at = 0; at < strlen(lines); at += piece) {
            size_t rest = strlen(lines) - at;
            write_text(&client, lines + at, rest < piece ? rest : piece);
        }
        for (json_int_t id = 1; id <= 3; id++) {
            json_t *answer = read_line(&client);
            CHECK_EQ_INT(json_integer_value(json_object_get(answer, "id")), id);
            json_decref(answer);
        }
    }
    close_client(&client);
    stop(&fixture);
}

/* A line at the limit is answered; one beyond it ends the connection, with or without a newline. */
static void test_line_length(void)
{
    struct fixture fixture;
    struct client client;
    start(&fixture, 0);
    char *line = malloc(CONTROL_LINE_MAX + 2);
    CHECK(line != NULL);
    for (size_t excess = 0; excess <= 1; excess++) {
        json_decref(open_client(&fixture, &client));
        int start_length = sprintf(line, "{\"id\":1,\"method\":\"ping\",\"x\":\"");
        size_t length = CONTROL_LINE_MAX + excess;
        memset(line + start_length, 'x', length - (size_t)start_length);
        memcpy(line + length - 2, "\"}", 2);
        line[length] = '\n';
        write_text(&client, line, length + 1);
        json_t *answer = read_line(&client);
        CHECK((answer != NULL) == (excess == 0));
        json_decref(answer);
        close_client(&client);
    }
    json_decref(open_client(&fixture, &client));
    memset(line, 'x', CONTROL_LINE_MAX + 2);
    write_text(&client, line, CONTROL_LINE_MAX + 1);
    CHECK(read_line(&client) == NULL);
    close_client(&client);
    free(line);
    stop(&fixture);
}

/* Events go to every client; text that is no UTF-8 costs none of them the connection. */
static void test_events_and_logs(void)
{
    struct fixture fixture;
    struct client clients[2];
    start(&fixture, 0);
    for (int i = 0; i < 2; i++)
        json_decref(open_client(&fixture, &clients[i]));
    expect_result(&clients[0], "{\"id\":1,\"method\":\"event that is none\"}", 1);
    expect_result(&clients[0], "{\"id\":2,\"method\":\"log\"}", 2);
    for (int i = 0; i < 2; i++) {
        json_t *event = read_line(&clients[i]);
        CHECK(event != NULL);
        CHECK(strcmp(get(event, "event"), "log") == 0);
        CHECK(strcmp(get(event, "level"), "warning") == 0);
        CHECK(strcmp(get(event, "message"), "name ?? and ??") == 0);
        json_decref(event);
    }
    expect_result(&clients[1], "{\"id\":3,\"method\":\"ping\"}", 3);
    for (int i = 0; i < 2; i++)
        close_client(&clients[i]);
    stop(&fixture);
}

#define LOGS 1000

static void *log_much(void *data)
{
    for (int i = 0; i < LOGS; i++)
        control_log(((struct fixture *)data)->control, "debug", "line %d", i);
    return NULL;
}

/* Lines of another thread arrive in order. Some may be missing when the loop cannot follow. */
static void test_logs_from_a_thread(void)
{
    struct fixture fixture;
    struct client client;
    pthread_t thread;
    start(&fixture, 0);
    json_decref(open_client(&fixture, &client));
    int output = dup(STDERR_FILENO), nothing = open("/dev/null", O_WRONLY);
    CHECK(dup2(nothing, STDERR_FILENO) >= 0);
    CHECK(pthread_create(&thread, NULL, log_much, &fixture) == 0);
    pthread_join(thread, NULL);
    CHECK(dup2(output, STDERR_FILENO) >= 0);
    close(output);
    close(nothing);
    write_text(&client, "{\"id\":1,\"method\":\"ping\"}\n", 25);
    int last = -1, number, count = 0;
    for (bool answered = false; !answered || count < 256;) {
        json_t *line = read_line(&client);
        CHECK(line != NULL);
        if (json_object_get(line, "result") != NULL) {
            answered = true;
        } else {
            CHECK_EQ_INT(sscanf(get(line, "message"), "line %d", &number), 1);
            CHECK(number > last);
            last = number;
            count++;
        }
        json_decref(line);
        if (answered && last == LOGS - 1)
            break;
    }
    CHECK(count >= 256);
    close_client(&client);
    stop(&fixture);
}

/* A client that never reads is cut off, while another is served as if nothing were. */
static void test_client_that_never_reads(void)
{
    struct fixture fixture;
    struct client idle, good;
    start(&fixture, 0);
    json_decref(open_client(&fixture, &idle));
    json_decref(open_client(&fixture, &good));
    for (int i = 0; i < 60; i++) {
        json_t *event = ask(&good, "{\"id\":1,\"method\":\"tell\"}"), *answer = read_line(&good);
        CHECK(strlen(get(event, "text")) == EVENT_SIZE);
        CHECK(json_is_object(json_object_get(answer, "result")));
        json_decref(event);
        json_decref(answer);
    }
    int events = 0;
    for (json_t *line; (line = read_line(&idle)) != NULL; events++)
        json_decref(line);
    CHECK(events > 0 && events < 40);
    close_client(&idle);
    close_client(&good);
    stop(&fixture);
}

static void test_client_that_vanishes(void)
{
    struct fixture fixture;
    struct client client;
    start(&fixture, 0);
    for (int i = 0; i < 50; i++) {
        json_decref(open_client(&fixture, &client));
        write_text(&client, "{\"id\":1,\"method\":\"ping\"}\n{\"id\":2", i % 32);
        close_client(&client);
    }
    json_decref(open_client(&fixture, &client));
    expect_result(&client, "{\"id\":1,\"method\":\"ping\"}", 1);
    close_client(&client);
    stop(&fixture);
}

static void test_quit(void)
{
    struct fixture fixture;
    struct client client;
    start(&fixture, 0);
    json_decref(open_client(&fixture, &client));
    expect_result(&client, "{\"id\":1,\"method\":\"quit\"}", 1);
    clean_up(&fixture);
    CHECK_EQ_INT(fixture.exit_code, EXIT_ORDERLY);
    close_client(&client);
}

static void test_orphan(void)
{
    struct fixture fixture;
    struct client client;
    start(&fixture, 1);
    int64_t started = clock_now();
    json_decref(open_client(&fixture, &client));
    /* With a client connected, time does not count. */
    while (clock_now() - started < 1700 * NS_PER_MS) {
        expect_result(&client, "{\"id\":1,\"method\":\"ping\"}", 1);
        clock_sleep_until(clock_now() + 100 * NS_PER_MS);
    }
    int64_t left = clock_now();
    close_client(&client);
    clean_up(&fixture);
    CHECK_EQ_INT(fixture.exit_code, EXIT_ORPHANED);
    CHECK(clock_now() - left >= NS_PER_S);
}

static void test_who_may_serve_a_path(void)
{
    struct fixture fixture;
    struct loop *loop = loop_new();
    struct control_handler handler = {.role = "test", .data = &fixture, .request = request, .spec = spec};
    start(&fixture, 0);
    CHECK(control_new(loop, fixture.path, 0, &handler) == NULL);
    CHECK_EQ_INT(errno, EADDRINUSE);
    stop(&fixture);

    /* A socket file that a dead process left behind is replaced. */
    int stale = unix_listen(fixture.path);
    CHECK(stale >= 0);
    close(stale);
    CHECK(access(fixture.path, F_OK) == 0);
    start(&fixture, 0);
    stop(&fixture);

    /* A file that is no socket is not ours to remove. */
    int file = open(fixture.path, O_CREAT | O_WRONLY, 0600);
    CHECK(file >= 0);
    close(file);
    CHECK(control_new(loop, fixture.path, 0, &handler) == NULL);
    CHECK_EQ_INT(errno, EADDRINUSE);
    struct stat status;
    CHECK(stat(fixture.path, &status) == 0 && S_ISREG(status.st_mode));
    unlink(fixture.path);

    char longest[200];
    memset(longest, 'x', sizeof longest);
    longest[0] = '/';
    longest[108] = '\0';
    CHECK(control_new(loop, longest, 0, &handler) == NULL);
    CHECK_EQ_INT(errno, ENAMETOOLONG);
    CHECK(control_new(loop, "/no/such/folder/x.sock", 0, &handler) == NULL);
    CHECK_EQ_INT(errno, ENOENT);
    loop_free(loop);
}

int main(void)
{
    test_hello();
    test_requests();
    test_requests_in_pieces();
    test_line_length();
    test_events_and_logs();
    test_logs_from_a_thread();
    test_client_that_never_reads();
    test_client_that_vanishes();
    test_quit();
    test_orphan();
    test_who_may_serve_a_path();
    return 0;
}
