#include "payer/receipt.h"

#include <ctype.h>
#include <string.h>

#include "apdu/emvbits.h"
#include "base/bcd.h"
#include "base/date.h"
#include "base/hex.h"

static const char *const states[] = {"declined",       "signed",   "acknowledged",
                                     "refused",        "replayed", "asked",
                                     "to be reversed", "reversed", "not reversed"};

const char *payment_state_name(enum payment_state s)
{
    return states[s];
}

enum tp_err payment_state_parse(int *out, const char *text, struct tp_error *e)
{
    for (int i = PAYMENT_DECLINED; i <= PAYMENT_NOT_REVERSED; i++) {
        const char *name = states[i], *t = text;

        while (*t != '\0' && (*name == *t || (*name == ' ' && *t == '-'))) {
            name++;
            t++;
        }
        if (*t == '\0' && *name == '\0' && i != PAYMENT_REPLAYED) {
            *out = i;
            return TP_OK;
        }
    }
    return tp_fail(e, TP_ERR_USAGE,
                   "\"%.40s\" is no state: declined, signed, acknowledged, refused, asked, "
                   "to-be-reversed, reversed or not-reversed",
                   text);
}

bool payment_counts(enum payment_state s)
{
    return s == PAYMENT_ACKNOWLEDGED || s == PAYMENT_NOT_REVERSED;
}

/* Upper-case hex of the value of a tag; "" when it is absent or does not fit. */
static void copy_hex(char *out, size_t cap, payment_get *get, const void *ctx, uint32_t tag)
{
    const struct span v = get(ctx, tag);

    out[0] = '\0';
    if (2 * v.n < cap)
        hex_encode(out, v);
}

static void copy_pan(struct receipt *r, payment_get *get, const void *ctx)
{
    const struct span pan = get(ctx, TAG_PAN), psn = get(ctx, TAG_PAN_SEQUENCE);
    char digits[2 * 10 + 1];
    uint64_t number;

    if (pan.n > 0 && pan.n <= 10 && bcd_get_cn(pan, digits) == TP_OK && strlen(digits) <= PAN_MAX)
        mask_pan(r->pan, digits);
    if (psn.n == 1 && bcd_get(psn, &number) == TP_OK)
        snprintf(r->psn, sizeof(r->psn), "%03u", (unsigned)(number % 100));
}

/* Type of cryptogram: bits 8 and 7 of the CID (Book 3, table 15). */
static const char *cryptogram(struct span cid)
{
    static const char *const types[] = {"AAC", "TC", "ARQC", ""};

    return cid.n == 1 ? types[cid.p[0] >> 6] : "";
}

bool cvm_bypassed(uint8_t code, bool failed, struct span tvr)
{
    code &= CVM_CODE;
    return failed && code >= CVM_PLAINTEXT_PIN && code <= CVM_ENCIPHERED_PIN_SIGNATURE &&
           code != CVM_ONLINE_PIN && tvr.n == 5 && tvr_has(tvr.p, TVR_PIN_NOT_ENTERED);
}

static void copy_languages(struct receipt *r, payment_get *get, const void *ctx)
{
    const struct span v = get(ctx, TAG_LANGUAGE);

    for (size_t i = 0; i < v.n && i + 1 < sizeof(r->languages); i++)
        r->languages[i] = isalpha(v.p[i]) ? (char)tolower(v.p[i]) : '?';
}

/* Whether the cardholder is to sign: paper is not looked at by the terminal, which leaves the
 * outcome open (Book 4, 6.3.4.5). */
static bool wants_signature(struct span cvm)
{
    const uint8_t code = cvm.p[0] & CVM_CODE;

    return cvm.p[2] != CVM_RESULT_FAILED &&
           (code == CVM_SIGNATURE || code == CVM_PLAINTEXT_PIN_SIGNATURE ||
            code == CVM_ENCIPHERED_PIN_SIGNATURE);
}

static void copy_verification(struct receipt *r, payment_get *get, const void *ctx)
{
    const struct span cvm = get(ctx, TAG_CVM_RESULTS), tvr = get(ctx, TAG_TVR);

    if (cvm.n != 3 || r->aid[0] == '\0') /* nothing was selected: nothing to say */
        return;
    r->signature = wants_signature(cvm);
    if (cvm.p[0] == CVM_NONE_PERFORMED && cvm.p[2] == CVM_RESULT_UNKNOWN)
        snprintf(r->verified, sizeof(r->verified), "%s", emv_cvm_name(cvm.p[0]));
    else if (cvm_bypassed(cvm.p[0], cvm.p[2] == CVM_RESULT_FAILED, tvr))
        snprintf(r->verified, sizeof(r->verified), "%s: not entered", emv_cvm_name(cvm.p[0]));
    else
        snprintf(r->verified, sizeof(r->verified), "%s: %s", emv_cvm_name(cvm.p[0]),
                 emv_cvm_result_name(cvm.p[2]));
}

