/* What a program keeps: its tables, the rules they are held to, and how what older versions made is
 * brought up. Tables are written once for both engines, with the type words INTEGER, TEXT and BLOB.
 */
#ifndef TP_STORE_SCHEMA_H
#define TP_STORE_SCHEMA_H

#include "store/db.h"

/* A row of what holds whoever asks, made into a trigger: a change is refused with the sentence, or
 * has the action follow it. */
struct db_rule {
    const char *name;
    const char *event; /* "BEFORE INSERT", "BEFORE UPDATE OF a, b", "AFTER DELETE" */
    const char *table;
    const char *condition; /* over OLD and NEW, subqueries too; NULL: always */
    const char *sentence;  /* NULL: not refused */
    const char *action;    /* else the statement that is then run */
};

/* From version i + 1 to i + 2, of a file of SQLite. */
struct db_migration {
    const char *does; /* what it does, for people: "adds the counters of cards" */
    const char *sql;
};

struct db_schema {
    const char *program; /* "telepay-acquirer": whose it is */
    const char *upgrade; /* the command that brings it up: "telepay-acquirer upgrade" */
    const char *mark; /* a table that no other program's has, by which files of before are known */
    const char *tables; /* all of today */
    const struct db_rule *rules;
    size_t n_rules;
    const struct db_migration *migrations; /* versions - 1 of them */
    size_t version;
    size_t unruled; /* the step to that version changes what rules of before name: it finds none of
                       them; 0: no step does */
};

/* Brings up what an older version made, in one transaction, after a copy of a file has been put
 * beside it: copy says where ("" when nothing was to be done; a server's is its operator's to make
 * before). say, when not NULL, is called with what each step does before the first is done, and
 * returns whether to go on (TP_ERR_CANCELLED otherwise). */
typedef bool db_upgrade_say(void *ctx, size_t from, size_t to, const char *does);
TP_MUST_CHECK enum tp_err db_upgrade(const char *where, const struct db_schema *schema,
                                     char copy[512], db_upgrade_say *say, void *ctx,
                                     struct tp_error *e);

#endif
