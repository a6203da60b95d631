#include "purse/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define TIME_SHOWN   24

enum tp_err purse_pages_open(struct pages **out, struct tp_error *e)
{
    static const char *const files[] = {"purse/account.html",
                                        "purse/session.html",
                                        "purse/record.html",
                                        "purse/fill.html",
                                        "purse/seller.html",
                                        "purse/fault.html",
                                        "purse/enter.html",
                                        "purse/filled.html",
                                        "purse/older.html",
                                        "purse/section.html",
                                        NULL};

    return pages_open(out, "purse", files, e);
}

struct drawing {
    const struct pages *pages;
    enum page_language language;
    const struct page_account *page;
};

static const char *word(const struct drawing *d, const char *kind, const char *name)
{
    return page_word(d->pages, d->language, kind, name);
}

static char *money(char out[PAGE_MONEY], const struct drawing *d, int64_t amount)
{
    return page_money(out, d->pages, d->language, amount, d->page->sheet->account.currency);
}

static char *time_of(char shown[TIME_SHOWN], char at[TIME_TEXT_MAX], time_t t)
{
    (void)time_format_utc(at, t);
    snprintf(shown, TIME_SHOWN, "%.10s %.5s UTC", at, at + 11);
    return shown;
}

/* A part of the file and the values; "" (which free() must not see) never: it is NULL then. */
static char *part(const struct drawing *d, const char *file, const struct page_value *values,
                  size_t n)
{
    const struct page_body body = {.file = file, .values = values, .n = n};

    return page_part(d->pages, d->language, &body);
}

/* So many parts, one behind the other (free()); NULL: no memory, or none. */
typedef char *part_of(const struct drawing *d, size_t i);
static char *parts(const struct drawing *d, size_t n, part_of *one)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = n > 0 ? open_memstream(&text, &size) : NULL;

    for (size_t i = 0; to != NULL && i < n; i++) {
        char *piece = one(d, i);

        if (piece != NULL)
            fputs(piece, to);
        free(piece);
    }
    if (to != NULL && fclose(to) != 0) {
        free(text);
        text = NULL;
    }
    return text;
}

static const char *or_none(const char *text)
{
    return text != NULL ? text : "";
}

/* ---- what holds some of it ---- */

static char *session_of(const struct drawing *d, size_t i)
{
    const struct reserved *s = &d->page->sheet->session[i];
    char amount[PAGE_MONEY], drawn[PAGE_MONEY], at[TIME_TEXT_MAX], shown[TIME_SHOWN];
    const struct page_value values[] = {{"amount", money(amount, d, s->amount)},
                                        {"drawn", money(drawn, d, s->drawn)},
                                        {"mediator", s->mediator},
                                        {"until_shown", time_of(shown, at, s->until)},
                                        {"until", at}};

    return part(d, "session.html", values, COUNT(values));
}

/* ---- what became of it ---- */

static const char *kind_of(enum history_kind kind)
{
    static const char *const names[] = {
        [HISTORY_FILLED] = "filled",       [HISTORY_GIVEN_BACK] = "given_back",
        [HISTORY_CARD] = "card",           [HISTORY_PAYMENT] = "payment",
        [HISTORY_REVERSAL] = "reversal",   [HISTORY_EMPTYING] = "emptying",
        [HISTORY_PROVISION] = "provision", [HISTORY_VOUCHER] = "voucher",
    };

    return names[kind];
}

static char *record_of(const struct drawing *d, size_t i)
{
    const struct sheet_record *r = &d->page->sheet->record[i];
    static const char *const signs[] = {"\u2212", "", "+"};
    char amount[PAGE_MONEY], signed_amount[PAGE_MONEY + 4], at[TIME_TEXT_MAX], shown[TIME_SHOWN],
        number[24], refused[120] = "";

    snprintf(signed_amount, sizeof(signed_amount), "%s%s", signs[r->effect + 1],
             money(amount, d, r->amount));
    snprintf(number, sizeof(number), "%" PRId64, r->number);
    if (strcmp(r->code, "00") != 0)
        snprintf(refused, sizeof(refused), "%s (%s%s%s)", word(d, "word", "refused"), r->code,
                 r->reason[0] != '\0' ? ", " : "", r->reason);
    const struct page_value values[] = {{"amount", signed_amount},
                                        {"what", r->what},
                                        {"kind", word(d, "kind", kind_of(r->kind))},
                                        {"refused", refused},
                                        {"number", number},
                                        {"at_shown", time_of(shown, at, r->at)},
                                        {"at", at},
                                        {"class", r->effect != 0 ? "moved" : "unmoved"}};

    return part(d, "record.html", values, COUNT(values));
}

static char *older_of(const struct drawing *d)
{
    const struct sheet *s = d->page->sheet;
    char number[24];
    const struct page_value values[] = {{"before", number}};

    if (!s->more)
        return NULL;
    snprintf(number, sizeof(number), "%" PRId64, s->record[s->n - 1].number);
    return part(d, "older.html", values, COUNT(values));
}

