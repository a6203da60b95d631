#include "issuer/scripts.h"

#include <string.h>

#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "base/log.h"
#include "crypto/pinblock.h"

/* EMV 4.4 Book 3, 6.5.1, 6.5.2, 6.5.3, 6.5.10; ISO/IEC 7816-4: PUT DATA, UPDATE RECORD */
static const struct script_kind kinds[] = {
    {"block-application", {0x80, 0x1E, 0x00, 0x00}, false, false},
    {"unblock-application", {0x80, 0x18, 0x00, 0x00}, false, false},
    {"block-card", {0x80, 0x16, 0x00, 0x00}, false, false},
    {"unblock-pin", {0x80, 0x24, 0x00, 0x00}, false, false},
    {"change-pin", {0x80, 0x24, 0x00, 0x02}, true, false},
    {"put-data", {0x00, 0xDA, 0x00, 0x00}, false, true},
    {"update-record", {0x00, 0xDC, 0x00, 0x00}, false, true},
};

const struct script_kind *script_kind_at(size_t i)
{
    return i < sizeof(kinds) / sizeof(kinds[0]) ? &kinds[i] : NULL;
}

const struct script_kind *script_kind(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

/* ---- out ---- */

static bool visa(enum emv_cvn cvn)
{
    return cvn == EMV_CVN_10 || cvn == EMV_CVN_18;
}

struct waiting { /* what an answer may take, at most */
    struct script one[16];
    size_t n;
};

static enum tp_err collect(void *ctx, const struct script *s, struct tp_error *e)
{
    struct waiting *w = ctx;

    (void)e;
    if (w->n < sizeof(w->one) / sizeof(w->one[0]))
        w->one[w->n++] = *s;
    return TP_OK;
}

/* The card's keys, as long as an answer is made. */
struct card_keys {
    struct secret ac, smi, smc;
    struct emv_script_keys session;
};

static void free_keys(struct card_keys *k)
{
    secret_free(&k->ac);
    secret_free(&k->smi);
    secret_free(&k->smc);
    emv_script_keys_free(&k->session);
}

static enum tp_err derive_keys(struct card_keys *k, const struct authoriser *a,
                               const struct account *account, const char *pan, const uint8_t atc[2],
                               const uint8_t ac[8])
{
    const uint8_t psn = (uint8_t)(account->psn / 10 << 4 | account->psn % 10);
    enum tp_err r = issuer_keys_card(&k->ac, a->keys, ISSUER_KEY_AC, account->cvn, pan, psn);

    if (r == TP_OK)
        r = issuer_keys_card(&k->smi, a->keys, ISSUER_KEY_SMI, account->cvn, pan, psn);
    if (r == TP_OK)
        r = issuer_keys_card(&k->smc, a->keys, ISSUER_KEY_SMC, account->cvn, pan, psn);
    return r == TP_OK ? emv_script_keys_derive(&k->session, account->cvn, secret_span(&k->smi),
                                               secret_span(&k->smc), atc, ac)
                      : r;
}

/* A script's plain data; of a PIN, its block for this kind of card (crypto/pinblock.h). */
static enum tp_err open_data(struct authoriser *a, struct buf *plain, const struct script *s,
                             const struct account *account, const struct card_keys *k)
{
    const struct script_kind *kind = script_kind(s->what);
    struct secret block = {NULL, 0};
    enum tp_err r = TP_OK;

    if (s->sealed_n > 0)
        r = seal_open(a->seal, plain, span_of(s->sealed, s->sealed_n), span_str("script"));
    if (r != TP_OK || kind == NULL || !kind->pin)
        return r;
    if (visa(account->cvn))
        r = pin_block_visa_make(&block, secret_span(&k->ac), buf_span(plain), span_of(NULL, 0));
    else
        r = pin_block_make(&block, buf_span(plain));
    secret_wipe(plain->p, plain->n);
    plain->n = 0;
    if (r == TP_OK)
        r = buf_put(plain, secret_span(&block));
    secret_free(&block);
    return r;
}

/* Whoever makes an answer's scripts. */
struct maker {
    struct authoriser *a;
    const struct account *account;
    struct card_keys keys;
    struct emv_script place;
    struct scripts_sent *sent;
};

static enum tp_err make_command(struct maker *m, struct buf *out, const struct script *s)
{
    uint8_t room[EMV_SCRIPT_DATA_MAX];
    struct buf data = BUF_OF(room);
    enum tp_err r = open_data(m->a, &data, s, m->account, &m->keys);

    if (r == TP_OK)
        r = emv_script_close(out, &m->place, &m->keys.session, s->head, buf_span(&data),
                             s->encipher);
    secret_wipe(room, sizeof(room));
    return r;
}

/* One template with all scripts of its kind that have room, under the identifier of the first. *at:
 * of the first, then behind the last. TP_ERR_RANGE when one had none; those before it stand in out.
 */
static enum tp_err put_template(struct maker *m, struct buf *out, const struct waiting *w,
                                size_t *at)
{
    const struct script *first = &w->one[*at];
    const uint8_t id[4] = {(uint8_t)(first->id >> 24), (uint8_t)(first->id >> 16),
                           (uint8_t)(first->id >> 8), (uint8_t)first->id};
    const size_t sent_before = m->sent->n;
    uint8_t room[SCRIPTS_MAX];
    struct buf body = BUF_OF(room);
    enum tp_err r = tlv_put(&body, TAG_SCRIPT_ID, SPAN_OF(id));

    while (r == TP_OK && *at < w->n && w->one[*at].template == first->template) {
        uint8_t command_room[EMV_SCRIPT_APDU_MAX + 5];
        struct buf command = BUF_OF(command_room);

        r = make_command(m, &command, &w->one[*at]);
        if (r == TP_OK &&
            tlv_size(first->template, body.n + tlv_size(TAG_SCRIPT_COMMAND, command.n)) >
                out->cap - out->n)
            r = TP_ERR_RANGE;
        if (r == TP_OK)
            r = tlv_put(&body, TAG_SCRIPT_COMMAND, buf_span(&command));
        if (r == TP_OK)
            m->sent->id[m->sent->n++] = w->one[(*at)++].id;
    }
    if ((r != TP_OK && r != TP_ERR_RANGE) || m->sent->n == sent_before)
        return r;
    const enum tp_err put = tlv_put(out, first->template, buf_span(&body));

    return put == TP_OK ? r : put;
}

/* A card of the Common Core gets no more than one template in an answer (Book 3, 10.10 of the CCD):
 * an error ends its commands, and would break the chain of MACs of another one behind it. */
static enum tp_err put_templates(struct maker *m, struct buf *out, const struct waiting *w)
{
    size_t at = 0;
    enum tp_err r = TP_OK;

    do
        r = put_template(m, out, w, &at);
    while (r == TP_OK && at < w->n && visa(m->account->cvn));
    if (r == TP_ERR_RANGE) { /* the next answer has room; one that never has any is left standing,
                                and holds up no payment */
        if (m->sent->n == 0)
            log_error("script %u for %s does not fit an answer", w->one[at].id, m->account->masked);
        r = TP_OK;
    }
    return r;
}

enum tp_err scripts_put(struct authoriser *a, struct buf *out, struct scripts_sent *sent,
                        const struct account *account, const char *pan, const uint8_t atc[2],
                        const uint8_t ac[8], struct tp_error *e)
{
    struct waiting w = {.n = 0};
    struct maker m = {
        .a = a, .account = account, .place = emv_script_start(account->cvn, atc, ac), .sent = sent};
    struct buf room = {out->p + out->n, 0,
                       out->cap - out->n < SCRIPTS_MAX ? out->cap - out->n : SCRIPTS_MAX};
    enum tp_err r = book_script_of(a->book, account->key, SCRIPT_QUEUED, collect, &w, e);

    sent->n = 0;
    if (r != TP_OK || w.n == 0)
        return r;
    r = derive_keys(&m.keys, a, account, pan, atc, ac);
    if (r == TP_OK)
        r = put_templates(&m, &room, &w);
    out->n += room.n;
    free_keys(&m.keys);
    secret_wipe(&w, sizeof(w));
    return r == TP_OK ? r
                      : tp_fail(e, r, "a script for %s cannot be made: %s", account->masked,
                                tp_err_text(r));
}

enum tp_err scripts_mark(struct authoriser *a, const struct scripts_sent *sent,
                         int64_t authorisation, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    for (size_t i = 0; i < sent->n && r == TP_OK; i++)
        r = book_script_delivered(a->book, sent->id[i], authorisation, e);
    return r;
}

/* ---- back ---- */

/* Of 9F5B: what the terminal saw of the ith of those that were delivered, which stands in a
 * template with the others of its kind, under the identifier of the first. The second nibble says
 * at which command an error ended a template. What it does not speak of did not come. */
static enum script_state told(struct span results, const struct waiting *w, size_t i)
{
    size_t first = i;

    while (first > 0 && w->one[first - 1].template == w->one[i].template)
        first--;
    for (size_t at = 0; at + 5 <= results.n; at += 5) {
        const uint8_t *p = results.p + at;
        const uint32_t of =
            (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
        const size_t failed = p[0] & 0x0F, nth = i - first + 1;

        if (of != w->one[first].id)
            continue;
        if ((p[0] & SCRIPT_RESULT) == SCRIPT_RESULT_SUCCESSFUL ||
            ((p[0] & SCRIPT_RESULT) == SCRIPT_RESULT_FAILED && nth < failed))
            return SCRIPT_DONE;
        return (p[0] & SCRIPT_RESULT) == SCRIPT_RESULT_FAILED && nth == failed ? SCRIPT_FAILED
                                                                               : SCRIPT_NOT_DONE;
    }
    return SCRIPT_NOT_DONE;
}

/* Nobody signs 9F5B. It may say which script is which, where it tells the story of the CVR, that
 * the card's cryptogram covers: as many done (Book 3, table CCD 10), or with Visa as many that
 * came, and one failed or none. */
static bool agrees(const struct emv_iad *iad, struct span results, const struct waiting *w)
{
    size_t n[SCRIPT_STATES] = {0};

    for (size_t i = 0; i < w->n; i++)
        n[told(results, w, i)]++;
    return (n[SCRIPT_FAILED] > 0) == iad->script_failed &&
           (n[SCRIPT_DONE] == iad->scripts ||
            (visa(iad->cvn) && n[SCRIPT_DONE] + n[SCRIPT_FAILED] == iad->scripts));
}

/* Of the CVR alone: `scripts` commands were done; Visa's may count those that came, so that of
 * several with one failed none is known to be done. The one after the last that was done is the
 * failed one, where one failed; what comes behind it was not done. */
static enum script_state counted(const struct emv_iad *iad, size_t i)
{
    if (iad->script_failed && visa(iad->cvn))
        return SCRIPT_FAILED;
    if (i < iad->scripts)
        return SCRIPT_DONE;
    return iad->script_failed && i == iad->scripts ? SCRIPT_FAILED : SCRIPT_NOT_DONE;
}

/* What was not done goes again, for ever: a card that is to be blocked may not escape by losing a
 * message. After some deliveries somebody takes them out of the answers, or the card is broken;
 * people have to look. */
static enum tp_err again(struct authoriser *a, const struct script *s, struct tp_error *e)
{
    const struct script_kind *kind = script_kind(s->what);

    if (s->deliveries >= SCRIPTS_ALARM)
        log_error("alarm: script %u (%s) for card %s was delivered %u times and never carried out",
                  s->id, s->what, s->masked, s->deliveries);
    if (s->sealed_n == 0 && kind != NULL &&
        (kind->pin || kind->data)) /* delivered by a telepay that erased its data then */
        return book_script_settle(a->book, s->id, SCRIPT_NOT_DONE, e);
    return book_script_again(a->book, s->id, e);
}

/* What became of the ith of those that were delivered. A card whose last online transaction was not
 * completed did not hear the answer that they went with: what it counts is older. */
static enum script_state became(const struct emv_iad *iad, struct span results,
                                const struct waiting *w, size_t i)
{
    if (iad->last_online_not_completed)
        return SCRIPT_NOT_DONE;
    return agrees(iad, results, w) ? told(results, w, i) : counted(iad, i);
}

enum tp_err scripts_settle(struct authoriser *a, const struct account *account,
                           const struct emv_iad *iad, struct span results, struct tp_error *e)
{
    struct waiting w = {.n = 0};
    enum tp_err r = book_script_of(a->book, account->key, SCRIPT_DELIVERED, collect, &w, e);

    for (size_t i = 0; i < w.n && r == TP_OK; i++) {
        const enum script_state state = became(iad, results, &w, i);

        r = state == SCRIPT_NOT_DONE ? again(a, &w.one[i], e)
                                     : book_script_settle(a->book, w.one[i].id, state, e);
    }
    secret_wipe(&w, sizeof(w));
    return r;
}
