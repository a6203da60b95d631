/* What a test without check.h says when something does not hold: aborts with file and line. */
#ifndef TP_TESTS_HOLDS_H
#define TP_TESTS_HOLDS_H

#include <stdio.h>
#include <stdlib.h>

#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
