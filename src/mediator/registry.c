#include "mediator/registry.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "base/conf.h"
#include "base/date.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/word.h"
#include "mediator/stans.h"
#include "order/token.h"

#define PARAMETERS_TYPE "telepay-parameters"
#define PARAMETERS_MAX  (1U << 20)
#define ENTRIES_MAX     1024
#define TOLD_MAX        16

#define DIGITS             "0123456789"
#define LETTERS_AND_DIGITS DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* What cannot be read is looked at again within seconds, but told again only when it has changed.
 */
struct complaints {
    char text[TOLD_MAX][512];
    size_t n;
};

struct registry {
    char dir[PATH_MAX];
    struct registry_events events;
    pthread_mutex_t lock;
    struct orderbook *book; /* under lock, as all below */
    struct reg_acquirer *acquirer[ENTRIES_MAX];
    struct reg_contract *contract[ENTRIES_MAX];
    struct reg_service *service[ENTRIES_MAX];
    size_t acquirers, contracts, services;
    struct complaints told, telling; /* at the last look, and so far at this one */
};

static bool is_of(const char *text, const char *characters, size_t min, size_t max)
{
    const size_t n = strspn(text, characters);

    return text[n] == '\0' && n >= min && n <= max;
}

static void complain(struct registry *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void complain(struct registry *r, const char *format, ...)
{
    char text[sizeof(r->told.text[0])];
    bool known = false;
    va_list words;

    va_start(words, format);
    vsnprintf(text, sizeof(text), gettext(format), words);
    va_end(words);
    for (size_t i = 0; i < r->told.n && !known; i++)
        known = strcmp(r->told.text[i], text) == 0;
    if (!known)
        log_error("%s", text);
    if (r->telling.n < TOLD_MAX)
        memcpy(r->telling.text[r->telling.n++], text, sizeof(text));
}

/* The files of a link, and whether a link can be made with them. */
static enum tp_err read_tls(struct pki_files *out, const struct conf *conf, const char *section,
                            struct tp_error *e)
{
    SSL_CTX *tls = NULL;
    enum tp_err r = pki_files_load(out, conf, section, e);

    if (r == TP_OK)
        r = file_check_private(out->key, e);
    if (r == TP_OK)
        r = pki_tls_context(&tls, PKI_CLIENT, out->ca, out->certificate, out->key, e);
    SSL_CTX_free(tls);
    return r;
}

/* ---- acquirers ---- */

static void acquirer_free(struct reg_acquirer *a)
{
    if (a == NULL)
        return;
    order_authority_free(&a->authority);
    json_decref(a->sealing);
    free(a->parameters);
    free(a);
}

/* The acquirer's statement of what a kernel needs: passed on as it is, known by its version. */
static enum tp_err read_parameters(struct reg_acquirer *a, const struct conf *conf,
                                   struct tp_error *e)
{
    char path[PATH_MAX];
    struct token t = {0};
    uint8_t *text = NULL;
    size_t n = 0;
    enum tp_err r;

    if (conf_get(conf, "acquirer", "parameters") == NULL)
        return TP_OK;
    r = conf_need_path(path, sizeof(path), conf, "acquirer", "parameters", e);
    if (r == TP_OK)
        r = file_read(path, PARAMETERS_MAX, &text, &n, e);
    if (r != TP_OK)
        return r;
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        text[--n] = '\0';
    r = token_read(&t, (const char *)text, PARAMETERS_TYPE, e);
    if (r == TP_OK)
        snprintf(a->version, sizeof(a->version), "%lld",
                 (long long)json_integer_value(json_object_get(t.payload, "version")));
    else
        tp_error_prefix(e, "%s", path);
    token_free(&t);
    if (r != TP_OK) {
        free(text);
        return r;
    }
    a->parameters = (char *)text;
    return TP_OK;
}

/* Where cards' messages go, and what they are sealed to. */
static enum tp_err read_line(struct reg_acquirer *a, const struct conf *conf, struct tp_error *e)
{
    const char *host = NULL, *port = NULL;
    char sealing[PATH_MAX];
    enum tp_err r = conf_need(&host, conf, "acquirer", "host", e);

    if (r == TP_OK)
        r = conf_need(&port, conf, "acquirer", "port", e);
    if (r == TP_OK)
        r = read_tls(&a->tls, conf, "acquirer", e);
    if (r == TP_OK)
        r = conf_need_path(sealing, sizeof(sealing), conf, "acquirer", "sealing", e);
    if (r == TP_OK && (strlen(host) >= sizeof(a->host) || strlen(port) >= sizeof(a->port)))
        r = tp_fail(e, TP_ERR_USAGE, "%s: host or port is longer than %zu and %zu characters",
                    conf_path(conf), sizeof(a->host) - 1, sizeof(a->port) - 1);
    if (r == TP_OK)
        r = order_certificate_load(&a->sealing, sealing, e);
    if (r != TP_OK)
        return r;
    snprintf(a->host, sizeof(a->host), "%s", host);
    snprintf(a->port, sizeof(a->port), "%s", port);
    return read_parameters(a, conf, e);
}

static enum tp_err read_url(char *out, size_t cap, const struct conf *conf, const char *section,
                            struct tp_error *e)
{
    const char *url = NULL;
    const enum tp_err r = conf_need(&url, conf, section, "url", e);
    size_t n;

    if (r == TP_OK && (strncmp(url, "https://", 8) != 0 || strlen(url) >= cap))
        return tp_fail(e, TP_ERR_USAGE,
                       "%s: url must begin with https://, and have less than %zu characters",
                       conf_path(conf), cap);
    if (r != TP_OK)
        return r;
    n = (size_t)snprintf(out, cap, "%s", url);
    if (n > 0 && out[n - 1] == '/')
        out[n - 1] = '\0';
    return TP_OK;
}

static enum tp_err read_means(enum means *out, const struct conf *conf, struct tp_error *e)
{
    const char *name = conf_get(conf, "acquirer", "means");

    *out = name != NULL && strcmp(name, means_method(MEANS_PURSE)) == 0 ? MEANS_PURSE : MEANS_EMV;
    return name == NULL || strcmp(name, means_method(*out)) == 0
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE, "%s: means is purse, or is left out for cards",
                         conf_path(conf));
}

