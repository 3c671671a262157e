#include "spec.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "json_read.h"

/* A string of `min` or more printable ASCII characters, in `size` bytes. */
static void read_ascii(struct json_reader *reader, const json_t *json, const char *name, size_t min,
                       char *out, size_t size)
{
    json_read_text(reader, json, name, out, size);
    size_t length = strlen(out);
    if (length < min)
        json_refuse(reader, name, "must have %zu to %zu characters, has %zu", min, size - 1, length);
    for (size_t i = 0; i < length; i++)
        if (out[i] < ' ' || out[i] > '~')
            json_refuse(reader, name, "must be printable ASCII, character %zu is not", i + 1);
}

static void check_address(struct json_reader *reader, const struct output_spec *spec)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    struct in_addr address;
    if (strspn(spec->address, letters) != strlen(spec->address))
        json_refuse(reader, "address", "must be a host name or an IPv4 address, is \"%.40s\"", spec->address);
    else if (inet_pton(AF_INET, spec->address, &address) != 1)
        return;
    else if (IN_MULTICAST(ntohl(address.s_addr)) || address.s_addr == INADDR_BROADCAST)
        json_refuse(reader, "address", "must be a unicast address, is %s", spec->address);
    else if (!spec->listener && address.s_addr == INADDR_ANY)
        json_refuse(reader, "address", "must be the peer's address when calling, is %s", spec->address);
}

bool spec_parse(const json_t *json, struct output_spec *spec, struct control_error *error)
{
    struct json_reader reader = {.error = error};
    struct output_spec read = {0};
    json_read_choice(&reader, json, "kind", (const char *const[]){"srt", NULL});
    read_ascii(&reader, json, "channel", 1, read.channel, sizeof read.channel);
    read_ascii(&reader, json, "id", 1, read.id, sizeof read.id);
    read_ascii(&reader, json, "tap", 1, read.tap, sizeof read.tap);
    const char *const modes[] = {"caller", "listener", NULL};
    read.listener = json_read_choice(&reader, json, "mode", modes) == 1;
    read_ascii(&reader, json, "address", 1, read.address, sizeof read.address);
    check_address(&reader, &read);
    read.port = (uint16_t)json_read_int(&reader, json, "port", 1, 65535);
    read.latency_ms = (int)json_read_int(&reader, json, "latencyMs", SPEC_LATENCY_MIN, SPEC_LATENCY_MAX);
    read_ascii(&reader, json, "passphrase", 0, read.passphrase, sizeof read.passphrase);
    if (read.passphrase[0] != '\0' && strlen(read.passphrase) < SPEC_PASSPHRASE_MIN)
        json_refuse(&reader, "passphrase", "must be empty or have %d to %d characters, has %zu",
                    SPEC_PASSPHRASE_MIN, SPEC_PASSPHRASE_MAX, strlen(read.passphrase));
    read_ascii(&reader, json, "streamId", 0, read.stream_id, sizeof read.stream_id);
    if (!reader.failed)
        *spec = read;
    return !reader.failed;
}

static void note(json_t *to, const char *field, bool differs)
{
    if (differs)
        json_array_append_new(to, json_string(field));
}

void spec_difference(const struct output_spec *before, const struct output_spec *after, json_t *live,
                     json_t *rebuilt)
{
    note(live, "/channel", strcmp(before->channel, after->channel) != 0);
    note(live, "/id", strcmp(before->id, after->id) != 0);
    note(rebuilt, "/tap", strcmp(before->tap, after->tap) != 0);
    note(rebuilt, "/mode", before->listener != after->listener);
    note(rebuilt, "/address", strcmp(before->address, after->address) != 0);
    note(rebuilt, "/port", before->port != after->port);
    note(rebuilt, "/latencyMs", before->latency_ms != after->latency_ms);
    note(rebuilt, "/passphrase", strcmp(before->passphrase, after->passphrase) != 0);
    note(rebuilt, "/streamId", strcmp(before->stream_id, after->stream_id) != 0);
}

bool spec_same_link(const struct output_spec *a, const struct output_spec *b)
{
    return a->listener == b->listener && strcmp(a->address, b->address) == 0 && a->port == b->port &&
           a->latency_ms == b->latency_ms && strcmp(a->passphrase, b->passphrase) == 0 &&
           strcmp(a->stream_id, b->stream_id) == 0;
}
