#include "acquirer/presence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "base/log.h"
#include "order/letter.h"
#include "order/order.h"
#include "order/sealed.h"
#include "wire/jcs.h"

#define VERSION       1
#define PLAIN_MEMBERS 4 /* version, request, application, evidence */
#define AID_MAX       16

struct judging { /* one 0600; large */
    struct letter request;
    uint8_t r[LETTER_HASH]; /* its hash, which the card signed */
    uint8_t aid[AID_MAX], stream[ISO8583_EVIDENCE_MAX];
    struct evidence_presence what; /* points into the rest */
    struct evidence_result result;
    char pan[EVIDENCE_PAN];
};

static void refuse(struct presence *out, enum ledger_verdict v, const char *word)
{
    out->verdict = v;
    snprintf(out->word, sizeof(out->word), "%s", word != NULL ? word : "");
}

/* ---- the request ---- */

static bool is_of(const struct letter *l, const struct party *party, const char *acquirer)
{
    return strcmp(l->signer, party->mediator) == 0 && strcmp(l->contract, party->contract) == 0 &&
           strcmp(l->terminal, party->terminal) == 0 && strcmp(l->acquirer, acquirer) == 0;
}

static void judge_request(struct presence *out, struct judging *j, const struct mediation *parts,
                          const struct acquirer_keys *keys, const struct party *party,
                          const char *acquirer, time_t now)
{
    char *jws = span_text(parts->request);
    struct tp_error e = {TP_ERR_NO_MEMORY, "out of memory"};
    time_t until = 0;
    enum tp_err r = jws != NULL
                        ? letter_read(&j->request, LETTER_CARD_REQUEST, jws, keys->authority, &e)
                        : TP_ERR_NO_MEMORY;

    if (r == TP_OK)
        r = letter_hash(j->r, jws, &e);
    if (r == TP_OK)
        r = time_parse(&until, j->request.until);
    free(jws);
    if (r != TP_OK) {
        log_note("mediator %s: %s", party->mediator, e.text);
        refuse(out, LEDGER_EVIDENCE, "REQUEST");
    } else if (!is_of(&j->request, party, acquirer)) {
        refuse(out, LEDGER_EVIDENCE, "REQUEST_OTHER");
    } else if (now > until + ORDER_GRACE) {
        refuse(out, LEDGER_EVIDENCE, "REQUEST_TIME");
    }
}

/* ---- what is sealed ---- */

static enum tp_err decode(struct span *out, struct buf room, const json_t *plain, const char *name,
                          struct tp_error *e)
{
    const char *text = NULL;
    const enum tp_err r = jcs_text(&text, plain, name, e);

    if (r != TP_OK || text == NULL || base64url_decode(&room, span_str(text)) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT, "its member %s is not base64url", name);
    *out = buf_span(&room);
    return TP_OK;
}

static enum tp_err take_plain(struct judging *j, uint8_t request[LETTER_HASH], const json_t *plain,
                              struct tp_error *e)
{
    const json_t *version = json_object_get(plain, "version");
    struct span said;
    enum tp_err r;

    if (json_object_size(plain) != PLAIN_MEMBERS || !json_is_integer(version) ||
        json_integer_value(version) != VERSION)
        return tp_fail(e, TP_ERR_FORMAT,
                       "it is not version, request, application and evidence alone");
    r = decode(&said, (struct buf){request, 0, LETTER_HASH}, plain, "request", e);
    if (r == TP_OK && said.n != LETTER_HASH)
        r = tp_fail(e, TP_ERR_FORMAT, "its request is no hash");
    if (r == TP_OK)
        r = decode(&j->what.aid, (struct buf)BUF_OF(j->aid), plain, "application", e);
    return r == TP_OK ? decode(&j->what.stream, (struct buf)BUF_OF(j->stream), plain, "evidence", e)
                      : r;
}

/* Who sealed it had seen the card sign, and said for which request: that binds the whole of it,
 * where a DDOL binds four bytes. */
