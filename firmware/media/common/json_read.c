#include "json_read.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void json_enter(struct json_reader *reader, const char *name)
{
    size_t length = strlen(reader->path);
    snprintf(reader->path + length, sizeof reader->path - length, "/%s", name);
}

void json_enter_index(struct json_reader *reader, size_t index)
{
    char name[24];
    snprintf(name, sizeof name, "%zu", index);
    json_enter(reader, name);
}

void json_leave(struct json_reader *reader)
{
    char *slash = strrchr(reader->path, '/');
    if (slash != NULL)
        *slash = '\0';
}

void json_refuse(struct json_reader *reader, const char *name, const char *format, ...)
{
    char reason[160], field[96];
    if (reader->failed)
        return;
    reader->failed = true;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    if (name != NULL)
        json_enter(reader, name);
    snprintf(field, sizeof field, "%s", reader->path);
    if (name != NULL)
        json_leave(reader);
    control_fail(reader->error, "invalid", field, "%s %s", field, reason);
}

static const json_t *member(struct json_reader *reader, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (value == NULL)
        json_refuse(reader, name, "is missing");
    return reader->failed ? NULL : value;
}

int64_t json_read_int(struct json_reader *reader, const json_t *object, const char *name, int64_t min, int64_t max)
{
    const json_t *value = member(reader, object, name);
    if (value == NULL)
        return 0;
    int64_t number = json_integer_value(value);
    if (!json_is_integer(value))
        json_refuse(reader, name, "must be a whole number");
    else if (number < min || number > max)
        json_refuse(reader, name, "must be between %lld and %lld, is %lld", (long long)min, (long long)max,
                    (long long)number);
    return reader->failed ? 0 : number;
}

bool json_read_bool(struct json_reader *reader, const json_t *object, const char *name)
{
    const json_t *value = member(reader, object, name);
    if (value != NULL && !json_is_boolean(value))
        json_refuse(reader, name, "must be true or false");
    return !reader->failed && json_is_true(value);
}

void json_read_text(struct json_reader *reader, const json_t *object, const char *name, char *out, size_t size)
{
    const json_t *value = member(reader, object, name);
    out[0] = '\0';
    if (value == NULL)
        return;
    size_t length = json_string_length(value);
    if (!json_is_string(value))
        json_refuse(reader, name, "must be a string");
    else if (length >= size)
        json_refuse(reader, name, "must be at most %zu bytes long, is %zu", size - 1, length);
    else if (strlen(json_string_value(value)) != length)
        json_refuse(reader, name, "must not contain a NUL");
    else
        memcpy(out, json_string_value(value), length + 1);
}

int json_read_choice(struct json_reader *reader, const json_t *object, const char *name, const char *const *choices)
{
    const json_t *value = member(reader, object, name);
    const char *text = json_string_value(value);
    if (value == NULL)
        return 0;
    char list[128] = "";
    for (int i = 0; choices[i] != NULL; i++) {
        if (text != NULL && strcmp(text, choices[i]) == 0)
            return i;
        size_t length = strlen(list);
        snprintf(list + length, sizeof list - length, "%s%s", i == 0 ? "" : ", ", choices[i]);
    }
    json_refuse(reader, name, "must be one of %s, is %.40s", list, text == NULL ? "no string" : text);
    return 0;
}

const json_t *json_read_object(struct json_reader *reader, const json_t *object, const char *name)
{
    const json_t *value = member(reader, object, name);
    if (value != NULL && !json_is_object(value))
        json_refuse(reader, name, "must be an object");
    return reader->failed ? NULL : value;
}

const json_t *json_read_array(struct json_reader *reader, const json_t *object, const char *name, size_t max)
{
    const json_t *value = member(reader, object, name);
    if (value != NULL && !json_is_array(value))
        json_refuse(reader, name, "must be an array");
    else if (value != NULL && json_array_size(value) > max)
        json_refuse(reader, name, "must have at most %zu elements, has %zu", max, json_array_size(value));
    return reader->failed ? NULL : value;
}
