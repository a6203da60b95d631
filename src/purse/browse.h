/* An account's page, for a browser: who signed for it gets a ticket, who brings that a cookie, and
 * with it the page, for a quarter of an hour. Nothing of it is kept in the books, and nothing is
 * told to anybody else. */
#ifndef TP_PURSE_BROWSE_H
#define TP_PURSE_BROWSE_H

#include "purse/asked.h"
#include "purse/page.h"
#include "purse/tickets.h"
#include "wire/http_call.h"

#define BROWSE_SECONDS 900

struct browse {
    struct asked *asked;
    const struct purse_settings *settings;
    const char *acquirer;
    struct pages *pages;
    struct tickets *tickets;
    uint8_t key[32];  /* of cookies: new at each start */
    char policy[800]; /* what may be in a page, and where its form may lead */
};

TP_MUST_CHECK enum tp_err browse_open(struct browse *b, struct tp_error *e);
void browse_close(struct browse *b);

/* POST /pages, whose statement is a question: a ticket, or why there is none. */
enum purse_verdict browse_ticket(struct browse *b, json_t **out, const struct purse_statement *s,
                                 time_t now);

/* GET /page, /account, /account/fill, /telepay.css. They are answered. */
void browse_enter(struct browse *b, struct http_call *call);
void browse_account(const struct browse *b, struct http_call *call);
void browse_fill(const struct browse *b, struct http_call *call);
void browse_style(const struct browse *b, struct http_call *call);
/* A page that says what is wrong. */
void browse_problem(const struct browse *b, struct http_call *call, unsigned status);

#endif
