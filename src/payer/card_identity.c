#include "payer/card_identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "order/sealed.h"
#include "payer/card_reach.h"
#include "payer/message.h"
#include "payer/parameters.h"
#include "wire/jcs.h"

#define VERSION 1
#define AID_MAX 16

/* ---- what is asked ---- */

/* By whichever authority it is good. */
static enum tp_err take_asked(struct card_request *out, const char *jws,
                              const struct authorities *all, struct tp_error *e)
{
    enum tp_err r = tp_fail(e, TP_ERR_SECURITY,
                            "no acquirer's authority is trusted yet: telepay authority add FILE");

    for (size_t i = 0; i < all->n; i++) {
        r = letter_read(&out->asked, LETTER_CARD_REQUEST, jws, all->list[i].orders, e);
        if (r == TP_OK) {
            out->authority = &all->list[i];
            return letter_hash(out->r, jws, e);
        }
    }
    if (r == TP_ERR_SECURITY)
        (void)tp_error_prefix(e, "no authority that is trusted here (telepay authority add) stands "
                                 "for the acquirer that is to know the card");
    return r;
}

static enum tp_err check_time(const struct letter *l, time_t at, struct tp_error *e)
{
    time_t until = 0;
    const enum tp_err r = time_parse(&until, l->until);

    return r != TP_OK || at <= until + ORDER_GRACE
               ? r
               : tp_fail(e, TP_ERR_TIMEOUT, "its time is over: ask for the page again");
}

enum tp_err card_request_read(struct card_request *out, const json_t *card,
                              const struct authorities *authorities, time_t at, struct tp_error *e)
{
    const char *jws = NULL, *version = NULL;
    enum tp_err r = jcs_text(&jws, card, "request", e);

    *out = (struct card_request){.parameters = 0};
    if (r == TP_OK)
        r = jcs_text(&version, card, "parameters", e);
    if (r == TP_OK && jws == NULL)
        r = tp_fail(e, TP_ERR_FORMAT, "it does not say what a card is to sign");
    if (r == TP_OK)
        r = take_asked(out, jws, authorities, e);
    if (r == TP_OK)
        r = check_time(&out->asked, at, e);
    if (r == TP_OK)
        r = order_holder_read(&out->sealing, out->authority->orders,
                              json_object_get(card, "acquirer"), PKI_SEALING, at, e);
    if (r == TP_OK && strcmp(out->sealing.common_name, out->asked.acquirer) != 0)
        r = tp_fail(e, TP_ERR_SECURITY,
                    "it is to be sealed to another acquirer than its contract's");
    if (version != NULL)
        out->parameters = strtoll(version, NULL, 10);
    return r;
}

void card_request_free(struct card_request *r)
{
    letter_free(&r->asked);
    order_holder_free(&r->sealing);
}

/* ---- what the card signs ---- */

struct proving { /* while it lasts */
    const struct card_request *asked;
    const struct pay_options *how;
    struct terminal *terminal;
    struct person *person;
    struct reader *reader;
    struct transaction_request request;
    uint8_t aid[16];
    struct transaction *tx;
};

static enum tp_err make_terminal(struct proving *p, const struct checkout *c, const char *origin,
                                 struct tp_error *e)
{
    const struct letter *l = &p->asked->asked;
    const struct parameters_place place = {.fetch = c->submitter.fetch,
                                           .origin = origin,
                                           .home = c->home,
                                           .authority = p->asked->authority,
                                           .acquirer = l->acquirer,
                                           .version = p->asked->parameters};
    const struct order at = {.contract = l->contract,
                             .merchant = l->service,
                             .currency = l->currency,
                             .terminal = l->terminal,
                             .country = l->country,
                             .mcc = l->mcc,
                             .acquirer = l->acquirer};
    struct parameters parameters = {.version = 0};
    enum tp_err r = parameters_get(&parameters, &place, e);

