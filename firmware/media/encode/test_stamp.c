/* What is stamped is read, after scaling and noise as well; what is not is refused. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "stamp.h"

static struct stamp_plane plane_new(int width, int height, int step)
{
    struct stamp_plane plane = {NULL, width, height, width * step + 32, step};
    plane.data = malloc((size_t)plane.stride * (size_t)height);
    CHECK(plane.data != NULL);
    for (int i = 0; i < plane.stride * height; i++)
        plane.data[i] = (uint8_t)(100 + rand() % 50);
    return plane;
}

/* By area, as a good scaler does. */
static void scale(const struct stamp_plane *from, const struct stamp_plane *to)
{
    for (int y = 0; y < to->height; y++) {
        for (int x = 0; x < to->width; x++) {
            int x0 = x * from->width / to->width, x1 = (x + 1) * from->width / to->width;
            int y0 = y * from->height / to->height, y1 = (y + 1) * from->height / to->height;
            int sum = 0, count = 0;
            for (int v = y0; v < (y1 > y0 ? y1 : y0 + 1); v++) {
                for (int u = x0; u < (x1 > x0 ? x1 : x0 + 1); u++, count++)
                    sum += from->data[v * from->stride + u * from->step];
            }
            int value = sum / count + rand() % 41 - 20;
            to->data[y * to->stride + x * to->step] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
        }
    }
}

static void is_read_after_scaling(int width, int height, int to_width, int to_height, int step)
{
    struct stamp_plane from = plane_new(width, height, step), to = plane_new(to_width, to_height, 1);
    struct stamp stamp = {.counter = (uint32_t)rand() * 7u, .time = (int64_t)rand() << 31 | rand()}, read;
    stamp_draw(&from, &stamp, 16, 235);
    CHECK(stamp_read(&from, &read));
    CHECK(read.counter == stamp.counter && read.time == stamp.time);
    scale(&from, &to);
    CHECK(stamp_read(&to, &read));
    CHECK(read.counter == stamp.counter && read.time == stamp.time);
    /* One wrong block, and it is none. */
    memset(to.data + (to_height / 16 + to_height / 64) * to.stride + to_width / 8, rand() % 2 == 0 ? 16 : 235,
           2);
    for (int y = to_height / 16; y < to_height / 16 + to_height / 32; y++) {
        for (int x = to_width / 8; x < to_width / 8 + to_width * 3 / 64; x++)
            to.data[y * to.stride + x] = stamp.counter >> 31 ? 16 : 235;
    }
    CHECK(!stamp_read(&to, &read));
    free(from.data);
    free(to.data);
}

int main(void)
{
    srand(1);
    for (int i = 0; i < 3; i++) {
        is_read_after_scaling(1280, 720, 1280, 720, 1);
        is_read_after_scaling(1920, 1080, 640, 360, 1);
        is_read_after_scaling(1280, 720, 320, 180, 2);
        is_read_after_scaling(720, 576, 1920, 1080, 2);
        is_read_after_scaling(3840, 2160, 1280, 720, 1);
        is_read_after_scaling(320, 180, 720, 480, 1);
    }
    struct stamp read;
    struct stamp_plane plain = plane_new(640, 360, 1);
    CHECK(!stamp_read(&plain, &read));
    memset(plain.data, 16, (size_t)plain.stride * 360);
    CHECK(!stamp_read(&plain, &read));
    free(plain.data);
    return 0;
}
