#include "payer/ticket.h"

#include <inttypes.h>
#include <string.h>

#include "apdu/emvbits.h"
#include "base/date.h"
#include "payer/message.h"

enum ticket_language ticket_language(const struct ticket_style *style, const struct receipt *r,
                                     enum ticket_whom whom)
{
    for (size_t wish = 0; whom == TICKET_CUSTOMER && wish + 2 <= strlen(r->languages); wish += 2)
        for (size_t i = 0; i < style->languages_n; i++)
            if (strncmp(r->languages + wish, ticket_languages[style->languages[i]], 2) == 0)
                return style->languages[i];
    return style->languages[0];
}

#define SUM_MAX (MONEY_TEXT_MAX + 8)

/* "12.50 EUR"; in French "12,50 EUR". */
static const char *sum_text(char out[SUM_MAX], int64_t amount, uint16_t currency,
                            enum ticket_language l)
{
    char *point;

    money_shown(out, amount, currency);
    point = strchr(out, '.');
    if (point != NULL && l == TICKET_FRENCH)
        *point = ',';
    snprintf(out + strlen(out), SUM_MAX - strlen(out), " %s", currency_shown(currency));
    return out;
}

static const char *date_text(char out[DATE_TEXT_MAX], int date, enum ticket_language l)
{
    if (l == TICKET_ENGLISH)
        return date_format(out, date);
    snprintf(out, DATE_TEXT_MAX, "%02u/%02u/%04u", (unsigned)date % 100U,
             (unsigned)date / 100U % 100U, (unsigned)date / 10000U % 10000U);
    return out;
}

static void put_date(const struct paper *p, const struct receipt *r, enum ticket_language l)
{
    const int h = r->time / 10000, m = r->time / 100 % 100, s = r->time % 100;
    char text[48], day[DATE_TEXT_MAX];

    date_text(day, r->date, l);
    if (l == TICKET_FRENCH) {
        snprintf(text, sizeof(text), "Le %s à %02d:%02d:%02d", day, h, m, s);
        paper_line(p, text);
    } else {
        snprintf(text, sizeof(text), "%s %02d:%02d:%02d", day, h, m, s);
        paper_pair(p, PAPER_PLAIN, "Date", text);
    }
}

static void put_number(const struct paper *p, const char *name, unsigned number)
{
    char text[12];

    snprintf(text, sizeof(text), "%06u", number);
    paper_pair(p, PAPER_PLAIN, name, number > 0 ? text : "");
}

static void put_card_number(const struct paper *p, const char *name, const char *sequence,
                            const struct receipt *r)
{
    char text[sizeof(r->pan) + sizeof(r->psn) + 8];

    snprintf(text, sizeof(text), "%s%s%s", r->pan, r->psn[0] != '\0' ? sequence : "", r->psn);
    paper_pair(p, PAPER_PLAIN, name, text);
}

/* What the card said: for those who look into a payment. */
static void put_cryptogram(const struct paper *p, const struct receipt *r)
{
    char text[32];

    paper_pair(p, PAPER_PLAIN, r->cryptogram, r->ac);
    snprintf(text, sizeof(text), "%d", r->atc);
    paper_pair(p, PAPER_PLAIN, "ATC", r->atc >= 0 ? text : "");
    snprintf(text, sizeof(text), "%s%s%s", r->tvr, r->tsi[0] != '\0' ? " / " : "", r->tsi);
    paper_pair(p, PAPER_PLAIN, "TVR / TSI", text);
}

static void put_shop(const struct paper *p, const char *merchant, const struct shop *s)
{
    char place[sizeof(s->postcode) + sizeof(s->town) + 1];

    paper_centre(p, PAPER_PLAIN, merchant);
    snprintf(place, sizeof(place), "%s%s%s", s->postcode, s->postcode[0] != '\0' ? " " : "",
             s->town);
    paper_centre(p, PAPER_PLAIN, place);
    paper_pair(p, PAPER_PLAIN, "SIRET", s->siret);
}