    if (r == TP_OK)
        r = parameters_terminal(&p->terminal, &parameters, &at, e);
    parameters_free(&parameters);
    if (r != TP_OK)
        return r;
    p->terminal->kernel.allow_live_card = p->how->allow_live_card;
    return card_narrow(&p->request, p->aid, p->terminal, p->how->person.application, e);
}

/* Four bytes of it are the unpredictable number; a DDOL that asks for 9F7C has all. The amount is
 * zero. */
static void fill_request(struct proving *p)
{
    struct tm now;
    time_t at;

    date_now(&now, &at);
    p->request.currency = p->terminal->currency->numeric;
    p->request.currency_exponent = p->terminal->currency->exponent;
    p->request.date = date_of(at);
    p->request.time = now.tm_hour * 10000 + now.tm_min * 100 + (now.tm_sec < 60 ? now.tm_sec : 59);
    memcpy(p->request.un, p->asked->r, sizeof(p->request.un));
    memcpy(p->request.payee, p->asked->r, sizeof(p->request.payee));
}

static enum tp_err ask_card(struct proving *p, struct tp_error *e)
{
    const struct card_place place = {p->how->reader, p->how->wait_ms, p->person, "Say who you are",
                                     "nobody was told who you are"};
    struct kernel_person person;
    enum tp_err r = card_reach(&p->reader, &place, e);

    if (r != TP_OK)
        return r;
    person = person_kernel(p->person);
    r = kernel_prove_card(&p->tx, p->reader, &p->terminal->kernel, &p->request, &person, e);
    person_status_end(p->person);
    reader_disconnect(p->reader);
    if (person_ended(p->person, NULL) != TP_OK)
        return person_ended(p->person, e);
    if (r == TP_OK && transaction_outcome(p->tx) != KERNEL_PROVED)
        r = tp_fail(e, TP_ERR_CARD, "%s; nobody was told who you are", transaction_reason(p->tx));
    return r;
}

/* ---- and what is sealed of it ---- */

static struct span get_object(const void *tx, uint32_t tag)
{
    return transaction_get(tx, tag);
}

static enum tp_err seal(char **jwe, const struct proving *p, struct tp_error *e)
{
    const struct span aid = transaction_get(p->tx, TAG_DF_NAME);
    uint8_t stream[ISO8583_EVIDENCE_MAX];
    char text[BASE64URL_SIZE(ISO8583_EVIDENCE_MAX)], r[BASE64URL_SIZE(LETTER_HASH)],
        application[BASE64URL_SIZE(AID_MAX)];
    struct buf evidence = BUF_OF(stream);
    json_t *plain = NULL;
    enum tp_err err = message_presence(&evidence, get_object, p->tx);

    if (err != TP_OK || aid.n > AID_MAX)
        err = tp_fail(e, TP_ERR_CARD, "the card's certificates are larger than any");
    if (err == TP_OK) {
        plain = json_pack("{s:i,s:s,s:s,s:s}", "version", VERSION, "request",
                          base64url_encode(r, SPAN_OF(p->asked->r)), "application",
                          base64url_encode(application, aid), "evidence",
                          base64url_encode(text, buf_span(&evidence)));
        err = plain != NULL ? sealed_write(jwe, plain, SEALED_CARD, p->asked->sealing.jwk, e)
                            : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for what the card signed");
    }
    json_decref(plain);
    secret_wipe(stream, sizeof(stream)); /* the card's number */
    secret_wipe(text, sizeof(text));
    return err;
}

enum tp_err card_identity_sign(char **jwe, const struct card_request *request,
                               const struct checkout *c, const char *origin,
                               const struct pay_options *how, struct tp_error *e)
{
    struct proving p = {.asked = request, .how = how};
    enum tp_err r = make_terminal(&p, c, origin, e);

    *jwe = NULL;
    if (r == TP_OK)
        r = person_new(&p.person, &how->person, e);
    if (r == TP_OK) {
        fill_request(&p);
        r = ask_card(&p, e);
    }
    if (r == TP_OK)
        r = seal(jwe, &p, e);
    transaction_free(&p.tx);
    reader_close(&p.reader);
    person_free(&p.person);
    terminal_free(&p.terminal);
    return r;
}
