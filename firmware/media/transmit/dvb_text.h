/* Text in DVB tables (EN 300 468 annex A). */
#ifndef STEADYCAST_DVB_TEXT_H
#define STEADYCAST_DVB_TEXT_H

#include <stddef.h>
#include <stdint.h>

/** Encodes `utf8` for a DVB descriptor into `out` (at most `size` bytes, cut at a character) and returns
 *  the length. `character_set` is "auto", "utf-8" or "iso-8859-N". Plain ASCII goes without a selector in
 *  every set; what the chosen set can't hold goes as UTF-8 (selector 0x15). Control characters are left out. */
size_t dvb_text(const char *character_set, const char *utf8, uint8_t *out, size_t size);

#endif
