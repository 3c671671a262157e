/* Any datagram: whatever is found lies within it. */
#include <stdlib.h>

#include "datagram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct datagram d;
    struct rtp_sequence s = {0};
    if (!datagram_read(data, size, &d))
        return 0;
    if (d.count == 0 || d.packets < data || d.packets + d.count * 188 > data + size)
        abort();
    rtp_sequence_take(&s, d.sequence);
    return 0;
}
