#include "payer/parameters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/word.h"
#include "order/token.h"
#include "payer/home.h"
#include "wire/jcs.h"

#define FOLDER "parameters"

static enum tp_err fill(struct parameters *out, struct tp_error *e)
{
    const json_t *o = out->owner, *version = json_object_get(o, "version");
    const struct {
        const char *name, **text;
    } texts[] = {{"acquirer", &out->acquirer},
                 {"capabilities", &out->capabilities},
                 {"type", &out->type},
                 {"additional", &out->additional},
                 {"applications", &out->applications}};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const enum tp_err r = jcs_text(texts[i].text, o, texts[i].name, e);

        if (r != TP_OK)
            return r;
        if (*texts[i].text == NULL)
            return tp_fail(e, TP_ERR_FORMAT, "member %s is missing", texts[i].name);
    }
    out->version = json_integer_value(version);
    out->authorities = json_object_get(o, "authorities");
    return json_is_integer(version) && out->version >= 1 && json_is_array(out->authorities)
               ? TP_OK
               : tp_fail(e, TP_ERR_FORMAT, "member version or authorities is missing or wrong");
}

enum tp_err parameters_read(struct parameters *out, const char *jws,
                            const struct order_authority *authority, const char *acquirer,
                            time_t at, struct tp_error *e)
{
    struct token t = {0};
    struct order_holder holder = {0};
    enum tp_err r = token_read(&t, jws, TOKEN_PARAMETERS, e);

    *out = (struct parameters){0};
    if (r == TP_OK)
        r = token_verify(&holder, &t, authority, PKI_ACKNOWLEDGEMENT, at, e);
    if (r == TP_OK) {
        out->owner = json_incref(t.payload);
        r = fill(out, e);
    }
    if (r == TP_OK &&
        (strcmp(holder.common_name, acquirer) != 0 || strcmp(out->acquirer, acquirer) != 0))
        r = tp_fail(e, TP_ERR_SECURITY, "they are of another acquirer");
    order_holder_free(&holder);
    token_free(&t);
    if (r != TP_OK)
        (void)tp_error_prefix(e, "the parameters of the acquirer %s", acquirer);
    return r;
}

void parameters_free(struct parameters *p)
{
    json_decref(p->owner);
    *p = (struct parameters){0};
}

/* ---- in the user's folder ---- */

/* acquirer: letters and digits, as an order has them. */
static enum tp_err path_of(char out[PATH_MAX], const char *home, const struct authority *authority,
                           const char *acquirer, struct tp_error *e)
{
    char folder[PATH_MAX], name[AUTHORITY_PRINT + 64];
    const enum tp_err r = home_folder(folder, home, FOLDER, e);

    snprintf(name, sizeof(name), "%s-%.32s.jws", authority->fingerprint, acquirer);
    return r == TP_OK ? file_join(out, PATH_MAX, folder, name, e) : r;
}

enum tp_err parameters_kept(struct parameters *out, const char *home,
                            const struct authority *authority, const char *acquirer, time_t at,
                            struct tp_error *e)
{
    char path[PATH_MAX];
    uint8_t *text = NULL;
    size_t n = 0;
    enum tp_err r = path_of(path, home, authority, acquirer, e);

    *out = (struct parameters){0};
    if (r == TP_OK)
        r = file_read(path, TOKEN_PARAMETERS_MAX, &text, &n, e);
    if (r == TP_OK)
        r = parameters_read(out, (const char *)text, authority->orders, acquirer, at, e);
    free(text);
    return r;
}

enum tp_err parameters_keep(struct parameters *out, const char *home,
                            const struct authority *authority, const char *acquirer,
                            const char *jws, time_t at, struct tp_error *e)
{
    char path[PATH_MAX];
    struct parameters before = {0};
    enum tp_err r = parameters_read(out, jws, authority->orders, acquirer, at, e);

    if (r == TP_OK)
        r = path_of(path, home, authority, acquirer, e);
    if (r == TP_OK && parameters_kept(&before, home, authority, acquirer, at, NULL) == TP_OK &&
        out->version < before.version)
        r = tp_fail(e, TP_ERR_SECURITY,
                    "the parameters of the acquirer %s are older (version %lld) than those that "
                    "are kept (%lld): they are not taken",
                    acquirer, (long long)out->version, (long long)before.version);
    if (r == TP_OK)
        r = file_replace(path, span_str(jws), 0600, e);
    parameters_free(&before);
    return r;
}

/* ---- of the mediator ---- */

static enum tp_err fetch_those(struct parameters *out, const struct parameters_place *p,
                               struct tp_error *e)
{
    static const char *const headers[] = {"Accept: application/jose", NULL};
    char url[400], *text = NULL;
    const struct fetch_request request = {.url = url, .headers = headers, .seconds = 60};
    struct span body;
    enum tp_err r;

    snprintf(url, sizeof(url), "%s/parameters/%s", p->origin, p->acquirer);
    r = fetch_send(p->fetch, &request, e);
    if (r == TP_OK && fetch_status(p->fetch) != 200)
        r = tp_fail(e, TP_ERR_PEER, "%s answers %ld: a card cannot be read without", url,
                    fetch_status(p->fetch));
    if (r != TP_OK)
        return r;
    body = fetch_body(p->fetch);
    while (body.n > 0 && (body.p[body.n - 1] == '\n' || body.p[body.n - 1] == '\r'))
        body.n--;
    text = span_text(body);
    r = text != NULL ? parameters_keep(out, p->home, p->authority, p->acquirer, text, time(NULL), e)
                     : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for parameters");
    free(text);
    return r;
}

enum tp_err parameters_get(struct parameters *out, const struct parameters_place *p,
                           struct tp_error *e)
{
    if (parameters_kept(out, p->home, p->authority, p->acquirer, time(NULL), NULL) == TP_OK &&
        out->version >= p->version)
        return TP_OK;
    parameters_free(out);
    return fetch_those(out, p, e);
}

/* ---- the terminal ---- */

enum tp_err parameters_terminal(struct terminal **out, const struct parameters *p,
                                const struct order *o, struct tp_error *e)
{
    char name[64], *text = NULL;
    enum tp_err r;

    *out = NULL;
    snprintf(name, sizeof(name), "what the acquirer %.20s gave for cards", p->acquirer);
    /* What the order says stands first, and what stands first counts; the merchant's name is no
     * word of a configuration. */
    if (asprintf(&text,
                 "[terminal]\nid=%s\ncontract=%s\nname=-\nserial=%s\nmcc=%s\ncountry=%s\n"
                 "currency=%s\ntype=%s\ncapabilities=%s\nadditional=%s\n%s\n",
                 o->terminal, o->contract, o->terminal, o->mcc, o->country, o->currency, p->type,
                 p->capabilities, p->additional, p->applications) < 0)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a terminal");
    r = terminal_parse(out, name, text, p->authorities, e);
    free(text);
    if (r != TP_OK)
        return r;
    word_cut((*out)->kernel.merchant_name, sizeof((*out)->kernel.merchant_name), o->merchant);
    snprintf((*out)->acquirer, sizeof((*out)->acquirer), "%s", o->acquirer);
    return TP_OK;
}
