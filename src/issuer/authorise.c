#include "issuer/authorise.h"

#include <stdio.h>
#include <string.h>

#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "base/bcd.h"
#include "base/date.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/iad.h"
#include "issuer/scripts.h"

#define PURCHASE     0 /* the first two digits of DE 3 */
#define CREDIT       20
#define APPROVAL_MOD 1000000

struct desk { /* one request under decision */
    struct authoriser *a;
    const struct request *q;
    const struct acquirer *from;
    struct authorisation *out;
    time_t now;
    struct chip chip;
    struct emv_iad iad;
    struct account account;
    struct secret session; /* of the card's cryptogram */
    bool known;            /* answered before: out is that answer */
    bool genuine;          /* the card signed this, now */
};

/* A step sets the code when it refuses, and leaves it empty when the request may go on. */
typedef enum tp_err step(struct desk *d, struct tp_error *e);

static enum tp_err refuse(struct desk *d, const char *code, const char *reason)
{
    snprintf(d->out->answer.code, sizeof(d->out->answer.code), "%s", code);
    snprintf(d->out->answer.reason, sizeof(d->out->answer.reason), "%s", reason);
    return TP_OK;
}

/* ---- seen before ---- */

static enum tp_err same_again(struct desk *d, struct tp_error *e)
{
    struct authorisation before;
    bool reversed = false;
    enum tp_err r = book_authorisation_find(d->a->book, d->from->key, d->q->rrn, &before, e);

    if (r == TP_OK) {
        d->known = true;
        if (memcmp(before.digest, d->q->digest, sizeof(before.digest)) != 0)
            return refuse(d, "94", "IDENTITY");
        if (before.reversed) /* nothing is reserved behind its answer any more */
            return refuse(d, "12", "REVERSED");
        *d->out = before;
        return TP_OK;
    }
    if (r != TP_ERR_NOT_FOUND)
        return r;
    r = book_reversal_find(d->a->book, d->from->key, d->q->rrn, &reversed, e);
    return r == TP_OK && reversed ? refuse(d, "12", "REVERSED") : r;
}

/* ---- what is asked ---- */

static enum tp_err format(struct desk *d, struct tp_error *e)
{
    const char *bad = chip_read(&d->chip, d->q);

    (void)e;
    if (bad == NULL && emv_iad_parse(&d->iad, d->chip.iad) != TP_OK)
        bad = "9F10";
    if (bad == NULL && d->chip.cid.p[0] >> 6 == 3)
        bad = "9F27";
    if (bad != NULL)
        return refuse(d, "30", bad);
    d->out->atc = (uint16_t)(d->chip.atc.p[0] << 8 | d->chip.atc.p[1]);
    return TP_OK;
}

static enum tp_err whose(struct desk *d, struct tp_error *e)
{
    uint8_t lookup[SEAL_LOOKUP];
    enum tp_err r = seal_lookup(d->a->seal, lookup, span_str(d->q->pan));

    if (r != TP_OK)
        return tp_fail(e, r, "cannot look up a card number: %s", tp_err_text(r));
    r = book_account_find(d->a->book, lookup, d->q->psn, &d->account, e);
    if (r == TP_ERR_NOT_FOUND)
        return refuse(d, "14", "ACCOUNT");
    if (r == TP_OK)
        d->out->account = d->account.key;
    return r;
}

/* What the card signed is what the message says. */
static enum tp_err what(struct desk *d, struct tp_error *e)
{
    const unsigned kind = d->q->processing / 10000;
    uint64_t type = 0, amount = 0, currency = 0, date = 0, psn = d->q->psn;

