/* What the two files of the PostgreSQL driver share: a connection, and the wait for its answers. */
#ifndef TP_STORE_POSTGRES_PRIV_H
#define TP_STORE_POSTGRES_PRIV_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define PQ_SILENT_MS 30000 /* a server that says nothing for so long is given up */

struct pq {
    PGconn *handle; /* NULL: lost, made anew at the next beginning */
    char *url, *name;
    unsigned made;   /* how many connections there were: a statement is prepared in one of them */
    unsigned begun;  /* how many transactions */
    unsigned named;  /* how many statements */
    unsigned sent;   /* without their outcome */
    bool in, stored; /* a transaction; the table `store` has been seen */
    bool alone;      /* each connection takes the lock of the one that serves */
};

/* The sentence and code for a result that is an error. */
enum tp_err pq_fail(const struct pq *c, const PGresult *r, struct tp_error *e);
enum tp_err pq_no_memory(const struct pq *c, struct tp_error *e);

/* The connection is no more: with the sentence for it, or without. */
enum tp_err pq_gone(struct pq *c, struct tp_error *e);
void pq_lose(struct pq *c);

/* Sends a statement without values, whose outcome is collected later. */
TP_MUST_CHECK enum tp_err pq_send(struct pq *c, const char *sql, struct tp_error *e);

/* Waits for all that was sent. out (NULL: of no interest): the last result, PQclear(); the first
 * error is the one that counts. */
enum tp_err pq_collect(struct pq *c, PGresult **out, struct tp_error *e);
enum tp_err pq_ask(struct pq *c, const char *sql, PGresult **out, struct tp_error *e); /* both */

/* The next result, or NULL at the end of a statement's. */
TP_MUST_CHECK enum tp_err pq_result(struct pq *c, int64_t deadline, PGresult **out,
                                    struct tp_error *e);

/* The driver's open, close and alone; and, before a transaction, a connection in place of one that
 * was lost. */
TP_MUST_CHECK enum tp_err pq_open(void **conn, const char *where, bool make, struct tp_error *e);
void pq_close(void *conn);
TP_MUST_CHECK enum tp_err pq_alone(void *conn, struct tp_error *e);
TP_MUST_CHECK enum tp_err pq_be_connected(struct pq *c, struct tp_error *e);

#endif
