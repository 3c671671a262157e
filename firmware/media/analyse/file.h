/* Transport packets from a recording. */
#ifndef STEADYCAST_ANALYSE_FILE_H
#define STEADYCAST_ANALYSE_FILE_H

#include <stdint.h>
#include <stdio.h>

/** Calls `fn` for each packet up to the end of the file. Where two sync bytes in a row are missing, it is
 *  called for these and then goes on at the next place where packets follow each other. Returns the bytes
 *  that were left out, −1 on a read error or when out of memory. */
int64_t file_read(FILE *file, void (*fn)(void *data, const uint8_t packet[188]), void *data);

#endif
