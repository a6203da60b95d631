/* What the holder of an account asks, by a question that its key signed now: how it stands, and all
 * that became of it. Any thread; a connection of its own to the books. */
#ifndef TP_PURSE_ASKED_H
#define TP_PURSE_ASKED_H

#include <jansson.h>

#include "order/certificate.h"
#include "purse/sheet.h"

#define ASKED_SECONDS 60 /* that a question may be old, or ahead */

struct asked;

TP_MUST_CHECK enum tp_err asked_open(struct asked **out, const char *dir, struct tp_error *e);
void asked_close(struct asked **a); /* NULL is fine */

/* PURSE_NEW and the answer (json_decref), or why there is none: PURSE_ASKED, PURSE_UNKNOWN,
 * PURSE_KEY, PURSE_FAULT. */
enum purse_verdict asked_balance(struct asked *a, json_t **out, const struct purse_statement *s,
                                 time_t now);
/* … alone who asks: the account. */
enum purse_verdict asked_who(struct asked *a, struct account *out, const struct purse_statement *s,
                             time_t now);
/* … the records after that number. */
enum purse_verdict asked_history(struct asked *a, json_t **out, const struct purse_statement *s,
                                 int64_t after, time_t now);

/* ---- what a door asks of the books ---- */

TP_MUST_CHECK enum tp_err asked_account(struct asked *a, const char *account, struct account *out,
                                        struct tp_error *e); /* TP_ERR_NOT_FOUND */
TP_MUST_CHECK enum tp_err asked_sheet(struct asked *a, struct sheet *out, const char *account,
                                      int64_t before, struct tp_error *e); /* sheet_read */
TP_MUST_CHECK enum tp_err asked_seller(struct asked *a, const char *name, bool *open,
                                       struct tp_error *e);
/* The authority that vouches for what is paid under a contract of the purse's own. TP_ERR_NOT_FOUND
 * when none does, or does no more. */
TP_MUST_CHECK enum tp_err asked_trust(struct asked *a, const char *contract,
                                      struct order_authority **out, struct tp_error *e);

#endif
