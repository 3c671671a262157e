#include "spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_read.h"

/* ---- reading ---- */

static void read_path(struct json_reader *reader, const json_t *json, const char *name, bool optional,
                      char *out, size_t size)
{
    json_read_text(reader, json, name, out, size);
    if (out[0] != '/' && !(optional && out[0] == '\0'))
        json_refuse(reader, name, "must be an absolute path, is \"%.60s\"", out);
}

static void read_launch(struct json_reader *reader, const json_t *json, char out[SPEC_LAUNCH_MAX])
{
    json_read_text(reader, json, "launch", out, SPEC_LAUNCH_MAX);
    if (out[0] == '\0')
        json_refuse(reader, "launch", "must not be empty");
}

/* A rate as [numerator, denominator]. */
static struct rate read_rate(struct json_reader *reader, const json_t *json)
{
    const json_t *array = json_read_array(reader, json, "rate", 2);
    struct rate rate = {.num = json_integer_value(json_array_get(array, 0)),
                        .den = json_integer_value(json_array_get(array, 1))};
    if (rate.num < 1 || rate.num > 1000000 || rate.den < 1 || rate.den > 10000)
        json_refuse(reader, "rate", "must be [1…1000000, 1…10000], is [%lld, %lld]", (long long)rate.num,
                    (long long)rate.den);
    return reader->failed ? (struct rate){1, 1} : rate;
}

static void read_source(struct json_reader *reader, const json_t *json, struct source_spec *source)
{
    const json_t *object = json_object_get(json, "source");
    if (json_is_null(object))
        return;
    object = json_read_object(reader, json, "source");
    json_enter(reader, "source");
    source->present = true;
    read_launch(reader, object, source->launch);
    source->latency = json_read_int(reader, object, "latencyMs", 0, SPEC_LATENCY_MAX_MS) * NS_PER_MS;
    source->stamp = json_read_bool(reader, object, "stamp");
    source->loop = json_read_bool(reader, object, "loop");
    json_leave(reader);
}

static void read_video(struct json_reader *reader, const json_t *json, struct video_spec *video)
{
    const json_t *object = json_read_object(reader, json, "video");
    json_enter(reader, "video");
    video->width = (int)json_read_int(reader, object, "width", 64, 8192);
    video->height = (int)json_read_int(reader, object, "height", 64, 8192);
    if (video->width % 2 != 0)
        json_refuse(reader, "width", "must be even, is %d", video->width);
    if (video->height % 2 != 0)
        json_refuse(reader, "height", "must be even, is %d", video->height);
    video->rate = read_rate(reader, object);
    if (video->rate.num < video->rate.den || video->rate.num > 120 * video->rate.den)
        json_refuse(reader, "rate", "must be 1 to 120 frames a second, is %lld/%lld",
                    (long long)video->rate.num, (long long)video->rate.den);
    static const char *const formats[] = {"I420", "NV12", NULL};
    video->format = (enum video_format)json_read_choice(reader, object, "format", formats);
    json_leave(reader);
}

static void read_audio(struct json_reader *reader, const json_t *json, struct spec *spec)
{
    const json_t *array = json_read_array(reader, json, "audio", SPEC_TRACKS_MAX);
    json_enter(reader, "audio");
    spec->track_count = json_array_size(array);
    for (size_t i = 0; i < spec->track_count; i++) {
        const json_t *object = json_array_get(array, i);
        json_enter_index(reader, i);
        spec->tracks[i].channels = (int)json_read_int(reader, object, "channels", 1, 2);
        spec->tracks[i].delay_ms = (int)json_read_int(reader, object, "delayMs", -SPEC_DELAY_MAX_MS,
                                                      SPEC_DELAY_MAX_MS);
        json_leave(reader);
    }
    json_leave(reader);
}

static void read_loss(struct json_reader *reader, const json_t *json, struct loss_spec *loss)
{
    static const char *const pictures[] = {"black", "bars", "slate", "end", NULL};
    const json_t *object = json_read_object(reader, json, "loss");
    json_enter(reader, "loss");
    loss->hold = json_read_int(reader, object, "holdMs", 0, SPEC_HOLD_MAX_MS) * NS_PER_MS;
    loss->picture = (enum loss_picture)json_read_choice(reader, object, "picture", pictures);
    json_read_text(reader, object, "text", loss->text, sizeof loss->text);
    read_path(reader, object, "image", true, loss->image, sizeof loss->image);
    json_leave(reader);
}

static bool is_name(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t length = strlen(text);
    return length > 0 && length <= 64 && strspn(text, letters) == length;
}