    (void)e;
    if (kind != PURCHASE && kind != CREDIT)
        return refuse(d, "12", "PROCESSING");
    if (bcd_get(d->chip.type, &type) != TP_OK ||
        type != kind) /* 9C: the first two digits of DE 3 (Book 3, Annex A) */
        return refuse(d, "12", "9C");
    d->out->credit = kind == CREDIT;
    if (bcd_get(d->chip.amount, &amount) != TP_OK ||
        bcd_get(d->chip.currency, &currency) != TP_OK || d->q->amount == 0 ||
        (int64_t)amount != d->q->amount || currency != d->q->currency)
        return refuse(d, "13", "AMOUNT");
    if (bcd_get(d->chip.date, &date) != TP_OK || date % 10000 != d->q->local_date ||
        (d->chip.psn.n == 1 && (bcd_get(d->chip.psn, &psn) != TP_OK || psn != d->q->psn)))
        return refuse(d, "30", "9A_5F34");
    return TP_OK;
}

/* ---- the card ---- */

static enum tp_err session_key(struct desk *d, struct tp_error *e)
{
    const uint8_t psn = (uint8_t)(d->account.psn / 10 << 4 | d->account.psn % 10);
    struct secret master;
    enum tp_err r =
        issuer_keys_card(&master, d->a->keys, ISSUER_KEY_AC, d->account.cvn, d->q->pan, psn);

    if (r == TP_OK)
        r = emv_session_key_ac(&d->session, d->account.cvn, secret_span(&master), d->chip.atc.p);
    secret_free(&master);
    return r == TP_OK ? r
                      : tp_fail(e, r, "cannot derive the keys of %s (kind %s): %s",
                                d->account.masked, emv_cvn_name(d->account.cvn), tp_err_text(r));
}

static enum tp_err cryptogram(struct desk *d, struct tp_error *e)
{
    uint8_t room[64 + EMV_IAD_MAX], ac[8];
    struct buf data = BUF_OF(room);
    enum tp_err r;

    if (d->iad.cvn != d->account.cvn)
        return refuse(d, "63", "CRYPTOGRAM");
    if (d->iad.dki != ISSUER_DKI)
        return refuse(d, "63", "DKI");
    r = session_key(d, e);
    if (r == TP_OK)
        r = chip_signed(&data, &d->chip);
    if (r == TP_OK)
        r = buf_put(&data, emv_iad_signed(&d->iad, d->chip.iad));
    if (r == TP_OK)
        r = emv_ac_make(ac, d->account.cvn, secret_span(&d->session), buf_span(&data));
    if (r != TP_OK)
        return tp_fail(e, r, "cannot check a cryptogram of %s: %s", d->account.masked,
                       tp_err_text(r));
    return secret_eq(SPAN_OF(ac), d->chip.ac) ? TP_OK : refuse(d, "63", "CRYPTOGRAM");
}

/* The card's own word, which its cryptogram covers. */
static enum emv_ac_type made(const struct desk *d)
{
    return d->iad.second != EMV_AC_NONE ? d->iad.second : d->iad.first;
}

/* A counter that was seen is a cryptogram sent again, but for one TC after an ARQC of the same
 * acquirer that came here and is reversed: a terminal that heard no answer ends the payment offline
 * under the same counter (Y3: Book 4, Annex A6); and for a TC that its acquirer got no answer for,
 * took back and asks about again. A TC that comes late, after the card has been here with a later
 * counter, was signed offline and is as good; one that is far behind is told. An ARQC that comes
 * late, and a counter far ahead, is no card that its holder used in between: the operator who knows
 * better moves the counter on (account set --atc). Either is an alarm, in the log. */
static enum tp_err counter(struct desk *d, struct tp_error *e)
{
    const unsigned atc = d->out->atc, last = d->account.atc;
    bool is_free = false;
    enum tp_err r = TP_OK;