static void judge_sealed(struct presence *out, struct judging *j, const struct mediation *parts,
                         const struct acquirer_keys *keys, const struct party *party)
{
    char *jwe = span_text(parts->evidence);
    uint8_t request[LETTER_HASH];
    json_t *plain = NULL;
    struct tp_error e = {TP_ERR_NO_MEMORY, "out of memory"};
    enum tp_err r = jwe != NULL ? sealed_read(&plain, jwe, SEALED_CARD, keys->sealing.jwk, &e)
                                : TP_ERR_NO_MEMORY;

    if (r == TP_OK)
        r = take_plain(j, request, plain, &e);
    json_decref(plain);
    free(jwe);
    if (r != TP_OK) {
        log_note("what mediator %s passed on of a card: %s", party->mediator, e.text);
        refuse(out, LEDGER_SEALED, NULL);
    } else if (memcmp(request, j->r, sizeof(request)) != 0) {
        refuse(out, LEDGER_EVIDENCE, "REQUEST_DIFFERS");
    }
}

/* ---- the card ---- */

static enum tp_err judge_card(struct presence *out, struct judging *j, struct checker *checker,
                              time_t now, struct tp_error *e)
{
    const int today = date_of(now);
    uint8_t lookup[SEAL_LOOKUP];
    enum tp_err r;

    j->what.un = span_of(j->r, 4);
    j->what.payee = SPAN_OF(j->r);
    r = evidence_presence_check(&j->result, j->pan, checker->cache, &j->what, today);
    if (r != TP_OK)
        return tp_fail(e, r, "what a card signed cannot be checked: %s", tp_err_text(r));
    if (!j->result.ok) {
        log_note("a card that was to say whose it is: %s", j->result.text);
        refuse(out, LEDGER_EVIDENCE, j->result.reason);
        return TP_OK;
    }
    mask_pan(out->pan_masked, j->pan);
    if (j->result.card_expiry < today) {
        refuse(out, LEDGER_EXPIRED, NULL);
        return TP_OK;
    }
    r = seal_lookup(checker->seal, lookup, span_str(j->pan));
    return r == TP_OK ? ledger_opposition_of(checker->ledger, &out->verdict, SPAN_OF(lookup), e)
                      : tp_fail(e, r, "a card cannot be looked up");
}

enum tp_err presence_name(uint8_t out[SEAL_LOOKUP], struct seal *seal, const char *mediator,
                          const char *pan)
{
    char text[MEDIATOR_NAME_MAX + EVIDENCE_PAN + 20];
    enum tp_err r;

    snprintf(text, sizeof(text), "telepay-card-1|%s|%s", mediator, pan);
    r = seal_lookup(seal, out, span_str(text));
    secret_wipe(text, sizeof(text));
    return r;
}

static enum tp_err sign(struct presence *out, struct judging *j, const struct acquirer_keys *keys,
                        struct checker *checker, const struct party *party, time_t now,
                        struct tp_error *e)
{
    uint8_t name[SEAL_LOOKUP];
    char user[BASE64URL_SIZE(SEAL_LOOKUP)], answers[BASE64URL_SIZE(LETTER_HASH)], at[TIME_TEXT_MAX];
    const struct letter said = {.answers = base64url_encode(answers, SPAN_OF(j->r)),
                                .contract = party->contract,
                                .user = user,
                                .at = time_format_utc(at, now)};
    const enum tp_err r = presence_name(name, checker->seal, party->mediator, j->pan);

    if (r != TP_OK)
        return tp_fail(e, r, "a card cannot be given a name");
    base64url_encode(user, SPAN_OF(name));
    return letter_write(&out->card, LETTER_CARD, &said, &keys->acknowledgement, e);
}

enum tp_err presence_judge(struct presence *out, const struct mediation *parts,
                           const struct acquirer_keys *keys, struct checker *checker,
                           const struct party *party, time_t now, struct tp_error *e)
{
    struct judging *j = calloc(1, sizeof(*j));
    enum tp_err r = TP_OK;

    *out = (struct presence){.verdict = LEDGER_NEW};
    if (j == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory to check a card");
    judge_request(out, j, parts, keys, party, checker->acquirer, now);
    if (out->verdict == LEDGER_NEW)
        judge_sealed(out, j, parts, keys, party);
    if (out->verdict == LEDGER_NEW)
        r = judge_card(out, j, checker, now, e);
    if (r == TP_OK && out->verdict == LEDGER_NEW)
        r = sign(out, j, keys, checker, party, now, e);
    letter_free(&j->request);
    secret_wipe(j, sizeof(*j)); /* the card's number */
    free(j);
    return r;
}
