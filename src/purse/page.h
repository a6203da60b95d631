/* The purse's pages, beside what all pages share (wire/pages.h): an account's, how one comes to it,
 * and what is shown where it was filled. */
#ifndef TP_PURSE_PAGE_H
#define TP_PURSE_PAGE_H

#include "purse/settings.h"
#include "purse/sheet.h"
#include "wire/pages.h"

TP_MUST_CHECK enum tp_err purse_pages_open(struct pages **out, struct tp_error *e);

struct page_account {
    const struct sheet *sheet;
    const struct purse_settings *settings;
    unsigned sells;    /* which of its sellers do: a bit of each */
    const char *typed; /* as an amount to be filled; "": nothing */
    const char *fault; /* the word of what is wrong with it; NULL: nothing */
    bool older;        /* not from the newest record on */
};
/* The page (free()); NULL, which the log explains. */
char *page_account(const struct pages *p, enum page_language l, const struct page_account *a);

/* How one comes to one's page; used: by a link that is good no more. */
char *page_enter(const struct pages *p, enum page_language l, const char *acquirer, bool used);

/* Where so much was bought: url is the purse's own, the way back. */
char *page_filled(const struct pages *p, enum page_language l, const char *url, int64_t amount,
                  uint16_t currency);

/* How much more the account takes in now; 0: nothing, nor what is stopped. */
int64_t page_room(const struct account *a, const struct purse_settings *settings);

#endif