    if (atc <= last && made(d) == EMV_TC)
        r = book_counter_free(d->a->book, d->account.key, d->out->atc, d->from->key, &is_free, e);
    if (r != TP_OK)
        return r;
    if (is_free && last - atc > d->a->atc_jump)
        log_error("alarm: card %s, counter %u after %u: set back", d->account.masked, atc, last);
    if ((atc <= last && !is_free) || atc > last + d->a->atc_jump) {
        log_error("alarm: card %s, counter %u after %u: %s", d->account.masked, atc, last,
                  atc <= last ? _("sent again") : _("far ahead"));
        return refuse(d, "63", atc <= last ? "ATC_REPLAYED" : "ATC_JUMP");
    }
    d->genuine = true;
    d->out->ac = made(d);
    if (atc < last) /* what it says of scripts is old */
        return TP_OK;
    r = book_account_seen(d->a->book, d->account.key, d->out->atc, e);
    return r == TP_OK ? scripts_settle(d->a, &d->account, &d->iad, d->chip.results, e) : r;
}

/* The card's word for its cryptogram and the terminal's are one; a terminal that holds the PIN for
 * verified, and a card that verified none, have somebody between them. */
static enum tp_err card_and_terminal(struct desk *d, struct tp_error *e)
{
    static const uint8_t offline_pin[] = {CVM_PLAINTEXT_PIN, CVM_PLAINTEXT_PIN_SIGNATURE,
                                          CVM_ENCIPHERED_PIN, CVM_ENCIPHERED_PIN_SIGNATURE};
    const enum emv_ac_type type = (enum emv_ac_type)(d->chip.cid.p[0] >> 6);

    (void)e;
    if (type != made(d))
        return refuse(d, "63", "CID");
    if (d->chip.cvm.p[2] == CVM_RESULT_SUCCESSFUL &&
        memchr(offline_pin, d->chip.cvm.p[0] & CVM_CODE, sizeof(offline_pin)) != NULL &&
        (!d->iad.pin_performed || d->iad.pin_failed)) {
        log_error("alarm: card %s: the terminal says that its PIN was verified, the card does not",
                  d->account.masked);
        return refuse(d, "63", "PIN_WEDGE");
    }
    return type == EMV_AAC ? refuse(d, "05", "AAC") : TP_OK;
}

/* ---- the account ---- */

#define DAYS_LATE                                                                                  \
    40 /* the 30 that a payment may come late at its acquirer, and time to be asked about again */

/* The day on which the card must have been good: a TC that comes late was made while it was. */
static int day_of_card(const struct desk *d)
{
    const int today = date_of(d->now);
    uint64_t date = 0;
    int day;

    if (made(d) != EMV_TC || bcd_get(d->chip.date, &date) != TP_OK)
        return today;
    day = 20000000 + (int)date;
    return day < today && day >= date_of(d->now - DAYS_LATE * 86400) ? day : today;
}

static enum tp_err status(struct desk *d, struct tp_error *e)
{
    static const char *const codes[ACCOUNT_STATUSES] = {NULL, "62", "41", "43"},
                             *const reasons[ACCOUNT_STATUSES] = {NULL, "BLOCKED", "LOST", "STOLEN"};
    const int expiry = d->account.expiry;

    (void)e;
    if (d->account.status != ACCOUNT_OPEN)
        return refuse(d, codes[d->account.status], reasons[d->account.status]);
    if (expiry < day_of_card(d) || (unsigned)(expiry / 100 % 10000) != d->q->expiry)
        return refuse(d, "54", "EXPIRY");
    return TP_OK;
}

/* Terminal verification results (Book 3, table 46) for which this issuer declines, worst first. */
static const struct {
    unsigned bits;
    const char *code, *reason;
} tvr_refusals[] = {
    {TVR_EXCEPTION_FILE, "05", "EXCEPTION_FILE"},
    {TVR_SDA_FAILED | TVR_DDA_FAILED | TVR_CDA_FAILED, "05", "ODA_FAILED"},
    {TVR_XDA_SIGNATURE_FAILED, "05", "ODA_FAILED"},
    {TVR_ECC_KEY_RECOVERY_FAILED, "05", "ODA_FAILED"},
    {TVR_EXPIRED, "54", "TERMINAL_EXPIRED"},
    {TVR_NOT_YET_EFFECTIVE, "05", "NOT_YET_EFFECTIVE"},
    {TVR_SERVICE_NOT_ALLOWED, "57", "SERVICE"},
    {TVR_PIN_TRIES_EXCEEDED, "75", "PIN_TRIES"},
    {TVR_CVM_FAILED, "55", "CARDHOLDER"},
};