static void read_program(struct json_reader *reader, const json_t *json, struct spec *spec)
{
    const json_t *object = json_read_object(reader, json, "program");
    json_enter(reader, "program");
    read_launch(reader, object, spec->launch);
    spec->live = json_read_object(reader, object, "live");
    json_enter(reader, "live");
    const char *element, *property;
    json_t *properties, *value;
    json_object_foreach ((json_t *)(uintptr_t)spec->live, element, properties) {
        if (!is_name(element))
            json_refuse(reader, NULL, "has \"%.40s\", which is not the name of an element", element);
        else if (!json_is_object(properties))
            json_refuse(reader, element, "must be an object");
        json_object_foreach (properties, property, value) {
            if (!is_name(property))
                json_refuse(reader, element, "has \"%.40s\", which is not the name of a property", property);
            else if (!json_is_number(value) && !json_is_string(value) && !json_is_boolean(value))
                json_refuse(reader, element, "has a property %.40s that is no number, string or boolean",
                            property);
        }
    }
    json_leave(reader);
    json_leave(reader);
}

/* Stream 0 is the video, stream n the audio track n − 1. */
static void read_stream(struct json_reader *reader, const json_t *object, struct spec *spec, size_t index)
{
    static const char *const video[] = {"h264", NULL}, *const audio[] = {"aac", "mp2", NULL};
    struct feed_stream *stream = &spec->table.streams[index];
    struct rate rate = read_rate(reader, object);
    *stream = (struct feed_stream){
        .stream = (uint8_t)index,
        .rate_num = (uint32_t)rate.num,
        .rate_den = (uint32_t)rate.den,
        .bitrate = (uint32_t)json_read_int(reader, object, "bitrate", 0, 1000000000)};
    if (index == 0) {
        json_read_choice(reader, object, "codec", video);
        stream->codec = FEED_H264;
        if (rate.num * spec->video.rate.den != spec->video.rate.num * rate.den)
            json_refuse(reader, "rate", "must be that of the video, %lld/%lld, is %lld/%lld",
                        (long long)spec->video.rate.num, (long long)spec->video.rate.den, (long long)rate.num,
                        (long long)rate.den);
        return;
    }
    bool layer2 = json_read_choice(reader, object, "codec", audio) == 1;
    struct track_spec *track = &spec->tracks[index - 1];
    stream->codec = layer2 ? FEED_MPEG_AUDIO : FEED_AAC_ADTS;
    track->frame = layer2 ? 1152 : 1024;
    if (rate.num * track->frame != SAMPLE_RATE * rate.den)
        json_refuse(reader, "rate", "must be %d/%d, is %lld/%lld", SAMPLE_RATE, track->frame,
                    (long long)rate.num, (long long)rate.den);
}

static void read_streams(struct json_reader *reader, const json_t *json, struct spec *spec)
{
    const json_t *array = json_read_array(reader, json, "streams", FEED_STREAMS_MAX);
    size_t count = json_array_size(array), expected = 1 + spec->track_count;
    if (array != NULL && count != expected)
        json_refuse(reader, "streams", "must have %zu elements, the video and each audio track, has %zu",
                    expected, count);
    if (reader->failed)
        return;
    json_enter(reader, "streams");
    spec->table.count = count;
    for (size_t i = 0; i < count; i++) {
        json_enter_index(reader, i);
        read_stream(reader, json_array_get(array, i), spec, i);
        json_leave(reader);
    }
    json_leave(reader);
}

static void read_preview(struct json_reader *reader, const json_t *json, struct preview_spec *preview)
{
    if (json_is_null(json_object_get(json, "preview")))
        return;
    const json_t *object = json_read_object(reader, json, "preview");
    json_enter(reader, "preview");
    preview->present = true;
    read_path(reader, object, "file", false, preview->file, sizeof preview->file);
    preview->width = (int)json_read_int(reader, object, "width", 16, 1920);
    preview->height = (int)json_read_int(reader, object, "height", 16, 1920);
    json_leave(reader);
}

