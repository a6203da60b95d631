/* A document on its way, kept in a file that has no name and is enciphered under a key that only
 * this process has: card numbers never reach the disk in plain, and what a crash leaves is
 * unreadable and gone. Written once, then read any number of times. One thread at a time. */
#ifndef TP_WIRE_SPOOL_H
#define TP_WIRE_SPOOL_H

#include "base/span.h"
#include "wire/caaa.h"

#define SPOOL_HASH 32

struct spool;

/* dir is where the file lies. TP_ERR_IO, TP_ERR_NO_MEMORY. */
TP_MUST_CHECK enum tp_err spool_new(struct spool **out, const char *dir, struct tp_error *e);
TP_MUST_CHECK enum tp_err spool_write(
    struct spool *s, struct span bytes); /* TP_ERR_IO: the disk is full, or fails */
TP_MUST_CHECK enum tp_err spool_finish(
    struct spool *s, uint8_t hash[SPOOL_HASH]);          /* SHA-256 of all that was written */
TP_MUST_CHECK enum tp_err spool_rewind(struct spool *s); /* before each reading */
TP_MUST_CHECK enum tp_err spool_read(struct spool *s, uint8_t *out, size_t cap,
                                     size_t *n); /* 0 bytes: the end */
uint64_t spool_size(const struct spool *s);
void spool_free(struct spool **s);

/* The spool, rewound, as a caaa_source. */
enum tp_err spool_source_read(void *spool, uint8_t *out, size_t cap, size_t *n);

#endif