static enum tp_err read_acquirer(struct reg_acquirer *a, const struct conf *conf,
                                 struct tp_error *e)
{
    const char *id = NULL;
    enum tp_err r = conf_need(&id, conf, "acquirer", "id", e);

    if (r == TP_OK && !is_of(id, LETTERS_AND_DIGITS, 1, sizeof(a->id) - 1))
        r = tp_fail(e, TP_ERR_USAGE, "%s: id has 1 to %zu letters and digits", conf_path(conf),
                    sizeof(a->id) - 1);
    if (r == TP_OK)
        r = read_means(&a->means, conf, e);
    if (r == TP_OK && a->means == MEANS_EMV)
        r = read_line(a, conf, e);
    if (r == TP_OK && a->means == MEANS_PURSE)
        r = read_url(a->url, sizeof(a->url), conf, "acquirer", e);
    if (r == TP_OK && a->means == MEANS_PURSE)
        r = conf_need_path(a->tls.ca, sizeof(a->tls.ca), conf, "acquirer", "ca", e);
    if (r == TP_OK)
        r = order_authority_load(&a->authority, a->tls.ca, e);
    if (r == TP_OK)
        snprintf(a->id, sizeof(a->id), "%s", id);
    return r;
}

/* ---- contracts ---- */

static void contract_free(struct reg_contract *c)
{
    if (c == NULL)
        return;
    order_key_free(&c->key);
    stans_free(&c->stans);
    free(c);
}

/* The terms as an order has them. */
static const struct term {
    const char *key;
    size_t offset, min, max;
    const char *of; /* characters; NULL: words */
    bool card;      /* what a card is told */
} terms[] = {
    {"terminal", offsetof(struct reg_contract, terminal), 8, 8, LETTERS_AND_DIGITS, true},
    {"merchant", offsetof(struct reg_contract, merchant), 1, 100, NULL, false},
    {"country", offsetof(struct reg_contract, country), 3, 3, DIGITS, true},
    {"mcc", offsetof(struct reg_contract, mcc), 4, 4, DIGITS, true},
};

