/* Any request line must be answered with valid JSON: the request's id, and either a result or an error. What
 * a handler does with the params is done here by reading a spec of every kind of member. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "control.h"
#include "json_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *request(void *data, const char *method, const json_t *params, struct control_error *error)
{
    const char *const choices[] = {"cbr", "vbr", NULL};
    struct json_reader reader = {.error = error};
    char text[16];
    (void)data;
    if (strcmp(method, "apply") != 0)
        return control_fail(error, "unknown-method", "", "no method \"%.40s\"", method);
    json_enter(&reader, "spec");
    const json_t *spec = json_object_get(params, "spec");
    int64_t number = json_read_int(&reader, spec, "bitrate", 1, 100);
    json_read_bool(&reader, spec, "stamp");
    json_read_text(&reader, spec, "channel", text, sizeof text);
    CHECK(json_read_choice(&reader, spec, "mode", choices) < 2);
    const json_t *source = json_read_object(&reader, spec, "source");
    json_enter(&reader, "source");
    json_read_text(&reader, source, "launch", text, sizeof text);
    json_leave(&reader);
    const json_t *streams = json_read_array(&reader, spec, "streams", 4);
    json_enter(&reader, "streams");
    for (size_t i = 0; i < json_array_size(streams); i++) {
        json_enter_index(&reader, i);
        json_read_int(&reader, json_array_get(streams, i), "pid", 16, 8190);
        json_leave(&reader);
    }
    json_leave(&reader);
    if (reader.failed)
        return NULL;
    CHECK(number >= 1 && number <= 100 && strlen(text) < sizeof text && json_array_size(streams) <= 4);
    return json_deep_copy(params);
}

static json_t *no_spec(void *data)
{
    (void)data;
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct control_handler handler = {.role = "fuzz", .request = request, .spec = no_spec};
    bool quit = false;
    json_t *answer = control_answer(&handler, (const char *)data, size, &quit);
    const json_t *error = json_object_get(answer, "error");
    CHECK(json_object_get(answer, "id") != NULL);
    CHECK((json_object_get(answer, "result") != NULL) != (error != NULL));
    CHECK(error == NULL || (json_is_string(json_object_get(error, "code")) &&
                            json_is_string(json_object_get(error, "message"))));
    CHECK(!quit || error == NULL);
    char *line = json_dumps(answer, JSON_COMPACT);
    CHECK(line != NULL && strchr(line, '\n') == NULL);
    free(line);
    json_decref(answer);
    return 0;
}
