#include "file.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PACKET 188
#define SYNC_BYTE 0x47
#define SYNC_RUN 5
#define BUFFER (1024 * PACKET)

/* Whether packets begin here, as far as the bytes reach. */
static bool in_sync(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < SYNC_RUN && i * PACKET < size; i++)
        if (bytes[i * PACKET] != SYNC_BYTE)
            return false;
    return true;
}

int64_t file_read(FILE *file, void (*fn)(void *data, const uint8_t packet[188]), void *data)
{
    uint8_t *buffer = malloc(BUFFER);
    size_t held = 0, got;
    int64_t skipped = 0;
    bool seek = true;
    int bad = 0;
    if (!buffer)
        return -1;
    do {
        got = fread(buffer + held, 1, BUFFER - held, file);
        held += got;
        size_t at = 0, wanted = got ? SYNC_RUN * PACKET : PACKET;
        while (held - at >= wanted) {
            if (seek && !in_sync(buffer + at, held - at)) {
                at++;
                skipped++;
                continue;
            }
            seek = false;
            bad = buffer[at] == SYNC_BYTE ? 0 : bad + 1;
            fn(data, buffer + at);
            at += PACKET;
            if (bad == 2) {
                seek = true;
                bad = 0;
            }
        }
        held -= at;
        memmove(buffer, buffer + at, held);
    } while (got);
    free(buffer);
    return ferror(file) ? -1 : skipped + (int64_t)held;
}
