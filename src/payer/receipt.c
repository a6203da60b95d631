#include "payer/receipt.h"

#include <inttypes.h>
#include <string.h>

#include "apdu/emvbits.h"
#include "base/bcd.h"
#include "base/date.h"
#include "base/hex.h"

#define WIDTH 44 /* of the paper */

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

static void copy_verification(struct receipt *r, payment_get *get, const void *ctx)
{
    const struct span cvm = get(ctx, TAG_CVM_RESULTS), tvr = get(ctx, TAG_TVR);

    if (cvm.n != 3 || r->aid[0] == '\0') /* nothing was selected: nothing to say */
        return;
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
}

static void centre(FILE *to, const char *text)
{
    const int n = (int)strlen(text);

    fprintf(to, "%*s%s\n", n < WIDTH ? (WIDTH - n) / 2 : 0, "", text);
}

static void line(FILE *to, const char *name, const char *value)
{
    if (value[0] != '\0')
        fprintf(to, "%-12s%*s\n", name, WIDTH - 12, value);
}

static void print_card(FILE *to, const struct receipt *r)
{
    char text[64];

    line(to, "Application", r->label);
    line(to, "AID", r->aid);
    snprintf(text, sizeof(text), "%s%s%s", r->pan, r->psn[0] != '\0' ? "  no. " : "", r->psn);
    line(to, "Card", text);
    line(to, "Signature", r->method);
    line(to, r->cryptogram, r->ac);
    if (r->atc >= 0) {
        snprintf(text, sizeof(text), "%d", r->atc);
        line(to, "ATC", text);
    }
    snprintf(text, sizeof(text), "%s%s%s", r->tvr, r->tsi[0] != '\0' ? " / " : "", r->tsi);
    line(to, "TVR / TSI", text);
    if (r->verified[0] != '\0')
        fprintf(to, "%s\n", r->verified);
}

static void print_outcome(FILE *to, const struct receipt *r)
{
    static const char *const words[] = {
        [PAYMENT_DECLINED] = "DECLINED",
        [PAYMENT_SIGNED] = "SIGNED, NOT YET ACKNOWLEDGED",
        [PAYMENT_ACKNOWLEDGED] = "APPROVED",
        [PAYMENT_REFUSED] = "REFUSED BY THE ACQUIRER", /* of a card */
        [PAYMENT_REPLAYED] = "APPROVED (REPLAY: NOTHING IS PAID)",
        [PAYMENT_ASKED] = "THE ISSUER IS BEING ASKED",
        [PAYMENT_TO_REVERSE] = "NOT PAID, TO BE REVERSED",
        [PAYMENT_REVERSED] = "NOT PAID, REVERSED",
        [PAYMENT_NOT_REVERSED] = "NOT REVERSED",
    };

    const bool by_purse = r->purse[0] != '\0';

    centre(to, r->voided && r->state == PAYMENT_TO_REVERSE ? "TO BE TAKEN BACK"
               : r->voided                                 ? "TAKEN BACK"
               : r->state != PAYMENT_REFUSED               ? words[r->state]
               : by_purse                                  ? "REFUSED BY THE PURSE"
               : r->by_issuer                              ? "REFUSED BY THE ISSUER"
                                                           : words[r->state]);
    if (r->reason[0] != '\0')
        fprintf(to, "%s\n", r->reason);
    if (r->state == PAYMENT_SIGNED)
        fprintf(to, "%s has signed. Do not pay again:\nthe payment is delivered later.\n",
                by_purse ? "Your key" : "The card");
    if (r->state == PAYMENT_NOT_REVERSED)
        fprintf(to, "The acquirer has collected it already:\npay the cardholder back.\n");
}

void receipt_print(FILE *to, const struct receipt *r)
{
    const struct currency *c = currency_by_numeric(r->currency);
    char text[MONEY_TEXT_MAX + 8], amount[MONEY_TEXT_MAX], day[DATE_TEXT_MAX];

    centre(to, r->purse[0] != '\0' ? "PURSE PAYMENT" : "CARD PAYMENT");
    if (r->copy)
        centre(to, "DUPLICATE");
    centre(to, r->merchant);
    line(to, "Contract", r->contract);
    line(to, "Terminal", r->terminal);
    snprintf(text, sizeof(text), "%s %02d:%02d:%02d", date_format(day, r->date), r->time / 10000,
             r->time / 100 % 100, r->time % 100);
    line(to, "Date", text);
    line(to, "Purse", r->purse);
    if (r->purse[0] == '\0')
        print_card(to, r);
    snprintf(text, sizeof(text), "%06u", r->stan);
    line(to, "Number", r->stan > 0 ? text : "");
    line(to, "Reference", r->rrn);
    line(to, "Refund of", r->undoes);
    line(to, "Approval", r->approval);
    snprintf(text, sizeof(text), "%s %s", c != NULL ? money_format(amount, r->amount, c) : "?",
             c != NULL ? c->alpha : "");
    line(to, r->type == TYPE_REFUND ? "REFUND" : "AMOUNT", text);
    print_outcome(to, r);
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
        json_object_set_new(*out, "refused_by", json_string(refused_by(r))) == 0)
        return TP_OK;
    json_decref(*out);
    *out = NULL;
    return TP_ERR_NO_MEMORY;
}

static bool take_text(char *out, size_t cap, const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    if (value == NULL || strlen(value) >= cap)
        return false;
    memcpy(out, value, strlen(value) + 1);
    return true;
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
    if (json_object_get(o, "approval") != NULL &&
        !take_text(r->approval, sizeof(r->approval), o, "approval")) /* journals of old have none */
        return TP_ERR_FORMAT;
    if (json_object_get(o, "purse") != NULL &&
        !take_text(r->purse, sizeof(r->purse), o, "purse")) /* nor this */
        return TP_ERR_FORMAT;
    if (json_object_get(o, "refund_of") != NULL &&
        !take_text(r->undoes, sizeof(r->undoes), o, "refund_of")) /* nor this */
        return TP_ERR_FORMAT;
    r->voided = json_is_true(json_object_get(o, "voided"));
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
