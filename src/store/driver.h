/* What an engine gives to store/db.c: sqlite.c and postgres.c are its drivers, and a third one is
 * a table of these functions and a row in db.c. Errors as in db.h. Statements are the driver's own
 * objects, prepared once; one that was started stands in its rows until it is reset. */
#ifndef TP_STORE_DRIVER_H
#define TP_STORE_DRIVER_H

#include "store/schema.h"

enum db_want {
    DB_WANT_NOTHING, /* may be sent later, with the transaction: an error is told then */
    DB_WANT_CHANGES,
    DB_WANT_ONE, /* at most the first row is read */
    DB_WANT_ALL, /* row by row in constant memory, other statements between */
};

struct db_word { /* of CREATE TABLE: what stands in the text, what the engine calls it */
    const char *text, *engine;
};

struct db_driver {
    /* make: a file is made, mode 0600, if there is none; a database of a server must be there. */
    enum tp_err (*open)(void **conn, const char *where, bool make, struct tp_error *e);
    void (*close)(void *conn);

    /* As db_brief. NULL: nothing of it is ours to do. */
    void (*brief)(void *conn);

    /* As db_serve_alone. NULL: the lock of the folder says so already. */
    enum tp_err (*alone)(void *conn, struct tp_error *e);

    enum tp_err (*begin)(void *conn, bool write, struct tp_error *e);
    enum tp_err (*commit)(void *conn, struct tp_error *e); /* one that fails has rolled back */
    void (*rollback)(void *conn);
    bool (*in_transaction)(void *conn); /* an engine may have rolled back by itself */

    enum tp_err (*prepare)(void *conn, void **statement, const char *sql, struct db_values v,
                           struct tp_error *e); /* v: their kinds; DB_NULL: by the column */
    enum tp_err (*start)(void *conn, void *statement, struct db_values v, enum db_want want,
                         struct tp_error *e);
    enum tp_err (*next)(void *conn, void *statement, bool *row, struct tp_error *e);
    /* Of a statement that was started: false when there is no column i. name may be NULL; without
     * a row there is only the name. A truth value of the engine's is DB_INTEGER 0 or 1. Bytes live
     * until next or reset. */
    bool (*column)(void *statement, size_t i, const char **name, struct db_value *v);
    int64_t (*changes)(void *conn, void *statement);
    /* Ends its rows. What it wrote outside a transaction is kept only when this is TP_OK. */
    enum tp_err (*reset)(void *conn, void *statement, struct tp_error *e);
    void (*finish)(void *conn, void *statement);

    enum tp_err (*script)(void *conn, const char *sql, struct tp_error *e); /* several, no values */
    enum tp_err (*rule)(void *conn, const struct db_rule *rule, struct tp_error *e);
    /* Rows came into the table with their own keys: the next key is after them. NULL: by itself. */
    enum tp_err (*filled)(void *conn, const char *table, const char *key, struct tp_error *e);
    enum tp_err (*copy)(void *conn, const char *path, struct tp_error *e); /* NULL: it has none */

    const char *has_table; /* SELECT count(*) … WHERE … $1: whether a table of that name is there */
    const char *tables;   /* SELECT count(*) …: how many tables there are */
    const char *triggers; /* SELECT name …, tbl …: the triggers there are, to be dropped */
    const char *version; /* SELECT …: of what was made before the table `store`; NULL: none was */
    const char *durable[2];      /* from now on a commit waits for the disk: no, yes */
    const struct db_word *words; /* ends with NULL, longest first */
    bool on_table;               /* a trigger is dropped ON its table */
};

extern const struct db_driver db_sqlite, db_postgres;

#endif
