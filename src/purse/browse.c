#include "purse/browse.h"

#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "base/log.h"
#include "wire/pass.h"

#define COOKIE "__Host-telepay-purse"
#define MARK_BYTES                                                                                 \
    9 /* makes what is bought again another order: who has a cookie there pays once */
#define TYPED_MAX 24
#define MANY      INT64_MAX

/* ---- up and down ---- */

/* A form's answer leads to where it is bought, and the form's policy holds for that, too. */
static void write_policy(struct browse *b)
{
    size_t n = (size_t)snprintf(b->policy, sizeof(b->policy),
                                "default-src 'none'; style-src 'self'; base-uri 'none'; "
                                "frame-ancestors 'none'; form-action 'self'");

    for (size_t i = 0; i < b->settings->sellers; i++) {
        const char *at = b->settings->seller[i].at;
        const size_t origin = (size_t)(strstr(at, "/s/") - at);

        if (n + origin + 2 < sizeof(b->policy))
            n += (size_t)snprintf(b->policy + n, sizeof(b->policy) - n, " %.*s", (int)origin, at);
    }
}

enum tp_err browse_open(struct browse *b, struct tp_error *e)
{
    enum tp_err r = purse_pages_open(&b->pages, e);

    if (r == TP_OK)
        r = tickets_new(&b->tickets, e);
    if (r == TP_OK && RAND_bytes(b->key, sizeof(b->key)) != 1)
        r = tp_fail(e, TP_ERR_INTERNAL, "no random numbers");
    write_policy(b);
    return r;
}

void browse_close(struct browse *b)
{
    pages_close(&b->pages);
    tickets_free(&b->tickets);
}

/* ---- answers ---- */

