/* Reads a spec out of JSON and says precisely what is wrong with it: the first fault fills the
 * control_error with its JSON pointer, the limit and the value; later reads then do nothing. */
#ifndef STEADYCAST_JSON_READ_H
#define STEADYCAST_JSON_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control.h"

struct json_reader {
    struct control_error *error;
    bool failed;
    char path[96]; /* JSON pointer of the object that is being read */
};

/** Goes down into member `name`, or with json_enter_index() into element `index`; json_leave() goes back. */
void json_enter(struct json_reader *reader, const char *name);
void json_enter_index(struct json_reader *reader, size_t index);
void json_leave(struct json_reader *reader);

/** Refuses the member `name` (NULL: the object itself) for a reason in words. */
void json_refuse(struct json_reader *reader, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Each reads a member that must be there. After a fault they return 0, NULL, false or an empty string. */
int64_t json_read_int(struct json_reader *reader, const json_t *object, const char *name, int64_t min, int64_t max);
bool json_read_bool(struct json_reader *reader, const json_t *object, const char *name);
/** Copies a string of less than `size` bytes. */
void json_read_text(struct json_reader *reader, const json_t *object, const char *name, char *out, size_t size);
/** The index of the string in the NULL-terminated `choices`. */
int json_read_choice(struct json_reader *reader, const json_t *object, const char *name, const char *const *choices);
const json_t *json_read_object(struct json_reader *reader, const json_t *object, const char *name);
/** An array of at most `max` elements. */
const json_t *json_read_array(struct json_reader *reader, const json_t *object, const char *name, size_t max);

#endif
