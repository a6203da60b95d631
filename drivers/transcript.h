/* A transcript: what passed between a terminal and a card, as text that people can read, mask and
 * write by hand, and that can be run again. `telepay pay
 * --trace` writes it (src/payer/trace.h); the reader of drivers/replay.h and the card of
 * simcard/recorded.h play it.
 *
 *     # a remark; these and empty lines are passed over
 *     format: 1                       a fact is a name, a colon and a value; this one comes first
 *     atr: 3B6500002063CB6800         behind two spaces it, too, may have words
 *     > 00B2011400                    a command APDU, in hex
 *     < 70105A08999014******00159000  its answer with the status word, then, behind two spaces,
 * words; * is half a byte that is not told < (no answer)                   instead: the card left
 * or was mute pin: entered                    facts stand where they happened
 *
 * What masks bytes may mask neither the four bytes of a command's header nor a status word. Foreign
 * text: errors name file and line. */
#ifndef TP_DRIVERS_TRANSCRIPT_H
#define TP_DRIVERS_TRANSCRIPT_H

#include "base/span.h"

#define TRANSCRIPT_FORMAT 1
#define TRANSCRIPT_MAX    (4 << 20) /* bytes of a file */

struct masked { /* bytes of which some are not told */
    const uint8_t *value,
        *hidden; /* n each; hidden has F for a half that is not told, which is 0 in value */
    size_t n;
};

/* s could be what was masked: the same length, and the same in all that is told. */
bool masked_matches(const struct masked *m, struct span s);
bool masked_any(const struct masked *m); /* something is not told */
char *masked_text(
    char *out,
    const struct masked *m); /* upper-case hex with *; room for 2 * m->n + 1. Returns out */
struct span masked_filled(const struct masked *m); /* with 0 for what is not told */

struct transcript_exchange {
    unsigned line;                 /* of the command, from 1 */
    struct masked command, answer; /* answer.n 0: none came */
};

struct transcript_fact {
    unsigned line;
    const char *name, *value;
};

struct transcript;

/* *out is the caller's to free; all that is handed out lives as long. name: for messages.
 * TP_ERR_FORMAT naming the line, TP_ERR_NO_MEMORY. */
TP_MUST_CHECK enum tp_err transcript_parse(struct transcript **out, struct span text,
                                           const char *name, struct tp_error *e);
/* The same from a file: TP_ERR_NOT_FOUND, TP_ERR_RANGE over TRANSCRIPT_MAX, TP_ERR_IO. */
TP_MUST_CHECK enum tp_err transcript_load(struct transcript **out, const char *path,
                                          struct tp_error *e);
void transcript_free(struct transcript **t);

const char *transcript_name(const struct transcript *t);
unsigned transcript_lines(const struct transcript *t);
const struct transcript_exchange *transcript_at(const struct transcript *t,
                                                size_t i); /* NULL at the end */
/* The nth fact (from 0) of that name; NULL when there are no more. */
const struct transcript_fact *transcript_fact(const struct transcript *t, const char *name,
                                              size_t nth);
const char *transcript_value(const struct transcript *t,
                             const char *name); /* of the first such fact; NULL: none */
/* Appends the bytes of a fact in hex. TP_ERR_FORMAT naming the line; a fact that is not there
 * leaves *out as it is. */
TP_MUST_CHECK enum tp_err transcript_bytes(struct buf *out, const struct transcript *t,
                                           const char *name, struct tp_error *e);
/* Data of the card are masked in it, so that what hangs on them (a certificate's hash) cannot be
 * worked out again. */
bool transcript_masked(const struct transcript *t);

#endif