void receipt_fill(struct receipt *r, const struct terminal *terminal,
                  const struct transaction_request *request, payment_get *get, const void *ctx)
{
    const struct span atc = get(ctx, TAG_ATC);

    memset(r, 0, sizeof(*r));
    memcpy(r->merchant, terminal->kernel.merchant_name, sizeof(r->merchant));
    memcpy(r->contract, terminal->kernel.merchant_id, sizeof(r->contract));
    memcpy(r->terminal, terminal->kernel.terminal_id, sizeof(r->terminal));
    r->shop = terminal->shop;
    r->date = request->date;
    r->time = request->time;
    r->type = request->type;
    r->amount = request->amount;
    r->currency = request->currency;
    r->atc = atc.n == 2 ? atc.p[0] << 8 | atc.p[1] : -1;
    copy_pan(r, get, ctx);
    copy_hex(r->aid, sizeof(r->aid), get, ctx, TAG_DF_NAME);
    copy_hex(r->ac, sizeof(r->ac), get, ctx, TAG_AC);
    copy_hex(r->tvr, sizeof(r->tvr), get, ctx, TAG_TVR);
    copy_hex(r->tsi, sizeof(r->tsi), get, ctx, TAG_TSI);
    if (r->ac[0] != '\0')
        snprintf(r->cryptogram, sizeof(r->cryptogram), "%s", cryptogram(get(ctx, TAG_CID)));
    copy_verification(r, get, ctx);
    copy_languages(r, get, ctx);
}

static const char *refused_by(const struct receipt *r)
{
    if (r->state != PAYMENT_REFUSED)
        return "";
    return r->purse[0] != '\0' ? "purse" : r->by_issuer ? "issuer" : "acquirer";
}

enum tp_err receipt_to_json(json_t **out, const struct receipt *r)
{
    const struct currency *c = currency_by_numeric(r->currency);
    char amount[MONEY_TEXT_MAX], day[DATE_TEXT_MAX], when[DATE_TEXT_MAX + 16];

    snprintf(when, sizeof(when), "%sT%02d:%02d:%02d", date_format(day, r->date), r->time / 10000,
             r->time / 100 % 100, r->time % 100);
    *out = json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:s, "
                     "s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:s}",
                     "state", states[r->state], "time", when, "kind",
                     r->type == TYPE_REFUND ? "refund" : "purchase", "rrn", r->rrn, "stan",
                     (int)r->stan, "amount", c != NULL ? money_format(amount, r->amount, c) : "",
                     "currency", c != NULL ? c->alpha : "", "answer", r->answer, "minor",
                     (json_int_t)r->amount, "reason", r->reason, "merchant", r->merchant,
                     "contract", r->contract, "terminal", r->terminal, "pan", r->pan, "psn", r->psn,
                     "aid", r->aid, "label", r->label, "cryptogram", r->cryptogram, "atc", r->atc,
                     "ac", r->ac, "tvr", r->tvr, "tsi", r->tsi, "authentication", r->method);
    if (*out != NULL && json_object_set_new(*out, "purse", json_string(r->purse)) == 0 &&
        json_object_set_new(*out, "verification", json_string(r->verified)) == 0 &&
        json_object_set_new(*out, "approval", json_string(r->approval)) == 0 &&
        json_object_set_new(*out, "voided", json_boolean(r->voided)) == 0 &&
        json_object_set_new(*out, "refund_of", json_string(r->undoes)) == 0 &&
        json_object_set_new(*out, "siret", json_string(r->shop.siret)) == 0 &&
        json_object_set_new(*out, "town", json_string(r->shop.town)) == 0 &&
        json_object_set_new(*out, "postcode", json_string(r->shop.postcode)) == 0 &&
        json_object_set_new(*out, "signature", json_boolean(r->signature)) == 0 &&
        json_object_set_new(*out, "languages", json_string(r->languages)) == 0 &&
        json_object_set_new(*out, "refused_by", json_string(refused_by(r))) == 0)
        return TP_OK;
    json_decref(*out);
    *out = NULL;
    return TP_ERR_NO_MEMORY;
}

static void rename_member(json_t *o, const char *was, const char *is)
{
    json_object_set(o, is, json_object_get(o, was));
    json_object_del(o, was);
}

