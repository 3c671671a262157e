#include "control.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "unix_socket.h"

/* A client that does not read is cut off when this much waits for it. */
#define CLIENT_BACKLOG_MAX (2 * 1024 * 1024)
/* Log lines that wait for the loop; while it stands still, further ones go to stderr only. */
#define LOG_LINES_MAX 256

struct client {
    struct control *control;
    struct client *next;
    int fd;
    struct loop_fd *watch;
    bool gone;
    char *in; /* an unfinished request line */
    size_t in_size, in_capacity;
    char *out; /* what the socket has not taken yet */
    size_t out_size, out_capacity;
};

struct log_line {
    struct log_line *next;
    const char *level;
    char message[512];
};

struct control {
    struct loop *loop;
    struct control_handler handler;
    char *path;
    int listener;
    struct loop_fd *watch;
    struct client *clients;
    struct loop_timer *orphan_timer;
    int orphan_s;
    int64_t last_client; /* box clock when a client was last seen */

    pthread_mutex_t log_lock; /* guards what follows: it comes from any thread */
    struct log_line *log_first, **log_last;
    size_t log_count;
    bool log_posted;
};

/* A JSON string of text that may not be UTF-8: cut within a character, or with names from outside. */
static json_t *json_text(const char *text)
{
    size_t length = strlen(text);
    json_t *string = json_string(text);
    for (size_t cut = 1; string == NULL && cut <= 3 && cut <= length; cut++)
        string = json_stringn(text, length - cut);
    if (string != NULL)
        return string;
    char ascii[512];
    snprintf(ascii, sizeof ascii, "%s", text);
    for (char *at = ascii; *at != '\0'; at++)
        if ((*at & 0x80) != 0)
            *at = '?';
    return json_string(ascii);
}

json_t *control_fail(struct control_error *error, const char *code, const char *field, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    snprintf(error->code, sizeof error->code, "%s", code);
    snprintf(error->field, sizeof error->field, "%s", field);
    return NULL;
}

/* ---- clients ---- */

static void client_free(struct client *client)
{
    struct control *control = client->control;
    for (struct client **at = &control->clients; *at != NULL; at = &(*at)->next) {
        if (*at == client) {
            *at = client->next;
            break;
        }
    }
    control->last_client = clock_now();
    loop_unwatch(client->watch);
    close(client->fd);
    free(client->in);
    free(client->out);
    free(client);
}

static bool reserve(char **buffer, size_t *capacity, size_t needed)
{
    if (needed <= *capacity)
        return true;
    size_t size = *capacity == 0 ? 4096 : *capacity;
    while (size < needed)
        size *= 2;
    char *grown = realloc(*buffer, size);
    if (grown == NULL)
        return false;
    *buffer = grown;
    *capacity = size;
    return true;
}