static void put_heads(const struct browse *b, struct http_call *call)
{
    http_answer_header(call, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    http_answer_header(call, "Content-Security-Policy", b->policy);
    http_answer_header(call, "X-Frame-Options", "DENY");
    http_answer_header(call, "X-Content-Type-Options", "nosniff");
    http_answer_header(call, "Referrer-Policy", "no-referrer");
    http_answer_header(call, "Cross-Origin-Resource-Policy", "same-origin");
}

static void say(const struct browse *b, struct http_call *call, unsigned status, const char *type,
                const char *text)
{
    const size_t n = strlen(text);

    http_answer(call, status,
                MHD_create_response_from_buffer(n, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY),
                n);
    http_answer_header(call, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    put_heads(b, call);
}

static void say_page(const struct browse *b, struct http_call *call, unsigned status, char *page)
{
    if (page != NULL)
        say(b, call, status, "text/html; charset=utf-8", page);
    else
        http_answer_busy(call, "no page can be made now: ask again");
    free(page);
}

static void lead_to(const struct browse *b, struct http_call *call, const char *address)
{
    http_answer(call, MHD_HTTP_SEE_OTHER,
                MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT), 0);
    http_answer_header(call, MHD_HTTP_HEADER_LOCATION, address);
    put_heads(b, call);
}

static enum page_language language_of(const struct http_call *call)
{
    return page_language(http_header(call, MHD_HTTP_HEADER_ACCEPT_LANGUAGE));
}

void browse_problem(const struct browse *b, struct http_call *call, unsigned status)
{
    say_page(b, call, status, page_problem(b->pages, language_of(call), status, NULL));
}

void browse_style(const struct browse *b, struct http_call *call)
{
    const char *type = "", *text = page_file(b->pages, "telepay.css", &type);

    say(b, call, MHD_HTTP_OK, type, text);
}

static void show_in(const struct browse *b, struct http_call *call, bool used)
{
    say_page(b, call, MHD_HTTP_FORBIDDEN,
             page_enter(b->pages, language_of(call), b->acquirer, used));
}

/* ---- who comes ---- */

enum purse_verdict browse_ticket(struct browse *b, json_t **out, const struct purse_statement *s,
                                 time_t now)
{
    struct account account;
    struct ticket_holder holder;
    char ticket[TICKET];
    struct tp_error e = {TP_OK, ""};
    const enum purse_verdict v = asked_who(b->asked, &account, s, now);

    *out = NULL;
    if (v != PURSE_NEW)
        return v;
    memcpy(holder.account, account.account, sizeof(holder.account));
    memcpy(holder.key, account.key, sizeof(holder.key));
    if (tickets_give(b->tickets, ticket, &holder, now, &e) == TP_OK)
        *out = json_pack("{s:s,s:s}", "account", account.account, "ticket", ticket);
    else
        log_error("%s", e.text);
    return *out != NULL ? PURSE_NEW : PURSE_FAULT;
}

/* A cookie is good for the key that signed for it: what takes that key's place ends it. */
static char *good_for(char out[PASS_FOR], const uint8_t key[ED25519_KEY])
{
    char text[BASE64URL_SIZE(ED25519_KEY)];

    snprintf(out, PASS_FOR, "purse %s", base64url_encode(text, span_of(key, ED25519_KEY)));
    return out;
}

void browse_enter(struct browse *b, struct http_call *call)
{
    const char *ticket = http_argument(call, "ticket");
    struct ticket_holder holder;
    char of[PASS_FOR], pass[PASS_TEXT], cookie[PASS_TEXT + 120];
    const time_t now = time(NULL);
    struct tp_error e = {TP_OK, ""};

    if (ticket == NULL || !tickets_take(b->tickets, &holder, ticket, now)) {
        show_in(b, call, ticket != NULL);
        return;
    }
    if (pass_write(pass, SPAN_OF(b->key), good_for(of, holder.key), holder.account,
                   now + BROWSE_SECONDS, &e) != TP_OK) {
        log_error("%s", e.text);
        browse_problem(b, call, MHD_HTTP_SERVICE_UNAVAILABLE);
        return;
    }
    snprintf(cookie, sizeof(cookie),
             COOKIE "=%s; Path=/; Max-Age=%d; Secure; HttpOnly; SameSite=Lax", pass,
             BROWSE_SECONDS);
    lead_to(b, call, "/account");
    http_answer_header(call, MHD_HTTP_HEADER_SET_COOKIE, cookie);
}

/* The account of the cookie, and its records before that number. TP_ERR_SECURITY: there is none,
 * or it is not good. */
static enum tp_err find(const struct browse *b, struct sheet *out, const struct http_call *call,
                        int64_t before, struct tp_error *e)
{
    const char *pass = http_cookie(call, COOKIE);
    char account[PURSE_ACCOUNT], of[PASS_FOR], name[PASS_NAME];
    enum tp_err r;

    if (pass == NULL || strlen(pass) < sizeof(account))
        return tp_fail(e, TP_ERR_SECURITY, "no cookie");
    snprintf(account, sizeof(account), "%.*s", (int)sizeof(account) - 1, pass);
    r = asked_sheet(b->asked, out, account, before, e);
    if (r == TP_ERR_NOT_FOUND ||
        (r == TP_OK &&
         !pass_read(name, SPAN_OF(b->key), good_for(of, out->account.key), pass, time(NULL))))
        r = tp_fail(e, TP_ERR_SECURITY, "the cookie is not good");
    return r;
}

/* As find; the call is answered where there is none. */
static bool found(const struct browse *b, struct sheet *out, struct http_call *call, int64_t before)
{
    struct tp_error e = {TP_OK, ""};
    const enum tp_err r = find(b, out, call, before, &e);

    if (r == TP_ERR_SECURITY) {
        show_in(b, call, false);
    } else if (r != TP_OK) {
        log_error("%s", e.text);
        browse_problem(b, call, MHD_HTTP_SERVICE_UNAVAILABLE);
    }
    return r == TP_OK;
}

/* ---- the page ---- */

static bool sells(const struct browse *b, size_t i)
{
    struct tp_error e = {TP_OK, ""};
    bool open = false;

    if (asked_seller(b->asked, b->settings->seller[i].name, &open, &e) != TP_OK)
        log_error("%s", e.text);
    return open;
}

static void show(const struct browse *b, struct http_call *call, unsigned status,
                 struct page_account *page)
{
    page->settings = b->settings;
    for (size_t i = 0; i < b->settings->sellers; i++)
        page->sells |= (unsigned)sells(b, i) << i;
    say_page(b, call, status, page_account(b->pages, language_of(call), page));
}

void browse_account(const struct browse *b, struct http_call *call)
{
    const char *text = http_argument(call, "before");
    int64_t before = MANY;
    struct sheet sheet;
    struct page_account page = {.sheet = &sheet, .typed = "", .older = text != NULL};

    if (text != NULL && cli_number(&before, "before", text, MONEY_MAX, NULL) != TP_OK)
        browse_problem(b, call, MHD_HTTP_NOT_FOUND);
    else if (found(b, &sheet, call, before))
        show(b, call, MHD_HTTP_OK, &page);
}

/* ---- filling ---- */

static const struct purse_seller *seller_named(const struct browse *b, const char *name)
{
    for (size_t i = 0; name != NULL && i < b->settings->sellers; i++)
        if (strcmp(b->settings->seller[i].name, name) == 0 && sells(b, i))
            return &b->settings->seller[i];
    return NULL;
}

/* The word of what is wrong; NULL: nothing. */
static const char *read_amount(int64_t *out, const struct browse *b, const struct account *a,
                               const char *typed)
{
    const struct currency *c = currency_by_numeric(a->currency);

    if (c == NULL || typed == NULL || money_parse(out, c, typed, NULL) != TP_OK)
        return "amount";
    return *out > page_room(a, b->settings) ? "most" : NULL;
}

static void lead_to_seller(const struct browse *b, struct http_call *call,
                           const struct purse_seller *seller, const struct account *a,
                           int64_t amount)
{
    uint8_t bytes[MARK_BYTES];
    char mark[BASE64URL_SIZE(MARK_BYTES)],
        address[SETTINGS_URL + PURSE_ACCOUNT + sizeof(mark) + 48];

    if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
        browse_problem(b, call, MHD_HTTP_SERVICE_UNAVAILABLE);
        return;
    }
    snprintf(address, sizeof(address), "%s/fill/%s/%" PRId64 "/%s?%s", seller->at, a->account,
             amount, language_of(call) == PAGE_FRENCH ? "fr" : "en",
             base64url_encode(mark, SPAN_OF(bytes)));
    lead_to(b, call, address);
}

void browse_fill(const struct browse *b, struct http_call *call)
{
    const char *typed = http_argument(call, "amount");
    const struct purse_seller *seller = seller_named(b, http_argument(call, "seller"));
    int64_t amount = 0;
    char shown[TYPED_MAX];
    struct sheet sheet;
    struct page_account page = {.sheet = &sheet, .typed = shown};

    if (!found(b, &sheet, call, MANY))
        return;
    page.fault = read_amount(&amount, b, &sheet.account, typed);
    if (page.fault == NULL && seller == NULL)
        page.fault = "seller";
    snprintf(shown, sizeof(shown), "%.*s", TYPED_MAX - 1, typed != NULL ? typed : "");
    if (page.fault != NULL)
        show(b, call, MHD_HTTP_UNPROCESSABLE_CONTENT, &page);
    else
        lead_to_seller(b, call, seller, &sheet.account, amount);
}
