/* The reader of specs: what it takes, and what it says about what it does not. */
#include "json_read.h"

#include <string.h>

#include "check.h"

struct read {
    struct control_error error;
    struct json_reader reader;
    json_t *json;
};

static void begin(struct read *read, const char *json)
{
    *read = (struct read){.json = json_loads(json, 0, NULL)};
    CHECK(read->json != NULL);
    read->reader.error = &read->error;
}

static void expect_good(struct read *read)
{
    CHECK(!read->reader.failed);
    CHECK(read->reader.path[0] == '\0');
    json_decref(read->json);
}

static void expect_refused(struct read *read, const char *field, const char *message)
{
    CHECK(read->reader.failed);
    CHECK(strcmp(read->error.code, "invalid") == 0);
    if (strcmp(read->error.field, field) != 0 || strcmp(read->error.message, message) != 0) {
        fprintf(stderr, "%s: %s\n", read->error.field, read->error.message);
        abort();
    }
    json_decref(read->json);
}

static void test_good(void)
{
    struct read read;
    char text[6];
    const char *const choices[] = {"cbr", "vbr", NULL};
    begin(&read, "{\"i\":-3,\"max\":9223372036854775807,\"b\":true,\"t\":\"12345\",\"c\":\"vbr\","
                 "\"o\":{\"x\":1},\"a\":[7,8]}");
    CHECK_EQ_INT(json_read_int(&read.reader, read.json, "i", -3, 5), -3);
    CHECK_EQ_INT(json_read_int(&read.reader, read.json, "max", 0, INT64_MAX), INT64_MAX);
    CHECK(json_read_bool(&read.reader, read.json, "b"));
    json_read_text(&read.reader, read.json, "t", text, sizeof text);
    CHECK(strcmp(text, "12345") == 0);
    CHECK_EQ_INT(json_read_choice(&read.reader, read.json, "c", choices), 1);
    const json_t *object = json_read_object(&read.reader, read.json, "o");
    json_enter(&read.reader, "o");
    CHECK_EQ_INT(json_read_int(&read.reader, object, "x", 1, 1), 1);
    json_leave(&read.reader);
    CHECK_EQ_INT(json_array_size(json_read_array(&read.reader, read.json, "a", 2)), 2);
    expect_good(&read);
}

#define REFUSED(json, call, field, message)      \
    do {                                         \
        struct read read;                        \
        begin(&read, json);                      \
        call;                                    \
        expect_refused(&read, field, message);   \
    } while (0)

static void test_refused(void)
{
    char text[6];
    const char *const choices[] = {"cbr", "vbr", NULL};
    REFUSED("{}", json_read_int(&read.reader, read.json, "i", 0, 1), "/i", "/i is missing");
    REFUSED("[]", json_read_int(&read.reader, read.json, "i", 0, 1), "/i", "/i is missing");
    REFUSED("{\"i\":2}", json_read_int(&read.reader, read.json, "i", 0, 1), "/i",
            "/i must be between 0 and 1, is 2");
    REFUSED("{\"i\":1.0}", json_read_int(&read.reader, read.json, "i", 0, 1), "/i",
            "/i must be a whole number");
    REFUSED("{\"b\":1}", json_read_bool(&read.reader, read.json, "b"), "/b", "/b must be true or false");
    REFUSED("{\"t\":\"123456\"}", json_read_text(&read.reader, read.json, "t", text, sizeof text), "/t",
            "/t must be at most 5 bytes long, is 6");
    REFUSED("{\"t\":null}", json_read_text(&read.reader, read.json, "t", text, sizeof text), "/t",
            "/t must be a string");
    REFUSED("{\"c\":\"abr\"}", json_read_choice(&read.reader, read.json, "c", choices), "/c",
            "/c must be one of cbr, vbr, is abr");
    REFUSED("{\"c\":3}", json_read_choice(&read.reader, read.json, "c", choices), "/c",
            "/c must be one of cbr, vbr, is no string");
    REFUSED("{\"o\":[]}", json_read_object(&read.reader, read.json, "o"), "/o", "/o must be an object");
    REFUSED("{\"a\":{}}", json_read_array(&read.reader, read.json, "a", 2), "/a", "/a must be an array");
    REFUSED("{\"a\":[1,2,3]}", json_read_array(&read.reader, read.json, "a", 2), "/a",
            "/a must have at most 2 elements, has 3");
}

static void test_nested_and_first(void)
{
    struct read read;
    char text[6] = "left";
    begin(&read, "{\"a\":[{\"i\":1},{\"i\":9}],\"t\":\"12345\"}");
    json_enter(&read.reader, "a");
    for (size_t i = 0; i < 2; i++) {
        json_enter_index(&read.reader, i);
        json_read_int(&read.reader, json_array_get(json_object_get(read.json, "a"), i), "i", 0, 5);
        json_leave(&read.reader);
    }
    json_leave(&read.reader);
    CHECK(read.reader.path[0] == '\0');
    /* After a fault nothing is read, and the first one is what is told. */
    json_read_text(&read.reader, read.json, "t", text, sizeof text);
    CHECK(text[0] == '\0');
    CHECK_EQ_INT(json_read_int(&read.reader, read.json, "t", 0, 1), 0);
    json_refuse(&read.reader, NULL, "is something else");
    expect_refused(&read, "/a/1/i", "/a/1/i must be between 0 and 5, is 9");
}

static void test_whole_and_deep(void)
{
    struct read read;
    begin(&read, "{}");
    json_enter(&read.reader, "programmes");
    json_refuse(&read.reader, NULL, "must have %d entries", 3);
    json_leave(&read.reader);
    expect_refused(&read, "/programmes", "/programmes must have 3 entries");
    /* However deep it goes, leaving as often as entering ends at the root. */
    begin(&read, "{}");
    for (int i = 0; i < 50; i++)
        json_enter(&read.reader, "deep");
    for (int i = 0; i < 50; i++)
        json_leave(&read.reader);
    expect_good(&read);
}

int main(void)
{
    test_good();
    test_refused();
    test_nested_and_first();
    test_whole_and_deep();
    return 0;
}