/* A payment that was to be taken back, and stands: that is told once, and not to whoever asks for
 * the payment's ticket again. */
static bool tells_reason(const struct receipt *r)
{
    return !(r->copy && r->state == PAYMENT_ACKNOWLEDGED);
}

/* ---- in English ---- */

static void put_outcome(const struct paper *p, const struct receipt *r)
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
    const bool by_purse = r->purse[0] != '\0', refused = r->state == PAYMENT_REFUSED;

    paper_centre(p, PAPER_BOLD,
                 refused && by_purse                           ? "REFUSED BY THE PURSE"
                 : refused && r->by_issuer                     ? "REFUSED BY THE ISSUER"
                 : r->voided && r->state == PAYMENT_TO_REVERSE ? "TO BE TAKEN BACK"
                 : r->voided && r->state == PAYMENT_REVERSED   ? "TAKEN BACK"
                                                               : words[r->state]);
    if (tells_reason(r))
        paper_line(p, r->reason);
    if (r->state == PAYMENT_SIGNED) {
        paper_line(p, by_purse ? "Your key has signed. Do not pay again:"
                               : "The card has signed. Do not pay again:");
        paper_line(p, "the payment is delivered later.");
    }
    if (r->state == PAYMENT_NOT_REVERSED) {
        paper_line(p, "The acquirer has collected it already:");
        paper_line(p, "pay the cardholder back.");
    }
}

static void put_english(const struct paper *p, const struct receipt *r, enum ticket_whom whom)
{
    char text[SUM_MAX];

    paper_centre(p, PAPER_BOLD, r->purse[0] != '\0' ? "PURSE PAYMENT" : "CARD PAYMENT");
    paper_centre(p, PAPER_BOLD, r->copy ? "DUPLICATE" : "");
    put_shop(p, r->merchant, &r->shop);
    paper_pair(p, PAPER_PLAIN, "Contract", r->contract);
    paper_pair(p, PAPER_PLAIN, "Terminal", r->terminal);
    put_date(p, r, TICKET_ENGLISH);
    paper_pair(p, PAPER_PLAIN, "Purse", r->purse);
    if (r->purse[0] == '\0') {
        paper_pair(p, PAPER_PLAIN, "Application", r->label);
        paper_pair(p, PAPER_PLAIN, "AID", r->aid);
        put_card_number(p, "Card", " no. ", r);
        paper_pair(p, PAPER_PLAIN, "Signature", r->method);
        put_cryptogram(p, r);
        paper_line(p, r->verified);
    }
    put_number(p, "Number", r->stan);
    paper_pair(p, PAPER_PLAIN, "Reference", r->rrn);
    paper_pair(p, PAPER_PLAIN, "Refund of", r->undoes);
    paper_pair(p, PAPER_PLAIN, "Approval", r->approval);
    paper_pair(p, PAPER_TALL, r->type == TYPE_REFUND ? "REFUND" : "AMOUNT",
               sum_text(text, r->amount, r->currency, TICKET_ENGLISH));
    put_outcome(p, r);
    if (r->signature && whom == TICKET_MERCHANT) {
        paper_line(p, "Cardholder's signature:");
        paper_space(p);
    }
    paper_centre(p, PAPER_PLAIN, whom == TICKET_MERCHANT ? "MERCHANT'S COPY" : "CUSTOMER'S COPY");
    paper_centre(p, PAPER_PLAIN, "PLEASE KEEP IT. GOODBYE");
}

/* ---- in French ---- */

/* Money moves, has moved or is about to; for the others the head says why not. */
static void put_direction(const struct paper *p, const struct receipt *r)
{
    if (payment_counts(r->state) || r->state == PAYMENT_SIGNED)
        paper_centre(p, PAPER_BOLD, r->type == TYPE_REFUND ? "CREDIT" : "DEBIT");
}