static enum tp_err read_term(struct reg_contract *c, const struct term *t, const struct conf *conf,
                             const char *section, struct tp_error *e)
{
    const char *value = NULL;
    enum tp_err r = conf_need(&value, conf, section, t->key, e);

    if (r != TP_OK)
        return r;
    if (t->of == NULL ? word_check(value, t->key, t->max, NULL) != TP_OK
                      : !is_of(value, t->of, t->min, t->max))
        return tp_fail(e, TP_ERR_USAGE, "%s: [%s] has a %s that is none", conf_path(conf), section,
                       t->key);
    memcpy((char *)c + t->offset, value, strlen(value) + 1);
    return TP_OK;
}

/* A purse says by itself what it takes at once: its contracts need have no ceiling. */
static enum tp_err read_terms(struct reg_contract *c, const struct conf *conf, const char *section,
                              struct tp_error *e)
{
    const bool card = c->acquirer->means == MEANS_EMV;
    const char *currency = NULL, *ceiling = conf_get(conf, section, "ceiling");
    enum tp_err r = TP_OK;

    for (size_t i = 0; r == TP_OK && i < sizeof(terms) / sizeof(terms[0]); i++)
        if (card || !terms[i].card)
            r = read_term(c, &terms[i], conf, section, e);
    if (r == TP_OK)
        r = conf_need(&currency, conf, section, "currency", e);
    if (r == TP_OK && card)
        r = conf_need(&ceiling, conf, section, "ceiling", e);
    if (r != TP_OK)
        return r;
    c->currency = currency_by_alpha(currency);
    if (c->currency == NULL)
        return tp_fail(e, TP_ERR_USAGE, "%s: [%s] has a currency that is none", conf_path(conf),
                       section);
    c->ceiling = MONEY_MAX;
    if (ceiling == NULL)
        return TP_OK;
    r = cli_number(&c->ceiling, "ceiling", ceiling, MONEY_MAX, e);
    if (r != TP_OK)
        tp_error_prefix(e, "%s: [%s]", conf_path(conf), section);
    return r;
}

static enum tp_err read_own_name(struct reg_contract *c, struct tp_error *e)
{
    struct order_holder holder = {.jwk = NULL};
    const enum tp_err r =
        order_holder_read(&holder, c->acquirer->authority, c->key.x5c, PKI_ORDER, time(NULL), e);

    memcpy(c->mediator, holder.common_name, sizeof(c->mediator));
    order_holder_free(&holder);
    return r;
}

static enum tp_err read_contract(struct reg_contract *c, const struct conf *conf,
                                 const char *section, struct tp_error *e)
{
    const char *id = section + strlen(CONTRACT_PREFIX);
    char certificate[PATH_MAX], key[PATH_MAX];
    enum tp_err r = read_terms(c, conf, section, e);

    if (r == TP_OK && !is_of(id, LETTERS_AND_DIGITS, sizeof(c->id) - 1, sizeof(c->id) - 1))
        r = tp_fail(e, TP_ERR_USAGE, "%s: [%s] names no contract", conf_path(conf), section);
    if (r == TP_OK)
        r = conf_need_path(certificate, sizeof(certificate), conf, section, "certificate", e);
    if (r == TP_OK)
        r = conf_need_path(key, sizeof(key), conf, section, "key", e);
    if (r == TP_OK)
        r = order_key_load(&c->key, certificate, key, e);
    if (r == TP_OK && c->acquirer->means == MEANS_PURSE)
        r = read_own_name(c, e);
    if (r == TP_OK && c->acquirer->means == MEANS_EMV)
        r = stans_new(&c->stans, e);
    if (r == TP_OK)
        snprintf(c->id, sizeof(c->id), "%s", id);
    return r;
}