static void client_flush(struct client *client)
{
    size_t sent = 0;
    while (sent < client->out_size) {
        ssize_t part = send(client->fd, client->out + sent, client->out_size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0 && errno != EAGAIN)
            client->gone = true;
        if (part < 0)
            break;
        sent += (size_t)part;
    }
    client->out_size -= sent;
    memmove(client->out, client->out + sent, client->out_size);
    loop_watch_change(client->watch, client->out_size > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* A client is never freed here, since the caller may be walking the list: it is marked and reaped later. */
static void client_send(struct client *client, const json_t *message)
{
    size_t length = json_dumpb(message, NULL, 0, JSON_COMPACT);
    if (client->gone)
        return;
    if (length == 0 || client->out_size + length + 1 > CLIENT_BACKLOG_MAX ||
        !reserve(&client->out, &client->out_capacity, client->out_size + length + 1)) {
        client->gone = true;
        /* Wakes the loop for this client, which then reaps it. */
        shutdown(client->fd, SHUT_RDWR);
        return;
    }
    json_dumpb(message, client->out + client->out_size, length, JSON_COMPACT);
    client->out[client->out_size + length] = '\n';
    client->out_size += length + 1;
    client_flush(client);
}

static json_t *error_answer(const struct control_error *error)
{
    json_t *body = json_pack("{s:s, s:o}", "code", error->code, "message", json_text(error->message));
    if (error->field[0] != '\0')
        json_object_set_new(body, "field", json_text(error->field));
    return body;
}

json_t *control_answer(const struct control_handler *handler, const char *line, size_t length, bool *quit)
{
    struct control_error error = {0};
    json_t *request = json_loadb(line, length, 0, NULL);
    json_t *id = json_object_get(request, "id");
    const char *method = json_string_value(json_object_get(request, "method"));
    json_t *result = NULL;

    if (!json_is_integer(id) || method == NULL)
        control_fail(&error, "invalid", "", "a request is a JSON object with an integer \"id\" and a string \"method\"");
    else if (strcmp(method, "ping") == 0)
        result = json_object();
    else if (strcmp(method, "quit") == 0)
        result = (*quit = true, json_object());
    else
        result = handler->request(handler->data, method, json_object_get(request, "params"), &error);

    json_t *answer = json_object();
    json_object_set(answer, "id", id == NULL ? json_null() : id);
    if (result != NULL)
        json_object_set_new(answer, "result", result);
    else
        json_object_set_new(answer, "error", error_answer(&error));
    json_decref(request);
    return answer;
}

static void client_request(struct client *client, const char *line, size_t length)
{
    struct control *control = client->control;
    bool quit = false;
    json_t *answer = control_answer(&control->handler, line, length, &quit);
    client_send(client, answer);
    json_decref(answer);
    if (quit)
        loop_quit(control->loop, EXIT_ORDERLY);
}

/* Handles every complete line; false when a line is too long or the client is gone. */
static bool client_lines(struct client *client)
{
    size_t start = 0;
    while (!client->gone) {
        char *end = memchr(client->in + start, '\n', client->in_size - start);
        if (end == NULL)
            break;
        size_t length = (size_t)(end - (client->in + start));
        if (length > CONTROL_LINE_MAX)
            return false;
        if (length > 0)
            client_request(client, client->in + start, length);
        start += length + 1;
    }
    client->in_size -= start;
    memmove(client->in, client->in + start, client->in_size);
    return !client->gone && client->in_size <= CONTROL_LINE_MAX;
}

static bool client_read(struct client *client)
{
    if (!reserve(&client->in, &client->in_capacity, client->in_size + 4096))
        return false;
    ssize_t got = recv(client->fd, client->in + client->in_size, client->in_capacity - client->in_size, MSG_DONTWAIT);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    client->in_size += (size_t)got;
    return got > 0 && client_lines(client);
}

static void client_ready(void *data, uint32_t events)
{
    struct client *client = data;
    if ((events & EPOLLOUT) != 0)
        client_flush(client);
    if (client->gone || ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !client_read(client)))
        client_free(client);
}

static void accept_client(void *data, uint32_t events)
{
    struct control *control = data;
    (void)events;
    int fd = unix_accept(control->listener);
    if (fd < 0)
        return;
    struct client *client = calloc(1, sizeof *client);
    if (client != NULL) {
        *client = (struct client){.control = control, .fd = fd};
        client->watch = loop_watch(control->loop, fd, EPOLLIN, client_ready, client);
    }
    if (client == NULL || client->watch == NULL) {
        close(fd);
        free(client);
        return;
    }
    client->next = control->clients;
    control->clients = client;
    json_t *spec = control->handler.spec(control->handler.data);
    json_t *hello = json_pack("{s:s, s:s, s:s, s:i, s:i, s:o}", "event", "hello", "role", control->handler.role, "version",
                              STEADYCAST_VERSION, "protocol", CONTROL_PROTOCOL, "pid", (int)getpid(), "spec",
                              spec == NULL ? json_null() : spec);
    client_send(client, hello);
    json_decref(hello);
}

/* ---- the server ---- */

static void check_orphaned(void *data)
{
    struct control *control = data;
    if (control->clients == NULL && clock_now() - control->last_client > control->orphan_s * NS_PER_S) {
        fprintf(stderr, "%s: no supervisor for %d s, ending\n", control->handler.role, control->orphan_s);
        loop_quit(control->loop, EXIT_ORPHANED);
    }
}

struct control *control_new(struct loop *loop, const char *path, int orphan_s, const struct control_handler *handler)
{
    struct control *control = calloc(1, sizeof *control);
    if (control == NULL)
        return NULL;
    *control = (struct control){
        .loop = loop, .handler = *handler, .listener = -1, .orphan_s = orphan_s, .last_client = clock_now()};
    control->log_last = &control->log_first;
    pthread_mutex_init(&control->log_lock, NULL);
    control->path = strdup(path);
    if (control->path != NULL)
        control->listener = unix_listen(path);
    if (control->listener >= 0)
        control->watch = loop_watch(loop, control->listener, EPOLLIN, accept_client, control);
    if (control->watch != NULL && orphan_s > 0)
        control->orphan_timer = loop_every(loop, 500, check_orphaned, control);
    if (control->watch == NULL || (orphan_s > 0 && control->orphan_timer == NULL)) {
        int reason = errno;
        control_free(control);
        errno = reason;
        return NULL;
    }
    return control;
}

void control_free(struct control *control)
{
    if (control == NULL)
        return;
    while (control->clients != NULL)
        client_free(control->clients);
    if (control->orphan_timer != NULL)
        loop_timer_stop(control->orphan_timer);
    if (control->watch != NULL)
        loop_unwatch(control->watch);
    if (control->listener >= 0) {
        close(control->listener);
        unlink(control->path);
    }
    loop_forget(control->loop, control);
    while (control->log_first != NULL) {
        struct log_line *line = control->log_first;
        control->log_first = line->next;
        free(line);
    }
    pthread_mutex_destroy(&control->log_lock);
    free(control->path);
    free(control);
}

void control_event(struct control *control, json_t *event)
{
    for (struct client *client = control->clients; client != NULL && event != NULL; client = client->next)
        client_send(client, event);
    json_decref(event);
}

static void send_log(void *data)
{
    struct control *control = data;
    pthread_mutex_lock(&control->log_lock);
    struct log_line *line = control->log_first;
    control->log_first = NULL;
    control->log_last = &control->log_first;
    control->log_count = 0;
    control->log_posted = false;
    pthread_mutex_unlock(&control->log_lock);
    while (line != NULL) {
        struct log_line *next = line->next;
        control_event(control, json_pack("{s:s, s:s, s:o}", "event", "log", "level", line->level, "message",
                                         json_text(line->message)));
        free(line);
        line = next;
    }
}

void control_log(struct control *control, const char *level, const char *format, ...)
{
    struct log_line *line = calloc(1, sizeof *line);
    if (line == NULL)
        return;
    line->level = level;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line->message, sizeof line->message, format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s: %s: %s\n", control->handler.role, level, line->message);
    pthread_mutex_lock(&control->log_lock);
    bool fits = control->log_count < LOG_LINES_MAX;
    if (fits) {
        *control->log_last = line;
        control->log_last = &line->next;
        control->log_count++;
    }
    if (!control->log_posted)
        control->log_posted = loop_post(control->loop, send_log, control);
    pthread_mutex_unlock(&control->log_lock);
    if (!fits)
        free(line);
}
