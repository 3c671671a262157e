#include "clip.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "picture.h"
#include "program.h"

#define FIRST (10 * NS_PER_S) /* so that no decoding time is negative */
#define FINISH_TIME (60 * NS_PER_S)

struct clip {
    FILE *file;
    pthread_mutex_t lock; /* units come on a thread each stream */
    bool failed;
    uint64_t units[FEED_STREAMS_MAX];
    GByteArray *early; /* sound that came before the first picture, which must come first */
};

static void put(struct clip *clip, const uint8_t *data, size_t size)
{
    if (size > 0 && fwrite(data, 1, size, clip->file) != size)
        clip->failed = true;
}

static void write_unit(void *data, const struct feed_unit *unit)
{
    struct clip *clip = data;
    uint8_t header[FEED_HEADER_SIZE];
    feed_write_unit_header(header, unit);
    pthread_mutex_lock(&clip->lock);
    if (unit->stream != 0 && clip->units[0] == 0) {
        g_byte_array_append(clip->early, header, sizeof header);
        g_byte_array_append(clip->early, unit->data, (guint)unit->size);
    } else {
        put(clip, header, sizeof header);
        put(clip, unit->data, unit->size);
        put(clip, clip->early->data, clip->early->len);
        g_byte_array_set_size(clip->early, 0);
    }
    clip->units[unit->stream]++;
    pthread_mutex_unlock(&clip->lock);
}

/* Gives picture and sound in the order of their times, until `seconds` of each are in. */
static void feed_program(struct program *program, GstBuffer *picture, int seconds)
{
    static const int16_t silence[1152][2];
    const struct spec *spec = program_spec(program);
    int64_t end = FIRST + seconds * NS_PER_S, tick = grid_from(FIRST, spec->video.rate);
    int64_t labels[SPEC_TRACKS_MAX];
    for (size_t i = 0; i < spec->track_count; i++) {
        int64_t frame = spec->tracks[i].frame;
        labels[i] = (grid_from(FIRST, RATE_SAMPLES) + frame - 1) / frame * frame;
    }
    for (int64_t time; (time = grid_time(tick, spec->video.rate)) < end; tick++) {
        program_push_video(program, picture, tick, 0);
        for (size_t i = 0; i < spec->track_count; i++) {
            for (; grid_time(labels[i], RATE_SAMPLES) <= time; labels[i] += spec->tracks[i].frame)
                program_push_audio(program, i, silence, labels[i]);
        }
    }
}

static bool record(struct clip *clip, struct spec *spec, int seconds)
{
    char reason[240];
    struct program_output output = {.data = clip, .unit = write_unit};
    struct program *program = program_new(spec, false, &output, reason, sizeof reason);
    if (program == NULL) {
        fprintf(stderr, "encode: %s\n", reason);
        return false;
    }
    GstBuffer *picture = picture_of_loss(&spec->video, &spec->loss, reason, sizeof reason);
    if (reason[0] != '\0')
        fprintf(stderr, "encode: %s\n", reason);
    uint8_t table[FEED_HEADER_SIZE + 16 * FEED_STREAMS_MAX];
    size_t size = feed_write_table(table, &spec->table);
    bool recorded = picture != NULL && fwrite(table, 1, size, clip->file) == size;
    if (recorded) {
        program_open(program);
        feed_program(program, picture, seconds);
        recorded = program_finish(program, FINISH_TIME);
        if (!recorded)
            fprintf(stderr, "encode: the program did not come to its end\n");
    }
    program_free(program);
    g_clear_pointer(&picture, gst_buffer_unref);
    for (size_t i = 0; recorded && i < spec->table.count; i++) {
        recorded = clip->units[i] > 0;
        if (!recorded)
            fprintf(stderr, "encode: stream %zu gave nothing\n", i);
    }
    return recorded && !clip->failed;
}

int clip_make(const char *spec_path, const char *out_path, int seconds)
{
    json_error_t fault;
    struct control_error error = {0};
    json_t *json = json_load_file(spec_path, 0, &fault);
    if (json == NULL) {
        fprintf(stderr, "encode: %s: %s\n", spec_path, fault.text);
        return EXIT_BAD_ARGUMENTS;
    }
    struct spec *spec = spec_parse(json, &error);
    json_decref(json);
    if (spec == NULL) {
        fprintf(stderr, "encode: %s: %s\n", spec_path, error.message);
        return EXIT_BAD_ARGUMENTS;
    }
    char beside[4096];
    snprintf(beside, sizeof beside, "%s.part", out_path);
    struct clip clip = {.file = fopen(beside, "wbe"), .early = g_byte_array_new()};
    bool made = false;
    if (clip.file == NULL) {
        fprintf(stderr, "encode: %s: %s\n", beside, strerror(errno));
    } else {
        pthread_mutex_init(&clip.lock, NULL);
        made = record(&clip, spec, seconds);
        pthread_mutex_destroy(&clip.lock);
        made = fclose(clip.file) == 0 && made;
        if (!made || rename(beside, out_path) != 0) {
            fprintf(stderr, "encode: %s was not made\n", out_path);
            unlink(beside);
            made = false;
        }
    }
    g_byte_array_unref(clip.early);
    spec_unref(spec);
    return made ? EXIT_ORDERLY : EXIT_BROKEN;
}