static enum tp_err bits(struct desk *d, struct tp_error *e)
{
    (void)e;
    if (d->iad.pin_tries_exceeded || d->iad.blocked_by_pin)
        return refuse(d, "75", "PIN_TRIES");
    for (size_t i = 0; i < sizeof(tvr_refusals) / sizeof(tvr_refusals[0]); i++)
        if (tvr_has(d->chip.tvr.p, tvr_refusals[i].bits))
            return refuse(d, tvr_refusals[i].code, tvr_refusals[i].reason);
    return TP_OK;
}

/* A credit spends nothing, and yet moves money: no more of it at once, and on a day, than the card
 * may pay. */
static enum tp_err money(struct desk *d, struct tp_error *e)
{
    const struct account *c = &d->account;
    const int64_t amount = d->q->amount;
    int64_t spent = 0;
    enum tp_err r;

    if (d->q->currency != c->currency)
        return refuse(d, "57", "CURRENCY");
    if (amount > c->ceiling)
        return refuse(d, "61", "CEILING");
    r = d->out->credit ? book_credited_on(d->a->book, c->key, d->out->day, &spent, e)
                       : book_reserved_on(d->a->book, c->key, d->out->day, &spent, e);
    if (r != TP_OK)
        return r;
    if (amount > c->day_ceiling - spent)
        return refuse(d, "61", "DAY_CEILING");
    if (d->out->credit)
        return c->balance > MONEY_MAX - amount ? refuse(d, "61", "BALANCE") : TP_OK;
    return amount > c->balance - c->reserved ? refuse(d, "51", "BALANCE") : TP_OK;
}

static enum tp_err approve(struct desk *d, struct tp_error *e)
{
    int64_t next = 0;
    const enum tp_err r = book_authorisation_next(d->a->book, &next, e);

    if (r != TP_OK)
        return r;
    snprintf(d->out->answer.approval, sizeof(d->out->answer.approval), "%06u",
             (unsigned)(next % APPROVAL_MOD) % APPROVAL_MOD);
    d->out->reserved = d->out->credit ? 0 : d->q->amount;
    return refuse(d, "00", "");
}

/* ---- the answer ---- */

/* 91: method 1: ARPC and ARC; method 2: ARPC and card status update, which approves and sets the
 * offline counters to zero, or does neither. */
static enum tp_err put_arpc(struct buf *out, const struct desk *d)
{
    const bool approved = wire_answer_is_yes(&d->out->answer);
    const uint8_t csu[4] = {0, approved ? EMV_CSU_APPROVES | EMV_CSU_COUNTERS_TO_ZERO : 0, 0, 0};
    uint8_t data[10];
    enum tp_err r;

    if (d->account.arpc == 1) {
        r = emv_arpc_1(data, d->account.cvn, secret_span(&d->session), d->chip.ac.p,
                       (const uint8_t *)d->out->answer.code);
        memcpy(data + 8, d->out->answer.code, 2);
        return r == TP_OK ? tlv_put(out, TAG_ISSUER_AUTH_DATA, span_of(data, 10)) : r;
    }
    r = emv_arpc_2(data, d->account.cvn, secret_span(&d->session), d->chip.ac.p, csu,
                   span_of(NULL, 0));
    memcpy(data + 4, csu, sizeof(csu));
    return r == TP_OK ? tlv_put(out, TAG_ISSUER_AUTH_DATA, span_of(data, 8)) : r;
}

