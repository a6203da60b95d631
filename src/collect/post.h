/* The way to the collection centre: one remise sent over HTTPS as it is made, piece by piece, and
 * the answer (libcurl with OpenSSL, both sides show certificates). */
#ifndef TP_COLLECT_POST_H
#define TP_COLLECT_POST_H

#include "wire/spool.h"
#include "crypto/pki.h"

struct centre_access { /* centre.conf, as `telepay-centre acquirer add` wrote it */
    char url[256];
    char id[CAAA_ID_MAX];
    struct pki_files tls;
};

/* Reads DIR/centre/centre.conf. TP_ERR_NOT_FOUND, saying how to get one; TP_ERR_USAGE naming what
 * is missing. */
TP_MUST_CHECK enum tp_err centre_access_load(struct centre_access *out, const char *acquirer_dir,
                                             struct tp_error *e);

struct post_request {
    const char *contract;
    uint32_t number;
    uint64_t size;            /* of the document */
    uint8_t hash[SPOOL_HASH]; /* of the document */
    int stall_s;  /* give up when for so long not a byte moves while the document goes */
    int answer_s; /* and when for so long no answer comes after its last byte */
};

struct post;

/* answer (at most answer_max bytes) goes into the spool. Nothing is sent before the first write. */
TP_MUST_CHECK enum tp_err post_new(struct post **out, const struct centre_access *access,
                                   const struct post_request *request, struct spool *answer,
                                   uint64_t answer_max, struct tp_error *e);

/* A piece of the document. TP_ERR_CANCELLED: the exchange is over before its end; post_finish says
 * how. */
enum tp_err post_sink_write(void *post, struct span bytes); /* as a caaa_sink */

/* Waits for the answer. TP_OK with the HTTP status; TP_ERR_PEER, TP_ERR_TIMEOUT, TP_ERR_SECURITY
 * (the centre's certificate, or ours, is refused). */
TP_MUST_CHECK enum tp_err post_finish(struct post *p, long *status, struct tp_error *e);
void post_free(struct post **p);

#endif
