#include "datagram.h"

#define PACKET 188
#define SYNC_BYTE 0x47

/* Size of the RTP header, and in `end` where the padding begins; 0 when it is none. */
static size_t rtp_header(const uint8_t *b, size_t size, size_t *end)
{
    if (size < 12 || b[0] >> 6 != 2)
        return 0;
    size_t header = 12 + 4 * (size_t)(b[0] & 15);
    if (b[0] & 0x10) {
        if (header + 4 > size)
            return 0;
        header += 4 + 4 * (size_t)(b[header + 2] << 8 | b[header + 3]);
    }
    size_t padding = b[0] & 0x20 ? b[size - 1] : 0;
    if (header + padding > size)
        return 0;
    *end = size - padding;
    return header;
}

bool datagram_read(const uint8_t *bytes, size_t size, struct datagram *out)
{
    size_t end = size, header = rtp_header(bytes, size, &end), payload = end - header;
    bool rtp = header && payload >= PACKET && (bytes[header] == SYNC_BYTE || payload % PACKET == 0);
    if (!rtp) {
        header = 0;
        payload = size;
        if (size < PACKET || (bytes[0] != SYNC_BYTE && size % PACKET != 0))
            return false;
    }
    *out = (struct datagram){.packets = bytes + header, .count = payload / PACKET,
                             .odd = payload % PACKET != 0, .rtp = rtp,
                             .sequence = rtp ? (uint16_t)(bytes[2] << 8 | bytes[3]) : 0};
    return true;
}

void rtp_sequence_take(struct rtp_sequence *s, uint16_t sequence)
{
    int16_t ahead = (int16_t)(uint16_t)(sequence - s->next);
    if (s->started && ahead < 0) {
        s->disordered++;
        s->lost -= s->lost > 0; /* it was counted when it was skipped */
        return;
    }
    s->lost += s->started ? (uint64_t)ahead : 0;
    s->started = true;
    s->next = (uint16_t)(sequence + 1);
}
