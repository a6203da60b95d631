/* telepay-issuer account add | list | block | unblock | set */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "issuer/commands.h"
#include "issuer/keys.h"
#include "issuer/option.h"

enum {
    KEY_BALANCE = OPTION_KEY_OWN,
    KEY_CURRENCY,
    KEY_CEILING,
    KEY_DAY_CEILING,
    KEY_EXPIRY,
    KEY_CVN,
    KEY_ARPC,
    KEY_ATC,
    KEY_LOST,
    KEY_STOLEN,
    KEY_ANY_CHECK_DIGIT
};

struct words {
    struct card_words card;
    const char *dir, *balance, *currency, *ceiling, *day_ceiling, *expiry, *cvn, *arpc, *atc;
    enum account_status blocked;
    bool json, any_check_digit;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    if (option_card(&w->card, key, arg))
        return 0;
    switch (key) {
    case 'd':
        w->dir = arg;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case KEY_BALANCE:
        w->balance = arg;
        return 0;
    case KEY_CURRENCY:
        w->currency = arg;
        return 0;
    case KEY_CEILING:
        w->ceiling = arg;
        return 0;
    case KEY_DAY_CEILING:
        w->day_ceiling = arg;
        return 0;
    case KEY_EXPIRY:
        w->expiry = arg;
        return 0;
    case KEY_CVN:
        w->cvn = arg;
        return 0;
    case KEY_ARPC:
        w->arpc = arg;
        return 0;
    case KEY_ATC:
        w->atc = arg;
        return 0;
    case KEY_LOST:
        w->blocked = ACCOUNT_LOST;
        return 0;
    case KEY_STOLEN:
        w->blocked = ACCOUNT_STOLEN;
        return 0;
    case KEY_ANY_CHECK_DIGIT:
        w->any_check_digit = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* An amount as people write it; a balance may be 0. */
static enum tp_err amount(int64_t *out, const char *what, const char *text,
                          const struct currency *c, bool zero, struct tp_error *e)
{
    if (zero && *text != '\0' && strspn(text, "0.,") == strlen(text)) {
        *out = 0;
        return TP_OK;
    }
    return money_parse(out, c, text, e) == TP_OK ? TP_OK : tp_error_prefix(e, "%s", what);
}

/* Balance, ceilings and counter, those that are given. */
static enum tp_err take_amounts(struct account *a, const struct words *w, struct tp_error *e)
{
    const struct currency *c = currency_by_numeric(a->currency);
    int64_t atc = 0;
    enum tp_err r = TP_OK;

    if (w->balance != NULL)
        r = amount(&a->balance, "--balance", w->balance, c, true, e);
    if (r == TP_OK && w->ceiling != NULL)
        r = amount(&a->ceiling, "--ceiling", w->ceiling, c, false, e);
    if (r == TP_OK && w->day_ceiling != NULL)
        r = amount(&a->day_ceiling, "--day-ceiling", w->day_ceiling, c, false, e);
    if (r == TP_OK && w->atc != NULL) {
        r = cli_number(&atc, "--atc", w->atc, UINT16_MAX, e);
        a->atc = (uint16_t)atc;
    }
    return r;
}

static enum tp_err take_words(struct account *a, const struct words *w, struct tp_error *e)
{
    const struct currency *c = w->currency != NULL ? currency_by_alpha(w->currency) : NULL;

    if (w->balance == NULL || w->currency == NULL || w->expiry == NULL)
        return tp_fail(e, TP_ERR_USAGE, "an account needs --balance, --currency and --expiry");
    if (c == NULL)
        return tp_fail(e, TP_ERR_USAGE, "\"%s\" is no currency of ISO 4217", w->currency);
    if (date_parse(&a->expiry, w->expiry) != TP_OK)
        return tp_fail(e, TP_ERR_USAGE, "\"%s\" is no date: write the card's expiry as 2030-12",
                       w->expiry);
    a->cvn = EMV_CVN_18;
    if (w->cvn != NULL && emv_cvn_parse(&a->cvn, w->cvn) != TP_OK)
        return tp_fail(e, TP_ERR_USAGE, "--cvn takes 10, 18, ccd-3des or ccd-aes, not \"%s\"",
                       w->cvn);
    a->arpc = a->cvn == EMV_CVN_10 ? 1 : 2;
    if (w->arpc != NULL && strcmp(w->arpc, "1") != 0 && strcmp(w->arpc, "2") != 0)
        return tp_fail(e, TP_ERR_USAGE, "--arpc takes 1 or 2");
    if (w->arpc != NULL)
        a->arpc = (unsigned)(*w->arpc - '0');
    a->currency = c->numeric;
    a->ceiling = a->day_ceiling = MONEY_MAX;
    return take_amounts(a, w, e);
}

/* A card whose keys the issuer does not have could never pay. */
static enum tp_err check_keys(const struct office *o, enum emv_cvn cvn, struct tp_error *e)
{
    struct issuer_keys *keys = NULL;
    enum tp_err r = issuer_keys_load(&keys, o->dir, e);

    if (r == TP_OK && !issuer_keys_serve(keys, cvn))
        r = tp_fail(e, TP_ERR_NOT_FOUND,
                    "this issuer has no AES keys, its scheme had none: cards of kind %s cannot be "
                    "checked here",
                    emv_cvn_name(cvn));
    issuer_keys_free(&keys);
    return r;
}

/* A card of another issuer: no question about it would ever come here, since acquirers go by the
 * IIN. */
static enum tp_err check_iin(const struct office *o, const char *pan, struct tp_error *e)
{
    struct issuer_settings settings;
    char iins[sizeof(settings.iins)], *rest = iins;
    enum tp_err r = issuer_settings_load(&settings, o->dir, e);

    if (r != TP_OK)
        return r;
    memcpy(iins, settings.iins, sizeof(iins));
    for (const char *iin = strtok_r(iins, " ,", &rest); iin != NULL;
         iin = strtok_r(NULL, " ,", &rest))
        if (strncmp(pan, iin, strlen(iin)) == 0)
            return TP_OK;
    return tp_fail(e, TP_ERR_USAGE,
                   "that card number is another issuer's: this one's begin with %s", settings.iins);
}

static enum tp_err add(struct office *o, struct account *a, const char *pan, struct tp_error *e)
{
    uint8_t room[PAN_TEXT_MAX + SEAL_OVERHEAD];
    struct buf sealed = BUF_OF(room);
    enum tp_err r = seal_lookup(o->seal, a->lookup, span_str(pan));

    if (r == TP_OK)
        r = seal_close(o->seal, &sealed, span_str(pan), span_str("account"));
    if (r != TP_OK)
        return tp_fail(e, r, "cannot seal the card number: %s", tp_err_text(r));
    mask_pan(a->masked, pan);
    return book_account_add(o->book, a, buf_span(&sealed), e);
}

int issuer_account_add(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_PAN,
        OPTION_PAN_FD,
        OPTION_PSN,
        {"balance", KEY_BALANCE, "AMOUNT", 0, N_("What can be spent, as 1000.00"), 0},
        {"currency", KEY_CURRENCY, "CODE", 0, N_("Currency of the account, as EUR"), 0},
        {"expiry", KEY_EXPIRY, "DATE", 0, N_("Expiry of the card, as 2030-12"), 0},
        {"ceiling", KEY_CEILING, "AMOUNT", 0, N_("The most that one payment may be [no ceiling]"),
         0},
        {"day-ceiling", KEY_DAY_CEILING, "AMOUNT", 0,
         N_("The most that one day's payments may come to [no ceiling]"), 0},
        {"cvn", KEY_CVN, "KIND", 0, N_("Kind of card: 10, 18, ccd-3des, ccd-aes [18]"), 0},
        {"arpc", KEY_ARPC, "METHOD", 0,
         N_("How the issuer proves itself to the card: 1 or 2 [1 for CVN 10, else 2]"), 0},
        {"atc", KEY_ATC, "N", 0, N_("The card's counter so far [0]"), 0},
        {"any-check-digit", KEY_ANY_CHECK_DIGIT, NULL, 0,
         N_("Take a card number whose last digit is not its check digit"), 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {options,
                                     parse,
                                     NULL,
                                     N_("Add an account with its card. The card number is read "
                                        "from standard input unless --pan is given."),
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {0};
    struct office o = {.book = NULL};
    struct account a = {.key = 0};
    struct tp_error e = {TP_OK, ""};
    char pan[PAN_TEXT_MAX] = "";
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = take_words(&a, &w, &e);
    if (r == TP_OK)
        r = office_open(&o, w.dir, &e);
    if (r == TP_OK)
        r = check_keys(&o, a.cvn, &e);
    if (r == TP_OK)
        r = office_card(&o, &w.card, pan, &a.psn, NULL, &e);
    if (r == TP_OK)
        r = check_iin(&o, pan, &e);
    if (r == TP_OK && !w.any_check_digit && !pan_valid(pan))
        r = tp_fail(
            &e, TP_ERR_USAGE,
            "the check digit of that card number is wrong, so nothing was added: look at it again "
            "(--any-check-digit takes it as it is)");
    if (r == TP_OK)
        r = add(&o, &a, pan, &e);
    secret_wipe(pan, sizeof(pan));
    office_close(&o);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("card %s has an account\n"), a.masked);
    return CLI_DONE;
}

static enum tp_err list_row(void *ctx, const struct account *a, struct tp_error *e)
{
    char psn[8], atc[8], expiry[DATE_TEXT_MAX], arpc[2] = {(char)('0' + a->arpc), '\0'};
    char balance[MONEY_TEXT_MAX], reserved[MONEY_TEXT_MAX], ceiling[MONEY_TEXT_MAX],
        day[MONEY_TEXT_MAX];

    snprintf(psn, sizeof(psn), "%02u", a->psn % 100);
    snprintf(atc, sizeof(atc), "%u", a->atc);
    const char *const cells[] = {
        a->masked,
        psn,
        account_status_name[a->status],
        currency_shown(a->currency),
        money_shown(balance, a->balance, a->currency),
        money_shown(reserved, a->reserved, a->currency),
        a->ceiling == MONEY_MAX ? NULL : money_shown(ceiling, a->ceiling, a->currency),
        a->day_ceiling == MONEY_MAX ? NULL : money_shown(day, a->day_ceiling, a->currency),
        date_format(expiry, a->expiry),
        emv_cvn_name(a->cvn),
        arpc,
        atc};

    return table_row(ctx, cells, e);
}

int issuer_account_list(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {options,     parse, NULL, N_("List the accounts."),
                                     table_words, NULL,  NULL};
    static const struct table_column columns[] = {{"pan_masked", TABLE_TEXT},
                                                  {"card_sequence", TABLE_TEXT},
                                                  {"state", TABLE_TEXT},
                                                  {"currency", TABLE_TEXT},
                                                  {"balance", TABLE_RIGHT},
                                                  {"reserved", TABLE_RIGHT | TABLE_LESSER},
                                                  {"ceiling", TABLE_RIGHT | TABLE_LESSER},
                                                  {"day_ceiling", TABLE_RIGHT | TABLE_LESSER},
                                                  {"expiry", TABLE_TEXT | TABLE_LESSER},
                                                  {"cvn", TABLE_TEXT | TABLE_LESSER},
                                                  {"arpc", TABLE_NUMBER | TABLE_LESSER},
                                                  {"atc", TABLE_NUMBER | TABLE_LESSER}};
    struct words w = {0};
    struct listing l = {.table = NULL};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = listing_start(&l, w.dir, "accounts", columns, sizeof(columns) / sizeof(columns[0]), w.json);
    if (r == TP_OK)
        r = book_account_each(l.office.book, list_row, l.table, &l.e);
    return listing_end(&l, r);
}

/* Finds the account of the words and does one thing with it. */
static int change(struct words *w,
                  enum tp_err (*what)(struct office *o, struct account *a, const struct words *w,
                                      struct tp_error *e),
                  const char *done)
{
    struct office o = {.book = NULL};
    struct account a;
    struct tp_error e = {TP_OK, ""};
    char pan[PAN_TEXT_MAX] = "";
    unsigned psn = 0;
    enum tp_err r = office_open(&o, w->dir, &e);

    if (r == TP_OK)
        r = book_begin(o.book, &e); /* the server may be at it, too */
    if (r == TP_OK)
        r = office_card(&o, &w->card, pan, &psn, &a, &e);
    secret_wipe(pan, sizeof(pan));
    if (r == TP_OK)
        r = what(&o, &a, w, &e);
    if (r == TP_OK)
        r = book_commit(o.book, &e);
    office_close(&o);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("card %s is %s\n"), a.masked, done);
    return CLI_DONE;
}

static enum tp_err set_status(struct office *o, struct account *a, const struct words *w,
                              struct tp_error *e)
{
    return book_account_set_status(o->book, a->key, w->blocked, e);
}

static enum tp_err set_amounts(struct office *o, struct account *a, const struct words *w,
                               struct tp_error *e)
{
    const enum tp_err r = take_amounts(a, w, e);

    return r == TP_OK ? book_account_set(o->book, a, e) : r;
}

int issuer_account_block(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_PAN,
        OPTION_PAN_FD,
        OPTION_PSN,
        {"lost", KEY_LOST, NULL, 0, N_("The card is lost (41)"), 0},
        {"stolen", KEY_STOLEN, NULL, 0, N_("The card is stolen (43)"), 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {
        options, parse, NULL, N_("Refuse a card's payments (62; lost 41, stolen 43)."),
        NULL,    NULL,  NULL};
    static const char *const done[ACCOUNT_STATUSES] = {"", "blocked", "lost", "stolen"};
    struct words w = {.blocked = ACCOUNT_BLOCKED};

    cli_parse(&argp, argc, argv, &w);
    return change(&w, set_status, done[w.blocked]);
}

int issuer_account_unblock(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_PAN, OPTION_PAN_FD, OPTION_PSN, OPTION_DIR, {0}};
    static const struct argp argp = {options, parse, NULL, N_("Take a card's payments again."),
                                     NULL,    NULL,  NULL};
    struct words w = {.blocked = ACCOUNT_OPEN};

    cli_parse(&argp, argc, argv, &w);
    return change(&w, set_status, "open");
}

int issuer_account_set(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_PAN,
        OPTION_PAN_FD,
        OPTION_PSN,
        {"balance", KEY_BALANCE, "AMOUNT", 0, N_("What can be spent"), 0},
        {"ceiling", KEY_CEILING, "AMOUNT", 0, N_("The most that one payment may be"), 0},
        {"day-ceiling", KEY_DAY_CEILING, "AMOUNT", 0,
         N_("The most that one day's payments may come to"), 0},
        {"atc", KEY_ATC, "N", 0,
         N_("The card's counter: upwards only, for a card that went far ahead"), 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {
        options, parse, NULL, N_("Change an account's balance, ceilings or counter."),
        NULL,    NULL,  NULL};
    struct words w = {0};

    cli_parse(&argp, argc, argv, &w);
    if (w.balance == NULL && w.ceiling == NULL && w.day_ceiling == NULL && w.atc == NULL) {
        log_error("say what to change: --balance, --ceiling, --day-ceiling or --atc");
        return CLI_USAGE;
    }
    return change(&w, set_amounts, "changed");
}
