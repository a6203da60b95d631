#include "issuer/option.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/log.h"

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

enum tp_err option_number(int64_t *out, const char *what, const char *text, int64_t max, struct tp_error *e)
{
    const size_t n = strlen(text);

    if (n == 0 || n > 15 || strspn(text, "0123456789") != n || strtoll(text, NULL, 10) > max)
        return tp_fail(e, TP_ERR_USAGE, "%s must be a number from 0 to %" PRId64 ", not \"%.40s\"", what, max, text);
    *out = strtoll(text, NULL, 10);
    return TP_OK;
}

/* ---- what is read ---- */

static enum tp_err read_line(char *line, size_t cap, size_t *n, int fd, struct tp_error *e)
{
    *n = 0;
    while (*n < cap) {
        const ssize_t got = read(fd, line + *n, 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return tp_fail(e, TP_ERR_IO, "cannot read from descriptor %d: %s", fd, strerror(errno));
        if (got == 0 || line[*n] == '\n')
            return TP_OK;
        (*n)++;
    }
    return TP_OK; /* too long, as the caller sees */
}

/* Digits only, spaces within passed over. */
static bool take_digits(char *out, size_t min, size_t max, const char *text, size_t n)
{
    size_t digits = 0;

    for (size_t i = 0; i < n; i++) {
        if (text[i] == ' ' || text[i] == '\r')
            continue;
        if (digits == max || text[i] < '0' || text[i] > '9')
            return false;
        out[digits++] = text[i];
    }
    out[digits] = '\0';
    return digits >= min;
}

enum tp_err option_digits(char *out, size_t min, size_t max, const char *what, const char *fd_text, const char *prompt, bool hidden,
                          struct tp_error *e)
{
    char line[64];
    size_t n = 0;
    int64_t fd = STDIN_FILENO;
    struct termios before, silent;
    bool muted = false;
    enum tp_err r = fd_text != NULL ? option_number(&fd, "a descriptor", fd_text, 65535, e) : TP_OK;

    if (r != TP_OK)
        return r;
    if (isatty((int)fd)) {
        log_note("%s", prompt);
        if (hidden && tcgetattr((int)fd, &before) == 0) {
            silent = before;
            silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
            muted = tcsetattr((int)fd, TCSAFLUSH, &silent) == 0;
        }
    }
    r = read_line(line, sizeof(line), &n, (int)fd, e);
    if (muted)
        (void)tcsetattr((int)fd, TCSAFLUSH, &before);
    if (r == TP_OK && (n == sizeof(line) || !take_digits(out, min, max, line, n)))
        r = tp_fail(e, TP_ERR_USAGE, "that is no %s: %zu to %zu digits", what, min, max);
    secret_wipe(line, sizeof(line));
    return r;
}

/* ---- the folder ---- */

enum tp_err office_open(struct office *o, const char *dir, struct tp_error *e)
{
    enum tp_err r = issuer_dir(o->dir, dir, e);

    if (r == TP_OK)
        r = issuer_open_book(&o->book, o->dir, e);
    return r == TP_OK ? issuer_open_seal(&o->seal, o->dir, e) : r;
}

void office_close(struct office *o)
{
    seal_free(&o->seal);
    book_close(&o->book);
}

enum tp_err office_card(struct office *o, const struct card_words *w, char pan[PAN_TEXT_MAX], unsigned *psn, struct account *a, struct tp_error *e)
{
    uint8_t lookup[SEAL_LOOKUP];
    int64_t number = 0;
    char masked[PAN_TEXT_MAX];
    enum tp_err r = w->psn != NULL ? option_number(&number, "--psn", w->psn, 99, e) : TP_OK;

    if (r == TP_OK && w->pan != NULL)
        r = take_digits(pan, 8, PAN_MAX, w->pan, strlen(w->pan)) ? TP_OK : tp_fail(e, TP_ERR_USAGE, "that is no card number: 8 to 19 digits");
    else if (r == TP_OK)
        r = option_digits(pan, 8, PAN_MAX, "card number", w->pan_fd, "type the card number:", false, e);
    if (r != TP_OK)
        return r;
    *psn = (unsigned)number;
    if (a == NULL)
        return TP_OK;
    r = seal_lookup(o->seal, lookup, span_str(pan));
    if (r != TP_OK)
        return tp_fail(e, r, "cannot look up the card number: %s", tp_err_text(r));
    r = book_account_find(o->book, lookup, *psn, a, e);
    return r == TP_ERR_NOT_FOUND ? tp_fail(e, r, "card %s with sequence number %02u has no account here", mask_pan(masked, pan), *psn) : r;
}

/* ---- shown ---- */

const char *option_currency(unsigned currency)
{
    const struct currency *c = currency_by_numeric(currency);

    return c != NULL ? c->alpha : "?";
}

char *option_amount(char out[MONEY_TEXT_MAX], int64_t minor, unsigned currency)
{
    const struct currency *c = currency_by_numeric(currency);

    if (c != NULL)
        return money_format(out, minor, c);
    snprintf(out, MONEY_TEXT_MAX, "%" PRId64, minor);
    return out;
}

char *option_time(char out[TIME_TEXT_MAX], time_t t)
{
    if (t != 0)
        return time_format(out, t);
    out[0] = '\0';
    return out;
}

enum tp_err listing_start(struct listing *l, const char *dir, const char *name, const struct table_column *columns, size_t n, bool json)
{
    enum tp_err r = office_open(&l->office, dir, &l->e);

    if (r != TP_OK)
        return r;
    r = table_new(&l->table, name, columns, n, json);
    return r == TP_OK ? r : tp_fail(&l->e, r, "cannot make the list: %s", tp_err_text(r));
}

enum tp_err listing_row(void *table, const char *const *cells, struct tp_error *e)
{
    const enum tp_err r = table_row(table, cells);

    return r == TP_OK ? r : tp_fail(e, r, "cannot make the list: %s", tp_err_text(r));
}

int listing_end(struct listing *l, enum tp_err r)
{
    if (r == TP_OK && (table_print(l->table) != TP_OK || fflush(stdout) != 0))
        r = tp_fail(&l->e, TP_ERR_IO, "cannot print the list");
    table_free(&l->table);
    office_close(&l->office);
    return r == TP_OK ? CLI_DONE : cli_report(&l->e);
}