/* DE 55. A card that was not proved to be ours gets no word that only the issuer can say; one that
 * ended its transaction (TC, AAC) hears none. */
static enum tp_err make_answer(struct desk *d, struct scripts_sent *sent, struct tp_error *e)
{
    struct buf out = BUF_OF(d->out->answer.data);
    const bool listens = d->genuine && d->chip.cid.p[0] >> 6 == EMV_ARQC;
    enum tp_err r = tlv_put(&out, TAG_ARC, span_of(d->out->answer.code, 2));

    sent->n = 0;
    if (r == TP_OK && listens)
        r = put_arpc(&out, d);
    if (r != TP_OK)
        return tp_fail(e, r, "cannot make the answer for %s: %s", d->account.masked,
                       tp_err_text(r));
    if (listens)
        r = scripts_put(d->a, &out, sent, &d->account, d->q->pan, d->chip.atc.p, d->chip.ac.p, e);
    d->out->answer.data_n = out.n;
    return r;
}

static void start(struct desk *d)
{
    struct authorisation *out = d->out;

    memset(out, 0, sizeof(*out));
    out->acquirer = d->from->key;
    memcpy(out->rrn, d->q->rrn, sizeof(out->rrn));
    memcpy(out->digest, d->q->digest, sizeof(out->digest));
    memcpy(out->masked, d->q->masked, sizeof(out->masked));
    out->amount = d->q->amount;
    out->currency = d->q->currency;
    out->day = date_of(d->now);
    out->at = d->now;
    out->ac = EMV_AC_NONE;
}

/* What names no card of ours is answered and not kept: nothing hangs on it, and the same again gets
 * the same from the same books. */
static bool kept(const struct desk *d)
{
    return strcmp(d->out->answer.code, "30") != 0;
}

static enum tp_err keep(struct desk *d, struct tp_error *e)
{
    struct scripts_sent sent;
    enum tp_err r = make_answer(d, &sent, e);

    if (r == TP_OK)
        r = book_authorisation_add(d->a->book, d->out, e);
    return r == TP_OK ? scripts_mark(d->a, &sent, d->out->key, e) : r;
}

enum tp_err authorise(struct authoriser *a, struct authorisation *out, const struct request *q,
                      const struct acquirer *from, time_t now, struct tp_error *e)
{
    static step *const steps[] = {same_again,        format, whose, what,  cryptogram, counter,
                                  card_and_terminal, status, bits,  money, approve};
    struct desk d = {.a = a, .q = q, .from = from, .out = out, .now = now};
    enum tp_err r = TP_OK;

    start(&d);
    for (size_t i = 0;
         i < sizeof(steps) / sizeof(steps[0]) && r == TP_OK && out->answer.code[0] == '\0'; i++)
        r = steps[i](&d, e);
    if (r == TP_OK && !d.known && kept(&d))
        r = keep(&d, e);
    secret_free(&d.session);
    return r;
}

enum tp_err authorise_reversal(struct authoriser *a, const char **code, const char **reason,
                               const struct request *q, const struct acquirer *from,
                               struct tp_error *e)
{
    struct authorisation of = {.key = 0};
    bool before = false;
    enum tp_err r = book_reversal_find(a->book, from->key, q->rrn, &before, e);

    *code = "00";
    *reason = before ? "AGAIN" : "";
    if (r != TP_OK || before)
        return r;
    r = book_authorisation_find(a->book, from->key, q->rrn, &of, e);
    if (r == TP_ERR_NOT_FOUND) {
        *reason = "REMEMBERED";
        return book_reversal_add(a->book, from->key, q->rrn, 0, e);
    }
    if (r != TP_OK)
        return r;
    if (of.amount != q->amount || of.currency != q->currency || strcmp(of.masked, q->masked) != 0) {
        *code = "94";
        *reason = "IDENTITY";
        return TP_OK;
    }
    return book_reversal_add(a->book, from->key, q->rrn, of.key, e);
}