json_t *receipt_shown(const struct receipt *r)
{
    json_t *o;

    if (receipt_to_json(&o, r) != TP_OK)
        return NULL;
    json_object_del(o, "minor");
    rename_member(o, "time", "local_time");
    rename_member(o, "pan", "pan_masked");
    rename_member(o, "authentication", "authentication_method");
    json_object_del(o, "psn");
    json_object_set_new(o, "card_sequence", json_string(r->psn[0] != '\0' ? r->psn + 1 : ""));
    json_object_set_new(o, "stan", r->stan != 0 ? json_sprintf("%06u", r->stan) : json_null());
    json_object_set_new(o, "atc", r->atc >= 0 ? json_integer(r->atc) : json_null());
    return o;
}

static bool take_text(char *out, size_t cap, const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    if (value == NULL || strlen(value) >= cap)
        return false;
    memcpy(out, value, strlen(value) + 1);
    return true;
}

/* The same of what journals of old have not. */
static bool take_later(char *out, size_t cap, const json_t *object, const char *key)
{
    return json_object_get(object, key) == NULL || take_text(out, cap, object, key);
}

static bool take_when(struct receipt *r, const json_t *object)
{
    char when[DATE_TEXT_MAX + 16];
    int h, m, s;

    if (!take_text(when, sizeof(when), object, "time") || strlen(when) != 19 ||
        sscanf(when + 10, "T%2d:%2d:%2d", &h, &m, &s) != 3)
        return false;
    when[10] = '\0';
    r->time = h * 10000 + m * 100 + s;
    return date_parse(&r->date, when) == TP_OK;
}

static bool take_state(struct receipt *r, const json_t *object)
{
    const char *state = json_string_value(json_object_get(object, "state"));

    for (size_t i = 0; state != NULL && i < sizeof(states) / sizeof(states[0]); i++)
        if (strcmp(state, states[i]) == 0) {
            r->state = (enum payment_state)i;
            return true;
        }
    return false;
}

enum tp_err receipt_from_json(struct receipt *r, const json_t *o)
{
    char kind[9], alpha[4];
    const char *by;
    const struct currency *c;

    memset(r, 0, sizeof(*r));
    if (!take_state(r, o) || !take_when(r, o) || !take_text(kind, sizeof(kind), o, "kind") ||
        !take_text(alpha, sizeof(alpha), o, "currency") ||
        !take_text(r->merchant, sizeof(r->merchant), o, "merchant") ||
        !take_text(r->contract, sizeof(r->contract), o, "contract") ||
        !take_text(r->terminal, sizeof(r->terminal), o, "terminal") ||
        !take_text(r->pan, sizeof(r->pan), o, "pan") ||
        !take_text(r->psn, sizeof(r->psn), o, "psn") ||
        !take_text(r->aid, sizeof(r->aid), o, "aid") ||
        !take_text(r->label, sizeof(r->label), o, "label") ||
        !take_text(r->method, sizeof(r->method), o, "authentication") ||
        !take_text(r->verified, sizeof(r->verified), o, "verification") ||
        !take_text(r->cryptogram, sizeof(r->cryptogram), o, "cryptogram") ||
        !take_text(r->ac, sizeof(r->ac), o, "ac") || !take_text(r->tvr, sizeof(r->tvr), o, "tvr") ||
        !take_text(r->tsi, sizeof(r->tsi), o, "tsi") ||
        !take_text(r->rrn, sizeof(r->rrn), o, "rrn") ||
        !take_text(r->answer, sizeof(r->answer), o, "answer") ||
        !take_text(r->reason, sizeof(r->reason), o, "reason"))
        return TP_ERR_FORMAT;
    if (!take_later(r->approval, sizeof(r->approval), o, "approval") ||
        !take_later(r->undoes, sizeof(r->undoes), o, "refund_of") ||
        !take_later(r->purse, sizeof(r->purse), o, "purse") ||
        !take_later(r->shop.siret, sizeof(r->shop.siret), o, "siret") ||
        !take_later(r->shop.town, sizeof(r->shop.town), o, "town") ||
        !take_later(r->shop.postcode, sizeof(r->shop.postcode), o, "postcode") ||
        !take_later(r->languages, sizeof(r->languages), o, "languages"))
        return TP_ERR_FORMAT;
    r->voided = json_is_true(json_object_get(o, "voided"));
    r->signature = json_is_true(json_object_get(o, "signature"));
    by = json_string_value(json_object_get(o, "refused_by")); /* journals of old have none */
    r->by_issuer = by != NULL && strcmp(by, "issuer") == 0;
    c = currency_by_alpha(alpha);
    if (c == NULL)
        return TP_ERR_FORMAT;
    r->currency = c->numeric;
    r->type = strcmp(kind, "refund") == 0 ? TYPE_REFUND : TYPE_PURCHASE;
    r->amount = json_integer_value(json_object_get(o, "minor"));
    r->atc = (int)json_integer_value(json_object_get(o, "atc"));
    r->stan = (unsigned)json_integer_value(json_object_get(o, "stan"));
    return TP_OK;
}