static bool is_contract(const char *section)
{
    return strncmp(section, CONTRACT_PREFIX, strlen(CONTRACT_PREFIX)) == 0;
}

/* ---- taking in ---- */

const struct reg_acquirer *registry_acquirer(struct registry *r, const char *id)
{
    const struct reg_acquirer *found = NULL;

    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->acquirers && found == NULL; i++)
        if (strcmp(r->acquirer[i]->id, id) == 0)
            found = r->acquirer[i];
    pthread_mutex_unlock(&r->lock);
    return found;
}

struct reg_contract *registry_contract_of(struct registry *r, const struct reg_acquirer *a)
{
    struct reg_contract *found = NULL;

    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->contracts && found == NULL; i++)
        if (r->contract[i]->acquirer == a)
            found = r->contract[i];
    pthread_mutex_unlock(&r->lock);
    return found;
}

static struct reg_contract *contract_of(struct registry *r, const char *id)
{
    for (size_t i = 0; i < r->contracts; i++)
        if (strcmp(r->contract[i]->id, id) == 0)
            return r->contract[i];
    return NULL;
}

struct reg_contract *registry_contract(struct registry *r, const char *id)
{
    struct reg_contract *found;

    pthread_mutex_lock(&r->lock);
    found = contract_of(r, id);
    pthread_mutex_unlock(&r->lock);
    return found;
}

static enum tp_err take_contract(struct registry *r, const struct reg_acquirer *a,
                                 const struct conf *conf, const char *section, struct tp_error *e)
{
    struct reg_contract *c;
    enum tp_err err;

    c = contract_of(r, section + strlen(CONTRACT_PREFIX));
    if (c != NULL && c->acquirer != a)
        return tp_fail(e, TP_ERR_EXISTS, "%s: the contract %s is of the acquirer %s already",
                       conf_path(conf), c->id, c->acquirer->id);
    if (c != NULL)
        return TP_OK;
    c = r->contracts < ENTRIES_MAX ? calloc(1, sizeof(*c)) : NULL;
    if (c == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no room for a contract");
    c->acquirer = a;
    err = read_contract(c, conf, section, e);
    if (err != TP_OK) {
        contract_free(c);
        return err;
    }
    r->contract[r->contracts++] = c;
    return TP_OK;
}

static enum tp_err take_acquirer(struct registry *r, const struct conf *conf,
                                 const struct reg_acquirer **out, struct tp_error *e)
{
    struct reg_acquirer *a;
    enum tp_err err;

    for (size_t i = 0; i < r->acquirers; i++)
        if (strcmp(r->acquirer[i]->id, conf_get(conf, "acquirer", "id") != NULL
                                           ? conf_get(conf, "acquirer", "id")
                                           : "") == 0) {
            *out = r->acquirer[i];
            return TP_OK;
        }
    a = r->acquirers < ENTRIES_MAX ? calloc(1, sizeof(*a)) : NULL;
    if (a == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no room for an acquirer");
    err = read_acquirer(a, conf, e);
    if (err == TP_OK && r->events.acquirer != NULL)
        err = r->events.acquirer(r->events.ctx, a, e);
    if (err != TP_OK) {
        acquirer_free(a);
        return err;
    }
    r->acquirer[r->acquirers++] = a;
    *out = a;
    return TP_OK;
}

/* One contract that cannot be read leaves the others; the first of them is told. */
static enum tp_err take_contracts(struct registry *r, const struct reg_acquirer *a,
                                  const struct conf *conf, struct tp_error *e)
{
    enum tp_err first = TP_OK, err;
    const char *section;

    for (size_t i = 0; (section = conf_section_at(conf, i)) != NULL; i++) {
        if (!is_contract(section))
            continue;
        err = take_contract(r, a, conf, section, first == TP_OK ? e : NULL);
        if (first == TP_OK)
            first = err;
    }
    return first;
}

static enum tp_err take_folder(struct registry *r, const char *folder, struct tp_error *e)
{
    char path[PATH_MAX];
    const struct reg_acquirer *a = NULL;
    struct conf *conf = NULL;
    enum tp_err err = file_join(path, sizeof(path), folder, ACQUIRER_CONF, e);

    if (err == TP_OK)
        err = conf_load(&conf, path, e);
    if (err == TP_OK)
        err = take_acquirer(r, conf, &a, e);
    if (err == TP_OK)
        err = take_contracts(r, a, conf, e);
    conf_free(&conf);
    return err;
}

/* ---- services ---- */

static enum tp_err read_service(struct reg_service *s, const char *folder, struct tp_error *e)
{
    char path[PATH_MAX];
    struct conf *conf = NULL;
    enum tp_err r = file_join(path, sizeof(path), folder, SERVICE_CONF, e);

    if (r == TP_OK)
        (void)stat(path, &s->conf); /* before it is read: a change meanwhile is read again */
    if (r == TP_OK)
        r = conf_load(&conf, path, e);
    if (r == TP_OK)
        r = read_url(s->url, sizeof(s->url), conf, "service", e);
    if (r == TP_OK)
        r = read_tls(&s->tls, conf, "service", e);
    conf_free(&conf);
    return r;
}

static void service_free(struct reg_service *s)
{
    while (s != NULL) {
        struct reg_service *before = s->before;

        free(s);
        s = before;
    }
}

static struct reg_service **place_of(struct registry *r, const char *name)
{
    for (size_t i = 0; i < r->services; i++)
        if (strcmp(r->service[i]->name, name) == 0)
            return &r->service[i];
    return NULL;
}

bool reg_service_takes(const struct reg_service *s, enum means means)
{
    const enum means of = means == MEANS_VOUCHER ? MEANS_PURSE : means;
    bool takes = false;

    for (size_t i = 0; i < s->contracts; i++)
        takes = takes || s->contract[i]->acquirer->means == of;
    return takes;
}

enum tp_err registry_check_contracts(struct reg_contract *const *contracts, size_t n,
                                     struct tp_error *e)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            if (contracts[i]->acquirer == contracts[j]->acquirer)
                return tp_fail(e, TP_ERR_USAGE,
                               "the contracts %s and %s are both of the acquirer %s: a service "
                               "sells under one of each",
                               contracts[j]->id, contracts[i]->id, contracts[i]->acquirer->id);
            if (contracts[i]->currency != contracts[j]->currency)
                return tp_fail(e, TP_ERR_USAGE,
                               "the contracts %s and %s are of two currencies: a service sells in "
                               "one",
                               contracts[j]->id, contracts[i]->id);
        }
    return TP_OK;
}

