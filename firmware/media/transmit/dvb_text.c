#include "dvb_text.h"

#include <iconv.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_control(unsigned char byte)
{
    return byte < 0x20 || byte == 0x7f;
}

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

/* Copies whole UTF-8 characters. */
static size_t copy_utf8(const char *utf8, uint8_t *out, size_t size)
{
    size_t length = 0;
    for (const unsigned char *at = (const unsigned char *)utf8; *at != '\0';) {
        size_t character = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
        if (strnlen((const char *)at, character) < character || length + character > size)
            break;
        if (!is_control(*at)) {
            memcpy(out + length, at, character);
            length += character;
        }
        at += character;
    }
    return length;
}

/* ISO/IEC 8859-`part` with its selector: one byte for parts 5 and up, else 0x10 0x00 part. 0 when a
 * character is not in the set. */
static size_t convert_iso(int part, const char *utf8, uint8_t *out, size_t size)
{
    char name[16], *in = (char *)(uintptr_t)utf8;
    size_t selector = part >= 5 ? 1 : 3, left = strlen(utf8), room = size - selector;
    char *to = (char *)out + selector;
    snprintf(name, sizeof name, "ISO-8859-%d", part);
    iconv_t converter = iconv_open(name, "UTF-8");
    if (converter == (iconv_t)-1)
        return 0;
    size_t result = iconv(converter, &in, &left, &to, &room);
    iconv_close(converter);
    if (result == (size_t)-1 && room > 0)
        return 0;
    if (part >= 5) {
        out[0] = (uint8_t)(part - 4);
    } else {
        out[0] = 0x10;
        out[1] = 0x00;
        out[2] = (uint8_t)part;
    }
    return size - room;
}

size_t dvb_text(const char *character_set, const char *utf8, uint8_t *out, size_t size)
{
    int part = 0;
    if (is_ascii(utf8))
        return copy_utf8(utf8, out, size);
    if (size < 4)
        return 0;
    if (sscanf(character_set, "iso-8859-%d", &part) == 1 && part >= 1 && part <= 15 && part != 12) {
        size_t length = convert_iso(part, utf8, out, size);
        if (length > 0)
            return length;
    }
    out[0] = 0x15;
    return 1 + copy_utf8(utf8, out + 1, size - 1);
}
