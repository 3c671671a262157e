/* Each wrong field is named with its limit and value, and each change is put down to what it takes. */
#include <string.h>

#include "check.h"
#include "spec.h"

static const char base[] =
    "{'channel':'ch1',"
    "'source':{'launch':'videotestsrc ! appsink name=video','latencyMs':30,'stamp':true,'loop':false},"
    "'video':{'width':1280,'height':720,'rate':[25,1],'format':'I420'},"
    "'audio':[{'channels':2,'delayMs':0},{'channels':1,'delayMs':-500}],"
    "'loss':{'holdMs':1000,'picture':'slate','text':'No signal','image':''},"
    "'program':{'launch':'appsrc name=video','live':{'venc':{'bitrate':3000,'tune':'x'}}},"
    "'streams':[{'codec':'h264','rate':[25,1],'bitrate':3000000},"
    "{'codec':'aac','rate':[48000,1024],'bitrate':128000},"
    "{'codec':'mp2','rate':[48000,1152],'bitrate':192000}],"
    "'feed':'/run/ch1/feed.sock','preview':{'file':'/run/ch1/preview.jpg','width':320,'height':180}}";

static json_t *parse(const char *text)
{
    char copy[4096];
    size_t length = strlen(text);
    CHECK(length < sizeof copy);
    for (size_t i = 0; i <= length; i++)
        copy[i] = text[i] == '\'' ? '"' : text[i];
    json_t *json = json_loads(copy, JSON_DECODE_ANY, NULL);
    CHECK(json != NULL);
    return json;
}

/* The base with the value at `pointer` replaced, or removed when `value` is NULL. */
static json_t *with(const char *pointer, const char *value)
{
    char path[128];
    snprintf(path, sizeof path, "%s", pointer);
    json_t *root = parse(base), *at = root;
    char *save, *name = strtok_r(path, "/", &save);
    for (char *next; (next = strtok_r(NULL, "/", &save)) != NULL; name = next)
        at = json_is_array(at) ? json_array_get(at, (size_t)atoi(name)) : json_object_get(at, name);
    if (json_is_array(at))
        json_array_set_new(at, (size_t)atoi(name), parse(value));
    else if (value == NULL)
        json_object_del(at, name);
    else
        json_object_set_new(at, name, parse(value));
    return root;
}

static void refuses(const char *pointer, const char *value, const char *field, const char *says)
{
    struct control_error error = {0};
    json_t *json = with(pointer, value);
    CHECK(spec_parse(json, &error) == NULL);
    if (strcmp(error.field, field) != 0 || strstr(error.message, says) == NULL)
        fprintf(stderr, "%s = %s: field %s, %s\n", pointer, value, error.field, error.message);
    CHECK(strcmp(error.code, "invalid") == 0);
    CHECK(strcmp(error.field, field) == 0);
    CHECK(strstr(error.message, says) != NULL);
    json_decref(json);
}

static void faults_are_named(void)
{
    refuses("/channel", NULL, "/channel", "is missing");
    refuses("/source", "[]", "/source", "must be an object");
    refuses("/source/launch", "''", "/source/launch", "must not be empty");
    refuses("/source/latencyMs", "5001", "/source/latencyMs", "between 0 and 5000, is 5001");
    refuses("/source/latencyMs", "-1", "/source/latencyMs", "is -1");
    refuses("/source/stamp", "1", "/source/stamp", "true or false");
    refuses("/source/loop", NULL, "/source/loop", "is missing");
    refuses("/video/width", "1279", "/video/width", "must be even, is 1279");
    refuses("/video/width", "10000", "/video/width", "between 64 and 8192, is 10000");
    refuses("/video/height", "62", "/video/height", "is 62");
    refuses("/video/rate", "[25]", "/video/rate", "is [25, 0]");
    refuses("/video/rate", "[121,1]", "/video/rate", "1 to 120 frames a second, is 121/1");
    refuses("/video/rate", "'25'", "/video/rate", "must be an array");
    refuses("/video/format", "'RGB'", "/video/format", "must be one of I420, NV12, is RGB");
    refuses("/audio", "{}", "/audio", "must be an array");
    refuses("/audio/1/channels", "6", "/audio/1/channels", "between 1 and 2, is 6");
    refuses("/audio/0/delayMs", "501", "/audio/0/delayMs", "between -500 and 500, is 501");
    refuses("/audio", "[{'channels':2,'delayMs':0}]", "/streams", "must have 2 elements");
    refuses("/loss/holdMs", "10001", "/loss/holdMs", "between 0 and 10000, is 10001");
    refuses("/loss/picture", "'white'", "/loss/picture", "black, bars, slate, end, is white");
    refuses("/loss/image", "'logo.png'", "/loss/image", "absolute path, is \"logo.png\"");
    refuses("/program", NULL, "/program", "is missing");
    refuses("/program/launch", "7", "/program/launch", "must be a string");
    refuses("/program/live/venc", "3", "/program/live/venc", "must be an object");
    refuses("/program/live/venc/bitrate", "[]", "/program/live/venc", "no number, string or boolean");
    refuses("/program/live", "{'a b':{}}", "/program/live", "not the name of an element");
    refuses("/streams/0/codec", "'mpeg2'", "/streams/0/codec", "must be one of h264, is mpeg2");
    refuses("/streams/0/rate", "[50,1]", "/streams/0/rate", "25/1, is 50/1");
    refuses("/streams/1/codec", "'ac3'", "/streams/1/codec", "must be one of aac, mp2, is ac3");
    refuses("/streams/2/rate", "[48000,1024]", "/streams/2/rate", "must be 48000/1152");
    refuses("/streams/1/bitrate", "-1", "/streams/1/bitrate", "is -1");
    refuses("/feed", "'feed.sock'", "/feed", "absolute path");
    refuses("/preview/width", "8", "/preview/width", "between 16 and 1920, is 8");
    refuses("/preview/file", "''", "/preview/file", "absolute path");
    struct control_error error = {0};
    CHECK(spec_parse(NULL, &error) == NULL && strcmp(error.code, "invalid") == 0);
}

