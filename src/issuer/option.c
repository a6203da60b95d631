#include "issuer/option.h"

#include <string.h>

enum { KEY_PAN = 256, KEY_PAN_FD, KEY_PSN };

bool option_card(struct card_words *w, int key, char *arg)
{
    switch (key) {
    case KEY_PAN:
        w->pan = arg;
        return true;
    case KEY_PAN_FD:
        w->pan_fd = arg;
        return true;
    case KEY_PSN:
        w->psn = arg;
        return true;
    default:
        return false;
    }
}

/* ---- the folder ---- */

enum tp_err office_open(struct office *o, const char *dir, struct tp_error *e)
{
    enum tp_err r = issuer_dir(o->dir, dir, e);

    if (r == TP_OK)
        r = issuer_open_book(&o->book, o->dir, e);
    return r == TP_OK ? seal_open_dir(&o->seal, o->dir, e) : r;
}

void office_close(struct office *o)
{
    seal_free(&o->seal);
    book_close(&o->book);
}

enum tp_err office_card(struct office *o, const struct card_words *w, char pan[PAN_TEXT_MAX],
                        unsigned *psn, struct account *a, struct tp_error *e)
{
    uint8_t lookup[SEAL_LOOKUP];
    int64_t number = 0;
    char masked[PAN_TEXT_MAX];
    enum tp_err r = w->psn != NULL ? cli_number(&number, "--psn", w->psn, 99, e) : TP_OK;

    if (r == TP_OK && w->pan != NULL)
        r = cli_take_digits(pan, 8, PAN_MAX, w->pan, strlen(w->pan))
                ? TP_OK
                : tp_fail(e, TP_ERR_USAGE, "that is no card number: 8 to 19 digits");
    else if (r == TP_OK)
        r = cli_digits(pan, 8, PAN_MAX, "card number", w->pan_fd, "type the card number:", false,
                       e);
    if (r != TP_OK)
        return r;
    *psn = (unsigned)number;
    if (a == NULL)
        return TP_OK;
    r = seal_lookup(o->seal, lookup, span_str(pan));
    if (r != TP_OK)
        return tp_fail(e, r, "cannot look up the card number: %s", tp_err_text(r));
    r = book_account_find(o->book, lookup, *psn, a, e);
    return r == TP_ERR_NOT_FOUND
               ? tp_fail(e, r, "card %s with sequence number %02u has no account here",
                         mask_pan(masked, pan), *psn)
               : r;
}

/* ---- lists ---- */

enum tp_err listing_start(struct listing *l, const char *dir, const char *name,
                          const struct table_column *columns, size_t n, bool json)
{
    enum tp_err r = office_open(&l->office, dir, &l->e);

    return r == TP_OK ? table_new(&l->table, name, columns, n, json, &l->e) : r;
}

int listing_end(struct listing *l, enum tp_err r)
{
    r = table_end(&l->table, r, &l->e);
    office_close(&l->office);
    return r == TP_OK ? CLI_DONE : cli_report(&l->e);
}
