/* What is looked at in a document's bytes before libxml2 sees them. Its cost is then in proportion
 * to the bytes: libxml2 2.9 compares every attribute of a start tag with every other, and a tag has
 * no bound of its own. */
#ifndef TP_WIRE_CAAA_GUARD_H
#define TP_WIRE_CAAA_GUARD_H

#include "base/span.h"

/* Documents of the profile have one attribute in a tag, 16 levels, and texts up to 65,536
 * characters (base64 of CAAA_SIGNED_MAX bytes). */
#define CAAA_TAG_MAX        4096 /* from its '<' to its '>' */
#define CAAA_ATTRIBUTES_MAX 16   /* of one start tag */
#define CAAA_DEPTH_MAX      64
#define CAAA_RUN_MAX        65536 /* a text, comment, CDATA section or processing instruction */

enum caaa_guard_state {
    CAAA_GUARD_START, /* nothing but a byte order mark has come */
    CAAA_GUARD_TEXT,
    CAAA_GUARD_OPEN,  /* after '<' */
    CAAA_GUARD_BANG,  /* after "<!" */
    CAAA_GUARD_TAG,   /* in a start tag */
    CAAA_GUARD_VALUE, /* of an attribute */
    CAAA_GUARD_END_TAG,
    CAAA_GUARD_COMMENT,
    CAAA_GUARD_CDATA,
    CAAA_GUARD_INSTRUCTION
};

struct caaa_guard { /* begins as {0} */
    enum caaa_guard_state state;
    size_t at;           /* bytes before this one */
    size_t run;          /* bytes of the present state */
    unsigned lines;      /* line ends before this byte */
    unsigned attributes; /* of the present tag */
    unsigned depth;
    uint8_t quote, last[2]; /* last: the two bytes before this one */
    char declaration[128];  /* of the first processing instruction, lower case */
    size_t declared;
};

/* Looks at the next bytes. NULL when they may go on to the parser, else what is wrong, for people.
 * The encoding must be UTF-8, as ISO 20022 has it: in another the bytes would mean something else
 * to the parser. */
const char *caaa_guard(struct caaa_guard *g, struct span bytes);

#endif
