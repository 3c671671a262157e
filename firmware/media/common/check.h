/* Checks of the unit tests. They stay on in every build; the first that fails ends the test. */
#ifndef STEADYCAST_CHECK_H
#define STEADYCAST_CHECK_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/** Ends the test with file, line and expression unless `cond` holds. */
#define CHECK(cond)                                                           \
    do {                                                                      \
        if (!(cond)) {                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
            abort();                                                          \
        }                                                                     \
    } while (0)

/** Ends the test unless two integers are equal, showing both. */
#define CHECK_EQ_INT(actual, expected)                                                                      \
    do {                                                                                                    \
        int64_t check_actual = (int64_t)(actual), check_expected = (int64_t)(expected);                     \
        if (check_actual != check_expected) {                                                               \
            fprintf(stderr, "%s:%d: %s is %" PRId64 ", not %" PRId64 "\n", __FILE__, __LINE__, #actual,     \
                    check_actual, check_expected);                                                          \
            abort();                                                                                        \
        }                                                                                                   \
    } while (0)

#endif
