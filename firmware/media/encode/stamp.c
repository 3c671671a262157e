#include "stamp.h"

#include <gst/video/video.h>

#include "clock.h"

#define BLACK 16
#define WHITE 235
#define CONTRAST_MIN 48 /* between the darkest and the brightest block */

struct edges {
    int left, top, right, bottom;
};

static struct edges block_edges(const struct stamp_plane *plane, int row, int column)
{
    return (struct edges){.left = plane->width / 8 + plane->width * 3 * column / 64,
                          .right = plane->width / 8 + plane->width * 3 * (column + 1) / 64,
                          .top = plane->height / 16 + plane->height * row / 32,
                          .bottom = plane->height / 16 + plane->height * (row + 1) / 32};
}

static uint32_t crc32_of(const uint8_t *bytes, size_t count)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xEDB88320) : 0);
    }
    return ~crc;
}

/* The sixteen bytes of a stamp, most significant first. */
static void encode(const struct stamp *stamp, uint8_t bytes[16])
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(stamp->counter >> (24 - 8 * i));
    for (int i = 0; i < 8; i++)
        bytes[4 + i] = (uint8_t)((uint64_t)stamp->time >> (56 - 8 * i));
    uint32_t crc = crc32_of(bytes, 12);
    for (int i = 0; i < 4; i++)
        bytes[12 + i] = (uint8_t)(crc >> (24 - 8 * i));
}

void stamp_draw(const struct stamp_plane *luma, const struct stamp *stamp, uint8_t black, uint8_t white)
{
    uint8_t bytes[16];
    encode(stamp, bytes);
    for (int i = 0; i < STAMP_ROWS * STAMP_COLUMNS; i++) {
        struct edges edges = block_edges(luma, i / STAMP_COLUMNS, i % STAMP_COLUMNS);
        uint8_t value = bytes[i / 8] >> (7 - i % 8) & 1 ? white : black;
        for (int y = edges.top; y < edges.bottom; y++) {
            for (int x = edges.left; x < edges.right; x++)
                luma->data[y * luma->stride + x * luma->step] = value;
        }
    }
}

/* The mean of the middle half. */
static int block_mean(const struct stamp_plane *luma, int index)
{
    struct edges edges = block_edges(luma, index / STAMP_COLUMNS, index % STAMP_COLUMNS);
    int width = edges.right - edges.left, height = edges.bottom - edges.top;
    int sum = 0, count = 0;
    for (int y = edges.top + height / 4; y < edges.bottom - height / 4; y++) {
        for (int x = edges.left + width / 4; x < edges.right - width / 4; x++) {
            sum += luma->data[y * luma->stride + x * luma->step];
            count++;
        }
    }
    return count == 0 ? 0 : sum / count;
}

bool stamp_read(const struct stamp_plane *luma, struct stamp *stamp)
{
    int means[STAMP_ROWS * STAMP_COLUMNS], darkest = 255, brightest = 0;
    for (int i = 0; i < STAMP_ROWS * STAMP_COLUMNS; i++) {
        means[i] = block_mean(luma, i);
        darkest = means[i] < darkest ? means[i] : darkest;
        brightest = means[i] > brightest ? means[i] : brightest;
    }
    if (brightest - darkest < CONTRAST_MIN)
        return false;
    uint8_t bytes[16] = {0}, expected[16];
    for (int i = 0; i < STAMP_ROWS * STAMP_COLUMNS; i++) {
        if (means[i] > (darkest + brightest) / 2)
            bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
    }
    *stamp = (struct stamp){0};
    for (int i = 0; i < 4; i++)
        stamp->counter = stamp->counter << 8 | bytes[i];
    uint64_t time = 0;
    for (int i = 0; i < 8; i++)
        time = time << 8 | bytes[4 + i];
    stamp->time = (int64_t)time;
    encode(stamp, expected);
    return memcmp(bytes, expected, sizeof bytes) == 0;
}

/* ---- drawing while frames pass ---- */

static void draw(GstVideoFrame *frame, const struct stamp *stamp)
{
    bool yuv = GST_VIDEO_INFO_IS_YUV(&frame->info) || GST_VIDEO_INFO_IS_GRAY(&frame->info);
    /* In RGB a white block is white in all components. */
    int components = yuv ? 1 : 3;
    for (int c = 0; c < components; c++) {
        struct stamp_plane plane = {.data = GST_VIDEO_FRAME_COMP_DATA(frame, c),
                                    .width = GST_VIDEO_FRAME_COMP_WIDTH(frame, c),
                                    .height = GST_VIDEO_FRAME_COMP_HEIGHT(frame, c),
                                    .stride = GST_VIDEO_FRAME_COMP_STRIDE(frame, c),
                                    .step = GST_VIDEO_FRAME_COMP_PSTRIDE(frame, c)};
        stamp_draw(&plane, stamp, yuv ? BLACK : 0, yuv ? WHITE : 255);
    }
}

static GstPadProbeReturn on_buffer(GstPad *pad, GstPadProbeInfo *probe, gpointer data)
{
    uint32_t *counter = data;
    GstCaps *caps = gst_pad_get_current_caps(pad);
    GstVideoInfo info;
    bool raw = caps != NULL && gst_video_info_from_caps(&info, caps) &&
               GST_VIDEO_INFO_COMP_DEPTH(&info, 0) == 8;
    g_clear_pointer(&caps, gst_caps_unref);
    if (!raw)
        return GST_PAD_PROBE_OK;
    GstBuffer *buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(probe));
    probe->data = buffer;
    GstVideoFrame frame;
    if (gst_video_frame_map(&frame, &info, buffer, GST_MAP_READWRITE)) {
        draw(&frame, &(struct stamp){.counter = (*counter)++, .time = clock_now()});
        gst_video_frame_unmap(&frame);
    }
    return GST_PAD_PROBE_OK;
}

void stamp_attach(GstElement *element)
{
    GstPad *pad = gst_element_get_static_pad(element, "src");
    if (pad == NULL)
        return;
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, g_new0(uint32_t, 1), g_free);
    gst_object_unref(pad);
}
