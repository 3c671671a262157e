#include "preview.h"

#include <errno.h>
#include <fcntl.h>
#include <gst/app/app.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "picture.h"

#define CODE_TIME (2 * GST_SECOND)

struct preview {
    struct preview_spec spec;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t offered;
    bool stopping;
    GstBuffer *picture;
    struct video_spec video;

    /* the preview's thread only */
    GstElement *pipeline, *in, *out;
    struct video_spec built; /* what `pipeline` takes */
};

static void pull_down(struct preview *preview)
{
    if (preview->pipeline != NULL)
        gst_element_set_state(preview->pipeline, GST_STATE_NULL);
    g_clear_object(&preview->in);
    g_clear_object(&preview->out);
    g_clear_object(&preview->pipeline);
}

static bool build(struct preview *preview, const struct video_spec *video)
{
    char launch[320];
    /* By way of RGB, since JPEG has another range of values than video. */
    snprintf(launch, sizeof launch,
             "appsrc name=in format=time ! videoscale ! video/x-raw,width=%d,height=%d ! videoconvert"
             " ! video/x-raw,format=RGB ! jpegenc quality=75 ! appsink name=out sync=false async=false",
             preview->spec.width, preview->spec.height);
    pull_down(preview);
    preview->pipeline = gst_parse_launch_full(launch, NULL, GST_PARSE_FLAG_FATAL_ERRORS, NULL);
    if (preview->pipeline == NULL)
        return false;
    preview->in = gst_bin_get_by_name(GST_BIN(preview->pipeline), "in");
    preview->out = gst_bin_get_by_name(GST_BIN(preview->pipeline), "out");
    preview->built = *video;
    GstVideoInfo info;
    picture_info(&info, video);
    GstCaps *caps = gst_video_info_to_caps(&info);
    gst_app_src_set_caps(GST_APP_SRC(preview->in), caps);
    gst_caps_unref(caps);
    return gst_element_set_state(preview->pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
}

/* The whole file or none: written beside it, then renamed. */
static void write_file(const char *path, const uint8_t *data, size_t size)
{
    char beside[sizeof((struct preview_spec *)0)->file + 8];
    snprintf(beside, sizeof beside, "%s.part", path);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return;
    size_t done = 0;
    while (done < size) {
        ssize_t part = write(fd, data + done, size - done);
        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            break;
        done += (size_t)part;
    }
    if (close(fd) != 0 || done < size || rename(beside, path) != 0)
        unlink(beside);
}

static void code(struct preview *preview, GstBuffer *picture, const struct video_spec *video)
{
    bool same = preview->pipeline != NULL && preview->built.width == video->width &&
                preview->built.height == video->height && preview->built.format == video->format;
    if (!same && !build(preview, video)) {
        pull_down(preview);
        return;
    }
    GstBuffer *buffer = gst_buffer_copy(picture);
    GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) = GST_BUFFER_DURATION(buffer) = GST_CLOCK_TIME_NONE;
    gst_app_src_push_buffer(GST_APP_SRC(preview->in), buffer);
    GstSample *sample = gst_app_sink_try_pull_sample(GST_APP_SINK(preview->out), CODE_TIME);
    GstMapInfo map;
    if (sample == NULL) {
        pull_down(preview);
        return;
    }
    if (gst_buffer_map(gst_sample_get_buffer(sample), &map, GST_MAP_READ)) {
        write_file(preview->spec.file, map.data, map.size);
        gst_buffer_unmap(gst_sample_get_buffer(sample), &map);
    }
    gst_sample_unref(sample);
}

static void *run(void *data)
{
    struct preview *preview = data;
    pthread_mutex_lock(&preview->lock);
    while (!preview->stopping) {
        if (preview->picture == NULL) {
            pthread_cond_wait(&preview->offered, &preview->lock);
            continue;
        }
        GstBuffer *picture = preview->picture;
        struct video_spec video = preview->video;
        pthread_mutex_unlock(&preview->lock);
        code(preview, picture, &video);
        gst_buffer_unref(picture);
        pthread_mutex_lock(&preview->lock);
        preview->picture = NULL;
    }
    pthread_mutex_unlock(&preview->lock);
    pull_down(preview);
    return NULL;
}

struct preview *preview_new(const struct preview_spec *spec)
{
    struct preview *preview = calloc(1, sizeof *preview);
    if (preview == NULL)
        return NULL;
    preview->spec = *spec;
    pthread_mutex_init(&preview->lock, NULL);
    pthread_cond_init(&preview->offered, NULL);
    if (pthread_create(&preview->thread, NULL, run, preview) == 0)
        return preview;
    free(preview);
    return NULL;
}

void preview_free(struct preview *preview)
{
    if (preview == NULL)
        return;
    pthread_mutex_lock(&preview->lock);
    preview->stopping = true;
    pthread_cond_signal(&preview->offered);
    pthread_mutex_unlock(&preview->lock);
    pthread_join(preview->thread, NULL);
    g_clear_pointer(&preview->picture, gst_buffer_unref);
    pthread_cond_destroy(&preview->offered);
    pthread_mutex_destroy(&preview->lock);
    free(preview);
}

void preview_offer(struct preview *preview, GstBuffer *picture, const struct video_spec *video)
{
    pthread_mutex_lock(&preview->lock);
    if (preview->picture == NULL) {
        preview->picture = gst_buffer_ref(picture);
        preview->video = *video;
        pthread_cond_signal(&preview->offered);
    }
    pthread_mutex_unlock(&preview->lock);
}