struct spec *spec_parse(const json_t *json, struct control_error *error)
{
    struct json_reader reader = {.error = error};
    struct spec *spec = calloc(1, sizeof *spec);
    json_t *own = json_deep_copy(json);
    if (spec == NULL || (json != NULL && own == NULL)) {
        free(spec);
        json_decref(own);
        control_fail(error, "failed", "", "out of memory");
        return NULL;
    }
    spec->references = 1;
    spec->json = own;
    char channel[65];
    if (!json_is_object(own))
        json_refuse(&reader, NULL, "the spec must be an object");
    json_read_text(&reader, own, "channel", channel, sizeof channel);
    read_source(&reader, own, &spec->source);
    read_video(&reader, own, &spec->video);
    read_audio(&reader, own, spec);
    read_loss(&reader, own, &spec->loss);
    read_program(&reader, own, spec);
    read_streams(&reader, own, spec);
    read_path(&reader, own, "feed", false, spec->feed, sizeof spec->feed);
    read_preview(&reader, own, &spec->preview);
    if (!reader.failed)
        return spec;
    spec_unref(spec);
    return NULL;
}

struct spec *spec_ref(struct spec *spec)
{
    __atomic_add_fetch(&spec->references, 1, __ATOMIC_RELAXED);
    return spec;
}

void spec_unref(struct spec *spec)
{
    if (spec == NULL || __atomic_sub_fetch(&spec->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    json_decref(spec->json);
    free(spec);
}

/* ---- comparing ---- */

static bool starts(const char *pointer, const char *prefix)
{
    return strncmp(pointer, prefix, strlen(prefix)) == 0;
}

static bool ends(const char *pointer, const char *suffix)
{
    size_t length = strlen(pointer), tail = strlen(suffix);
    return length >= tail && strcmp(pointer + length - tail, suffix) == 0;
}

/* Notes that the value at `pointer` differs; `removed` when the new spec no longer has it. */
static void differs(struct spec_change *change, const char *pointer, bool removed)
{
    bool rebuilt = false;
    if (starts(pointer, "/source")) {
        rebuilt = !ends(pointer, "/latencyMs");
        change->source |= rebuilt;
    } else if (starts(pointer, "/program/live")) {
        /* A property cannot be set back to what it would have been: that takes a new element. */
        rebuilt = removed;
        change->program |= removed;
        change->properties = true;
    } else if (starts(pointer, "/streams") && ends(pointer, "/bitrate")) {
        change->table = true;
    } else if (starts(pointer, "/loss")) {
        change->picture |= !ends(pointer, "/holdMs");
    } else if (starts(pointer, "/feed")) {
        rebuilt = change->feed = true;
    } else if (starts(pointer, "/preview")) {
        change->preview = true;
    } else if (!starts(pointer, "/channel") && !ends(pointer, "/delayMs")) {
        rebuilt = change->program = true;
        change->picture |= starts(pointer, "/video");
    }
    json_array_append_new(rebuilt ? change->rebuilt : change->live, json_string(pointer));
}

static void compare(struct spec_change *change, const char *path, const json_t *before, const json_t *after);

static void compare_member(struct spec_change *change, const char *path, const char *name,
                           const json_t *before, const json_t *after)
{
    char pointer[256];
    snprintf(pointer, sizeof pointer, "%s/%s", path, name);
    compare(change, pointer, before, after);
}

/* Goes down where both sides have the same shape; a list of plain values counts as one value. */
static void compare(struct spec_change *change, const char *path, const json_t *before, const json_t *after)
{
    if (json_equal(before, after))
        return;
    const char *name;
    json_t *value;
    if (json_is_object(before) && json_is_object(after)) {
        json_object_foreach ((json_t *)(uintptr_t)after, name, value)
            compare_member(change, path, name, json_object_get(before, name), value);
        json_object_foreach ((json_t *)(uintptr_t)before, name, value) {
            if (json_object_get(after, name) == NULL)
                compare_member(change, path, name, value, NULL);
        }
    } else if (json_is_array(before) && json_array_size(before) == json_array_size(after) &&
               json_is_object(json_array_get(before, 0))) {
        for (size_t i = 0; i < json_array_size(before); i++) {
            char index[24];
            snprintf(index, sizeof index, "%zu", i);
            compare_member(change, path, index, json_array_get(before, i), json_array_get(after, i));
        }
    } else {
        differs(change, path, after == NULL);
    }
}

struct spec_change spec_compare(const struct spec *before, const struct spec *after)
{
    struct spec_change change = {.live = json_array(), .rebuilt = json_array()};
    json_t *nothing = before == NULL ? json_object() : NULL;
    compare(&change, "", before == NULL ? nothing : before->json, after->json);
    json_decref(nothing);
    if (before == NULL)
        change.source = change.program = change.picture = change.feed = change.preview = true;
    /* What a rebuilt program starts with is not also to be set on the old one. */
    change.properties &= !change.program;
    change.table &= !change.program;
    return change;
}