static enum tp_err take_service_contracts(struct registry *r, struct reg_service *s,
                                          const struct orderbook_service *row, struct tp_error *e)
{
    for (size_t i = 0; i < row->contracts; i++) {
        s->contract[i] = contract_of(r, row->contract[i]);
        if (s->contract[i] == NULL)
            return tp_fail(e, TP_ERR_NOT_FOUND,
                           "it sells under the contract %s, which no acquirer has put under this "
                           "mediator: telepay-mediator acquirer add",
                           row->contract[i]);
    }
    s->contracts = row->contracts;
    return registry_check_contracts(s->contract, s->contracts, e);
}

static enum tp_err new_service(struct reg_service **out, struct registry *r,
                               const struct orderbook_service *row, struct tp_error *e)
{
    char folder[PATH_MAX], under[sizeof(SERVICES_FOLDER) + BOOK_NAME_MAX];
    struct reg_service *s = calloc(1, sizeof(*s));
    enum tp_err err;

    *out = s;
    if (s == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a service");
    snprintf(s->name, sizeof(s->name), "%s", row->name);
    snprintf(under, sizeof(under), SERVICES_FOLDER "/%s", row->name);
    err = file_join(folder, sizeof(folder), r->dir, under, e);
    if (err == TP_OK)
        err = read_service(s, folder, e);
    return err == TP_OK ? take_service_contracts(r, s, row, e) : err;
}

static bool sells_under(const struct reg_service *s, const struct orderbook_service *row)
{
    for (size_t i = 0; i < row->contracts; i++)
        if (i >= s->contracts || strcmp(s->contract[i]->id, row->contract[i]) != 0)
            return false;
    return s->contracts == row->contracts;
}

static bool is_changed(const struct registry *r, const struct reg_service *s,
                       const struct orderbook_service *row)
{
    char path[PATH_MAX];
    struct stat now;

    if (!sells_under(s, row))
        return true;
    return snprintf(path, sizeof(path), "%s/" SERVICES_FOLDER "/%s/" SERVICE_CONF, r->dir,
                    s->name) < (int)sizeof(path) &&
           stat(path, &now) == 0 &&
           (now.st_ino != s->conf.st_ino || now.st_size != s->conf.st_size ||
            now.st_mtim.tv_sec != s->conf.st_mtim.tv_sec ||
            now.st_mtim.tv_nsec != s->conf.st_mtim.tv_nsec);
}

/* What is asked from now on goes by the new files and contracts. The entry of before stays for who
 * has it. */
static void renew(struct registry *r, struct reg_service **place,
                  const struct orderbook_service *row)
{
    struct reg_service *before = *place, *now = NULL;
    struct tp_error e = {TP_OK, ""};

    if (new_service(&now, r, row, &e) != TP_OK) {
        complain(r, "service %s is asked at %s as before: %s", before->name, before->url, e.text);
        free(now);
        return;
    }
    now->before = before;
    atomic_init(&now->open, atomic_load(&before->open));
    *place = now;
    log_note("service %s is asked at %s from now on", now->name, now->url);
}

static enum tp_err take_service(void *ctx, const struct orderbook_service *row, struct tp_error *e)
{
    struct registry *r = ctx;
    struct reg_service **known = place_of(r, row->name), *s = NULL;
    enum tp_err err;

    if (known != NULL) {
        if (is_changed(r, *known, row))
            renew(r, known, row);
        atomic_store(&(*known)->open, row->closed == 0);
        return TP_OK;
    }
    if (r->services == ENTRIES_MAX)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no room for a service");
    err = new_service(&s, r, row, e);
    if (err != TP_OK) { /* told, and left out; the others are taken */
        complain(r, "service %s is left out: %s", row->name, e->text);
        free(s);
        return TP_OK;
    }
    atomic_init(&s->open, row->closed == 0);
    r->service[r->services++] = s;
    return TP_OK;
}

struct reg_service *registry_service_ever(struct registry *r, const char *name)
{
    struct reg_service **place, *s;

    pthread_mutex_lock(&r->lock);
    place = place_of(r, name);
    s = place != NULL ? *place : NULL;
    pthread_mutex_unlock(&r->lock);
    return s;
}

struct reg_service *registry_service(struct registry *r, const char *name)
{
    struct reg_service *s = registry_service_ever(r, name);

    return s != NULL && atomic_load(&s->open) ? s : NULL;
}

/* ---- the whole ---- */

static int is_folder(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

static enum tp_err look_at_acquirers(struct registry *r, struct tp_error *e)
{
    char folder[PATH_MAX], one[PATH_MAX];
    struct dirent **found = NULL;
    const enum tp_err joined = file_join(folder, sizeof(folder), r->dir, ACQUIRERS_FOLDER, e);
    const int n = joined == TP_OK ? scandir(folder, &found, is_folder, alphasort) : 0;

    if (n < 0)
        return tp_fail(e, TP_ERR_NOT_FOUND, "cannot read the folder %s: %s", folder,
                       strerror(errno));
    for (int i = 0; i < n; i++) {
        struct tp_error bad = {TP_OK, ""};

        if (file_join(one, sizeof(one), folder, found[i]->d_name, &bad) != TP_OK ||
            take_folder(r, one, &bad) != TP_OK)
            complain(r, "not all of %s is taken: %s", one, bad.text);
        free(found[i]);
    }
    free(found);
    return joined;
}

struct marking {
    struct registry *r;
    int day;
};

static enum tp_err mark_stan(void *ctx, const char *contract, uint32_t stan, struct tp_error *e)
{
    const struct marking *m = ctx;
    struct reg_contract *c = contract_of(m->r, contract);

    (void)e;
    if (c != NULL && c->stans != NULL)
        stans_mark(c->stans, m->day, stan);
    return TP_OK;
}

/* A contract that was not there before may have given numbers today: its folder was mended. */
enum tp_err registry_look(struct registry *r, struct tp_error *e)
{
    struct marking marking = {r, date_of(time(NULL))};
    size_t contracts;
    enum tp_err err;

    pthread_mutex_lock(&r->lock);
    contracts = r->contracts;
    r->told = r->telling;
    r->telling.n = 0;
    err = look_at_acquirers(r, e);
    if (err == TP_OK)
        err = orderbook_service_each(r->book, take_service, r, e);
    if (err == TP_OK && r->contracts > contracts)
        err = orderbook_stan_each(r->book, marking.day, mark_stan, &marking, e);
    pthread_mutex_unlock(&r->lock);
    return err;
}

enum tp_err registry_open(struct registry **out, const char *dir,
                          const struct registry_events *events, struct tp_error *e)
{
    struct registry *r = calloc(1, sizeof(*r));
    enum tp_err err;

    *out = NULL;
    if (r == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    pthread_mutex_init(&r->lock, NULL);
    r->events = *events;
    snprintf(r->dir, sizeof(r->dir), "%s", dir);
    *out = r; /* the lines that are opened meanwhile look into it */
    err = orderbook_open(&r->book, dir, e);
    return err == TP_OK ? registry_look(r, e) : err;
}

void registry_close(struct registry **out)
{
    struct registry *r = *out;

    if (r == NULL)
        return;
    for (size_t i = 0; i < r->services; i++)
        service_free(r->service[i]);
    for (size_t i = 0; i < r->contracts; i++)
        contract_free(r->contract[i]);
    for (size_t i = 0; i < r->acquirers; i++)
        acquirer_free(r->acquirer[i]);
    orderbook_close(&r->book);
    pthread_mutex_destroy(&r->lock);
    free(r);
    *out = NULL;
}

enum tp_err registry_service_each(struct registry *r, reg_service_visit *visit, void *ctx,
                                  struct tp_error *e)
{
    enum tp_err err = TP_OK;

    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; err == TP_OK && i < r->services; i++)
        if (atomic_load(&r->service[i]->open))
            err = visit(ctx, r->service[i], e);
    pthread_mutex_unlock(&r->lock);
    return err;
}

enum tp_err registry_contract_each(struct registry *r, reg_contract_visit *visit, void *ctx,
                                   struct tp_error *e)
{
    enum tp_err err = TP_OK;

    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; err == TP_OK && i < r->contracts; i++)
        err = visit(ctx, r->contract[i], e);
    pthread_mutex_unlock(&r->lock);
    return err;
}

enum tp_err contract_stan(struct reg_contract *c, int day, uint32_t *stan, struct tp_error *e)
{
    return stans_next(c->stans, day, stan)
               ? TP_OK
               : tp_fail(e, TP_ERR_RANGE,
                         "contract %s has no number left today: its acquirer can give this "
                         "mediator another contract",
                         c->id);
}

enum tp_err registry_try_acquirer(const char *folder, char id[BOOK_ACQUIRER_MAX], size_t *contracts,
                                  struct tp_error *e)
{
    struct registry *r = calloc(1, sizeof(*r));
    enum tp_err err;

    if (r == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    pthread_mutex_init(&r->lock, NULL);
    err = take_folder(r, folder, e);
    if (err == TP_OK) {
        snprintf(id, BOOK_ACQUIRER_MAX, "%s", r->acquirer[0]->id);
        *contracts = r->contracts;
    }
    registry_close(&r);
    return err;
}

enum tp_err registry_try_service(struct reg_service *out, const char *folder, struct tp_error *e)
{
    *out = (struct reg_service){.contract = NULL};
    return read_service(out, folder, e);
}
