/* Little- and big-endian integers in byte arrays. */
#ifndef STEADYCAST_BYTES_H
#define STEADYCAST_BYTES_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define BYTES_PAIR(order, bits)                                                     \
    static inline void put_##order##bits(uint8_t *to, uint##bits##_t value)         \
    {                                                                               \
        uint##bits##_t stored = hto##order##bits(value);                            \
        memcpy(to, &stored, sizeof stored);                                         \
    }                                                                               \
    static inline uint##bits##_t get_##order##bits(const uint8_t *from)             \
    {                                                                               \
        uint##bits##_t stored;                                                      \
        memcpy(&stored, from, sizeof stored);                                       \
        return order##bits##toh(stored);                                            \
    }

BYTES_PAIR(le, 16)
BYTES_PAIR(le, 32)
BYTES_PAIR(le, 64)
BYTES_PAIR(be, 16)
BYTES_PAIR(be, 32)

#endif
