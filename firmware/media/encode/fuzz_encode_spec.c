/* Any bytes for a spec: parsed, or refused with a reason; and compared with one that is good. */
#include <stdlib.h>

#include "spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct spec *last;
    json_t *json = json_loadb((const char *)data, size, JSON_DECODE_ANY, NULL);
    struct control_error error = {0};
    struct spec *spec = spec_parse(json, &error);
    json_decref(json);
    if (spec == NULL) {
        if (error.code[0] == '\0' || error.message[0] == '\0')
            abort();
        return 0;
    }
    struct spec_change change = spec_compare(last, spec);
    json_decref(change.live);
    json_decref(change.rebuilt);
    spec_unref(last);
    last = spec;
    return 0;
}