/* The reason names the answer at its end, "(57, REFUND_CARD)", whose French words stand here. */
static void put_french_reason(const struct paper *p, const struct receipt *r)
{
    const bool refused = r->state == PAYMENT_REFUSED;
    const char *named = strrchr(r->reason, '(');
    struct wire_answer a = {.code = ""};
    char text[sizeof(r->reason) + 80];

    if ((!refused && r->state != PAYMENT_ACKNOWLEDGED) || r->answer[0] == '\0' || named == NULL ||
        sscanf(named, "(%2[0-9A-Z], %25[0-9A-Z_])", a.code, a.reason) < 1)
        return;
    snprintf(text, sizeof(text), "%s%s %s", refused ? "" : "non annulé : ", answer_words_french(&a),
             named);
    paper_line(p, text);
}

static void put_french_outcome(const struct paper *p, const struct receipt *r)
{
    static const char *const words[] = {
        [PAYMENT_DECLINED] = "TRANSACTION REFUSEE",
        [PAYMENT_SIGNED] = "SIGNE, PAS ENCORE ACQUITTE",
        [PAYMENT_ACKNOWLEDGED] = "",
        [PAYMENT_REFUSED] = "TRANSACTION REFUSEE",
        [PAYMENT_REPLAYED] = "REJEU : RIEN N'EST PAYE",
        [PAYMENT_ASKED] = "L'EMETTEUR EST INTERROGE",
        [PAYMENT_TO_REVERSE] = "NON PAYE, A ANNULER",
        [PAYMENT_REVERSED] = "NON PAYE, ANNULE",
        [PAYMENT_NOT_REVERSED] = "NON ANNULE",
    };

    put_direction(p, r);
    paper_centre(p, PAPER_BOLD,
                 r->voided && r->state == PAYMENT_TO_REVERSE        ? "ANNULATION A TRANSMETTRE"
                 : r->voided && r->state == PAYMENT_REVERSED        ? "ANNULATION"
                 : r->state == PAYMENT_DECLINED && r->ac[0] == '\0' ? "ABANDON"
                                                                    : words[r->state]);
    if (tells_reason(r))
        put_french_reason(p, r);
    if (r->state == PAYMENT_SIGNED) {
        paper_line(p, r->purse[0] != '\0' ? "Votre clé a signé. Ne payez pas de nouveau :"
                                          : "La carte a signé. Ne payez pas de nouveau :");
        paper_line(p, "le paiement sera transmis plus tard.");
    }
    if (r->state == PAYMENT_NOT_REVERSED) {
        paper_line(p, "L'acquéreur l'a déjà télécollecté :");
        paper_line(p, "remboursez le porteur.");
    }
}

/* The order of the CB tickets. */
static void put_french(const struct paper *p, const struct receipt *r, enum ticket_whom whom)
{
    const bool by_purse = r->purse[0] != '\0';
    char text[SUM_MAX];

    paper_centre(p, PAPER_BOLD, by_purse ? "PORTE-MONNAIE VIRTUEL" : "CARTE BANCAIRE");
    paper_centre(p, PAPER_BOLD, r->copy ? "DUPLICATA" : "");
    paper_line(p, r->aid);
    paper_line(p, r->label);
    put_date(p, r, TICKET_FRENCH);
    paper_centre(p, PAPER_PLAIN, r->merchant);
    paper_centre(p, PAPER_PLAIN, r->shop.town);
    paper_centre(p, PAPER_PLAIN, r->shop.postcode);
    paper_pair(p, PAPER_PLAIN, "Contrat", r->contract);
    paper_pair(p, PAPER_PLAIN, "SIRET", r->shop.siret);
    paper_pair(p, PAPER_PLAIN, "Terminal", r->terminal);
    if (by_purse) {
        paper_pair(p, PAPER_PLAIN, "Porte-monnaie", r->purse);
    } else {
        put_card_number(p, "Carte", " n° ", r);
        put_cryptogram(p, r);
    }
    put_number(p, "Numéro", r->stan);
    paper_pair(p, PAPER_PLAIN, "Référence", r->rrn);
    paper_pair(p, PAPER_PLAIN, "Crédit de", r->undoes);
    if (!by_purse && r->approval[0] == '\0') /* it is there, too, when nobody was asked */
        paper_line(p, "No AUTO :");
    paper_pair(p, PAPER_PLAIN, "No AUTO :", r->approval);
    paper_pair(p, PAPER_TALL, "MONTANT :", sum_text(text, r->amount, r->currency, TICKET_FRENCH));
    put_french_outcome(p, r);
    if (r->signature && whom == TICKET_MERCHANT) {
        paper_line(p, "Signature du porteur :");
        paper_space(p);
    }
    paper_centre(p, PAPER_PLAIN, whom == TICKET_MERCHANT ? "TICKET COMMERCANT" : "TICKET CLIENT");
    paper_centre(p, PAPER_PLAIN, "A CONSERVER");
    paper_centre(p, PAPER_PLAIN, "MERCI AU REVOIR");
}