static void good_spec_is_read(void)
{
    struct control_error error = {0};
    json_t *json = parse(base);
    struct spec *spec = spec_parse(json, &error);
    CHECK(spec != NULL);
    CHECK_EQ_INT(spec->source.latency, 30 * NS_PER_MS);
    CHECK_EQ_INT(spec->track_count, 2);
    CHECK_EQ_INT(spec->tracks[1].delay_ms, -500);
    CHECK_EQ_INT(spec->tracks[1].frame, 1152);
    CHECK_EQ_INT(spec->table.count, 3);
    CHECK_EQ_INT(spec->table.streams[2].codec, FEED_MPEG_AUDIO);
    CHECK(json_equal(spec->json, json));
    spec_unref(spec);
    json_decref(json);
    json = with("/source", "null");
    spec = spec_parse(json, &error);
    CHECK(spec != NULL && !spec->source.present && spec->source.latency == 0);
    spec_unref(spec);
    json_decref(json);
}

enum { SOURCE = 1, PROGRAM = 2, TABLE = 4, PROPERTIES = 8, PICTURE = 16, FEED = 32, PREVIEW = 64 };

/* A change of one value is told as `told`, live or rebuilt, and takes just these actions. */
static void takes(const char *pointer, const char *value, const char *told, bool rebuilt, int actions)
{
    struct control_error error = {0};
    json_t *before_json = parse(base), *after_json = with(pointer, value);
    struct spec *before = spec_parse(before_json, &error), *after = spec_parse(after_json, &error);
    CHECK(before != NULL && after != NULL);
    struct spec_change change = spec_compare(before, after);
    int found = change.source * SOURCE + change.program * PROGRAM + change.table * TABLE +
                change.properties * PROPERTIES + change.picture * PICTURE + change.feed * FEED +
                change.preview * PREVIEW;
    if (found != actions)
        fprintf(stderr, "%s = %s takes %d\n", pointer, value, found);
    CHECK_EQ_INT(found, actions);
    CHECK_EQ_INT(json_array_size(change.live), rebuilt ? 0 : 1);
    CHECK_EQ_INT(json_array_size(change.rebuilt), rebuilt ? 1 : 0);
    const char *first = json_string_value(json_array_get(rebuilt ? change.rebuilt : change.live, 0));
    CHECK(strcmp(first, told) == 0);
    json_decref(change.live);
    json_decref(change.rebuilt);
    spec_unref(before);
    spec_unref(after);
    json_decref(before_json);
    json_decref(after_json);
}

static void changes_take_the_least(void)
{
    takes("/channel", "'ch2'", "/channel", false, 0);
    takes("/source/latencyMs", "200", "/source/latencyMs", false, 0);
    takes("/source/launch", "'x'", "/source/launch", true, SOURCE);
    takes("/source/loop", "true", "/source/loop", true, SOURCE);
    takes("/source", "null", "/source", true, SOURCE);
    takes("/video/width", "640", "/video/width", true, PROGRAM | PICTURE);
    takes("/audio/0/delayMs", "40", "/audio/0/delayMs", false, 0);
    takes("/audio/0/channels", "1", "/audio/0/channels", true, PROGRAM);
    takes("/loss/holdMs", "0", "/loss/holdMs", false, 0);
    takes("/loss/text", "'Back soon'", "/loss/text", false, PICTURE);
    takes("/program/launch", "'y'", "/program/launch", true, PROGRAM);
    takes("/program/live/venc/bitrate", "2000", "/program/live/venc/bitrate", false, PROPERTIES);
    takes("/program/live/venc/tune", NULL, "/program/live/venc/tune", true, PROGRAM);
    takes("/streams/0/bitrate", "2000000", "/streams/0/bitrate", false, TABLE);
    takes("/feed", "'/run/f.sock'", "/feed", true, FEED);
    takes("/preview", "null", "/preview", false, PREVIEW);
}

static void same_spec_takes_nothing(void)
{
    struct control_error error = {0};
    json_t *json = parse(base);
    struct spec *spec = spec_parse(json, &error);
    CHECK(spec != NULL);
    struct spec_change change = spec_compare(spec, spec), first = spec_compare(NULL, spec);
    CHECK(json_array_size(change.live) + json_array_size(change.rebuilt) == 0);
    CHECK(!change.source && !change.program && !change.picture && !change.feed && !change.preview);
    CHECK(first.source && first.program && first.picture && first.feed && first.preview);
    json_decref(change.live);
    json_decref(change.rebuilt);
    json_decref(first.live);
    json_decref(first.rebuilt);
    spec_unref(spec);
    json_decref(json);
}

int main(void)
{
    faults_are_named();
    good_spec_is_read();
    changes_take_the_least();
    same_spec_takes_nothing();
    return 0;
}
