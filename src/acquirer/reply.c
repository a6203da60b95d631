#include "acquirer/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "base/log.h"
#include "base/secret.h"
#include "order/acknowledgement.h"
#include "order/sealed.h"
#include "wire/mediation.h"

#define INNER_MAX 2048 /* bytes of the answer to the card's message */
#define VERSION   1

struct payer *payer_copy(const struct payer *who)
{
    struct payer *copy = who != NULL ? malloc(sizeof(*copy)) : NULL;

    if (copy == NULL)
        return NULL;
    *copy = *who;
    copy->answer_key = json_deep_copy(who->answer_key);
    return copy;
}

void payer_free(struct payer **who)
{
    if (*who == NULL)
        return;
    json_decref((*who)->answer_key);
    secret_wipe(*who, sizeof(**who));
    free(*who);
    *who = NULL;
}

void outcome_clear(struct outcome *o)
{
    free(o->acknowledgement);
    *o = (struct outcome){.completes = false};
}

/* ---- what is signed ---- */

static bool decides(const struct wire_answer *a, bool asked)
{
    const enum ledger_verdict another = LEDGER_DIFFERENT;

    if (strcmp(a->code, "96") == 0 || (strcmp(a->code, "91") == 0 && !asked))
        return false;
    return strcmp(a->code, ledger_verdict_row(another)->code) != 0 ||
           strcmp(a->reason, ledger_verdict_row(another)->reason) != 0;
}

enum tp_err reply_sign(char **jws, const struct order_key *key, const struct tx_record *tx,
                       const struct wire_answer *a, bool asked, time_t at, struct tp_error *e)
{
    char r[BASE64URL_SIZE(sizeof(tx->mediated.r))], amount[24], currency[4], when[TIME_TEXT_MAX];
    const struct acknowledgement said = {
        .r = base64url_encode(r, SPAN_OF(tx->mediated.r)),
        .order = tx->mediated.order,
        .contract = tx->contract,
        .amount = amount,
        .currency = currency,
        .reference = a->rrn[0] != '\0' ? a->rrn : NULL,
        .code = a->code,
        .reason = a->reason[0] != '\0' ? a->reason : NULL,
        .outcome = wire_answer_is_yes(a) ? "acknowledged" : "refused",
        .at = time_format_utc(when, at),
    };

    *jws = NULL;
    if (tx->mediated.order[0] == '\0' || !decides(a, asked))
        return TP_OK;
    snprintf(amount, sizeof(amount), "%" PRId64, tx->amount);
    currency_small(currency, tx->currency);
    return acknowledgement_write(jws, &said, key, e);
}

/* ---- what is sealed ---- */

static enum tp_err pack_inner(struct buf *out, const struct payer *payer,
                              const struct wire_answer *a, struct tp_error *e)
{
    struct iso8583 m;
    enum tp_err r;

    echo_start(&m, &payer->echo);
    wire_answer_put(&m, a);
    r = iso8583_pack(out, &m, e);
    secret_wipe(&m, sizeof(m));
    return r;
}

static enum tp_err seal_inner(char **out, const struct payer *payer, const struct wire_answer *a,
                              struct tp_error *e)
{
    uint8_t room[INNER_MAX];
    char text[BASE64URL_SIZE(INNER_MAX)];
    struct buf inner = BUF_OF(room);
    json_t *object = NULL;
    enum tp_err r = pack_inner(&inner, payer, a, e);

    *out = NULL;
    if (r == TP_OK) {
        object = json_pack("{s:i, s:s}", "version", VERSION, "message",
                           base64url_encode(text, buf_span(&inner)));
        r = object != NULL ? sealed_write(out, object, SEALED_ANSWER, payer->answer_key, e)
                           : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for an answer");
        secret_wipe(text, sizeof(text));
    }
    json_decref(object);
    secret_wipe(room, inner.n);
    return r;
}

/* ---- all of it ---- */

/* A mediator is told what its field 55 says to the card as little as what the card said. */
static void send_mediated(struct link_peer *peer, const struct echo *echo,
                          const struct payer *payer, const struct wire_answer *a,
                          const struct outcome *o)
{
    uint8_t room[MEDIATION_MAX];
    struct buf objects = BUF_OF(room);
    struct wire_answer plain = *a;
    struct mediation said = {.completes = o->completes};
    struct tp_error e = {TP_OK, ""};
    struct iso8583 m;
    char *sealed = NULL;

    plain.data_n = 0;
    if (payer->answer_key != NULL && seal_inner(&sealed, payer, a, &e) != TP_OK)
        log_error("an answer cannot be sealed: %s", e.text);
    if (sealed != NULL)
        said.answer = span_str(sealed);
    if (o->acknowledgement != NULL)
        said.acknowledgement = span_str(o->acknowledgement);
    echo_start(&m, echo);
    wire_answer_put(&m, &plain);
    if (mediation_put(&m, &objects, &said) == TP_OK)
        echo_send(peer, &m);
    else
        log_error("%s: an answer is too large", link_peer_address(peer));
    free(sealed);
}

void reply_send(struct link_peer *peer, const struct echo *echo, const struct payer *payer,
                const struct wire_answer *a, const struct outcome *o)
{
    if (payer == NULL)
        echo_answer(peer, echo, a);
    else
        send_mediated(peer, echo, payer, a, o);
}