void ticket_put(const struct paper *p, const struct receipt *r, enum ticket_whom whom,
                enum ticket_language l)
{
    paper_begin(p);
    if (l == TICKET_FRENCH)
        put_french(p, r, whom);
    else
        put_english(p, r, whom);
    paper_end(p);
}

/* ---- of a day ---- */

static const struct {
    const char *head, *contract, *both, *here, *there, *debits, *credits, *total, *waiting,
        *balanced, *differs;
} day_words[TICKET_LANGUAGES] = {
    {"TOTALS OF THE DAY", "Contract", "Here and at the acquirer", "Here", "At the acquirer",
     "Payments", "Refunds", "NET", "Not yet settled with the acquirer", "IN BALANCE",
     "NOT IN BALANCE"},
    {"TOTAUX DE LA JOURNEE", "Contrat", "Ici et chez l'acquéreur", "Ici", "Chez l'acquéreur",
     "Débits", "Crédits", "NET :", "En attente chez l'acquéreur", "CONFORME", "NON CONFORME"},
};

static void put_sum(const struct paper *p, const char *name, uint64_t count, int64_t amount,
                    uint16_t currency, enum ticket_language l)
{
    char text[SUM_MAX], named[48];

    snprintf(named, sizeof(named), "%s %" PRIu64, name, count);
    paper_pair(p, PAPER_PLAIN, named, sum_text(text, amount, currency, l));
}

static void put_side(const struct paper *p, const char *whose, const struct day_totals *t,
                     uint16_t currency, enum ticket_language l)
{
    char text[SUM_MAX];

    paper_line(p, whose);
    put_sum(p, day_words[l].debits, t->debits, t->debit_amount, currency, l);
    put_sum(p, day_words[l].credits, t->credits, t->credit_amount, currency, l);
    paper_pair(p, PAPER_TALL, day_words[l].total,
               sum_text(text, t->debit_amount - t->credit_amount, currency, l));
}

void ticket_put_day(const struct paper *p, const struct day *d, const struct terminal *t)
{
    const enum ticket_language l = t->ticket.languages[0];
    const uint16_t currency = t->currency->numeric;
    char text[24], day[DATE_TEXT_MAX];

    paper_begin(p);
    paper_centre(p, PAPER_BOLD, day_words[l].head);
    put_shop(p, t->kernel.merchant_name, &t->shop);
    paper_pair(p, PAPER_PLAIN, day_words[l].contract, t->kernel.merchant_id);
    paper_pair(p, PAPER_PLAIN, "Terminal", t->kernel.terminal_id);
    paper_pair(p, PAPER_PLAIN, "Date", date_text(day, d->date, l));
    put_side(p, d->balanced ? day_words[l].both : day_words[l].here, &d->here, currency, l);
    if (!d->balanced)
        put_side(p, day_words[l].there, &d->there, currency, l);
    snprintf(text, sizeof(text), "%" PRId64, d->waiting);
    paper_pair(p, PAPER_PLAIN, day_words[l].waiting, d->waiting > 0 ? text : "");
    paper_centre(p, PAPER_BOLD, d->balanced ? day_words[l].balanced : day_words[l].differs);
    paper_end(p);
}