/* ---- filling ---- */

int64_t page_room(const struct account *a, const struct purse_settings *settings)
{
    const struct purse_currency *limits = settings_currency(settings, a->currency);

    return a->state == ACCOUNT_OPEN && limits != NULL && limits->balance > a->balance
               ? limits->balance - a->balance
               : 0;
}

/* A button for each that sells: the form says whose was pressed. */
static char *seller_of(const struct drawing *d, size_t i)
{
    const struct purse_seller *s = &d->page->settings->seller[i];
    char site[SETTINGS_URL];
    const struct page_value values[] = {{"seller", s->name}, {"site", site}};

    if ((d->page->sells >> i & 1) == 0)
        return NULL;
    snprintf(site, sizeof(site), "%s", strstr(s->at, "://") + 3);
    site[strcspn(site, "/")] = '\0';
    return part(d, "seller.html", values, COUNT(values));
}

static char *fault_of(const struct drawing *d)
{
    const struct page_value values[] = {
        {"fault", d->page->fault != NULL ? word(d, "fault", d->page->fault) : ""}};

    return d->page->fault != NULL ? part(d, "fault.html", values, COUNT(values)) : NULL;
}

static char *fill_of(const struct drawing *d)
{
    const struct account *a = &d->page->sheet->account;
    const int64_t room = page_room(a, d->page->settings);
    char most[PAGE_MONEY], *sellers, *fault, *form;

    if (room == 0 || d->page->sells == 0)
        return NULL;
    sellers = parts(d, d->page->settings->sellers, seller_of);
    fault = fault_of(d);
    const struct page_value values[] = {{"sellers", or_none(sellers)},
                                        {"fault", or_none(fault)},
                                        {"typed", d->page->typed},
                                        {"invalid", d->page->fault != NULL ? "true" : "false"},
                                        {"currency", currency_shown(a->currency)},
                                        {"most", money(most, d, room)}};

    form = part(d, "fill.html", values, COUNT(values));
    free(sellers);
    free(fault);
    return form;
}

/* ---- whole pages ---- */

/* A heading, and what stands under it; NULL where nothing does. */
static char *section(const struct drawing *d, const char *name, char *body)
{
    const struct page_value values[] = {
        {"name", name}, {"section", word(d, "section", name)}, {"body", or_none(body)}};
    char *text = body != NULL ? part(d, "section.html", values, COUNT(values)) : NULL;

    free(body);
    return text;
}

char *page_account(const struct pages *p, enum page_language l, const struct page_account *a)
{
    const struct drawing d = {p, l, a};
    const struct account *account = &a->sheet->account;
    const char *state = account_state_name(account->state);
    char balance[PAGE_MONEY], reserved[PAGE_MONEY],
        *sessions = section(&d, "sessions", parts(&d, a->sheet->sessions, session_of)),
        *fill = fill_of(&d), *records = section(&d, "records", parts(&d, a->sheet->n, record_of)),
        *older = older_of(&d), *page;
    const struct page_value values[] = {
        {"heading", word(&d, "heading", "account")},
        {"balance", money(balance, &d, account->balance - account->reserved)},
        {"reserved", money(reserved, &d, account->reserved)},
        {"told", word(&d, "told", a->sheet->n > 0 || a->older ? state : "new")},
        {"reason", account->reason},
        {"purse", a->settings->name},
        {"account", account->account},
        {"sessions", or_none(sessions)},
        {"fill", or_none(fill)},
        {"records", or_none(records)},
        {"older", or_none(older)}};
    const struct page_body body = {.file = "account.html", .values = values, .n = COUNT(values)};

    page = page_whole(p, l, &body);
    free(sessions);
    free(fill);
    free(records);
    free(older);
    return page;
}

char *page_enter(const struct pages *p, enum page_language l, const char *acquirer, bool used)
{
    char agent[80];
    const struct page_value values[] = {{"heading", page_word(p, l, "heading", "enter")},
                                        {"told", page_word(p, l, "told", used ? "used" : "enter")},
                                        {"acquirer", acquirer},
                                        {"agent_url", agent}};
    const struct page_body body = {.file = "enter.html", .values = values, .n = COUNT(values)};

    snprintf(agent, sizeof(agent), PAGE_AGENT "/purse?purse=%s", acquirer);
    return page_whole(p, l, &body);
}

char *page_filled(const struct pages *p, enum page_language l, const char *url, int64_t amount,
                  uint16_t currency)
{
    char shown[PAGE_MONEY];
    const struct page_value values[] = {{"heading", page_word(p, l, "heading", "filled")},
                                        {"told", page_word(p, l, "told", "filled")},
                                        {"amount", page_money(shown, p, l, amount, currency)},
                                        {"back", url}};
    const struct page_body body = {.file = "filled.html", .values = values, .n = COUNT(values)};

    return page_whole(p, l, &body);
}
