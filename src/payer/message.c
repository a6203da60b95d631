#include "payer/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apdu/dol.h"
#include "apdu/emvbits.h"
#include "apdu/tlv.h"
#include "base/bcd.h"
#include "base/secret.h"
#include "wire/iso8583.h"
#include "wire/profile.h"

/* What stands in DE 55, and in the stream of DE 61-63, in this order (doc/protocol.md); what the
 * payment does not have is left out. */
static const uint32_t de55_tags[] = {TAG_AC,
                                     TAG_CID,
                                     TAG_IAD,
                                     TAG_UN,
                                     TAG_ATC,
                                     TAG_TVR,
                                     TAG_TX_DATE,
                                     TAG_TX_TYPE,
                                     TAG_AMOUNT,
                                     TAG_AMOUNT_OTHER,
                                     TAG_TX_CURRENCY,
                                     TAG_AIP,
                                     TAG_TERMINAL_COUNTRY,
                                     TAG_TERMINAL_CAPABILITIES,
                                     TAG_CVM_RESULTS,
                                     TAG_TERMINAL_TYPE,
                                     TAG_IFD_SERIAL,
                                     TAG_DF_NAME,
                                     TAG_TERMINAL_VERSION,
                                     TAG_TX_COUNTER,
                                     TAG_PAN_SEQUENCE};
static const uint32_t evidence_tags[] = {
    TAG_CA_INDEX,       TAG_ISSUER_CERT,     TAG_ISSUER_REMAINDER, TAG_ISSUER_EXPONENT,
    TAG_ICC_CERT,       TAG_ICC_EXPONENT,    TAG_ICC_REMAINDER,    TAG_EV_STATIC,
    TAG_EV_PDOL_VALUES, TAG_EV_CDOL1_VALUES, TAG_EV_CDOL2_VALUES,  TAG_EV_RESPONSE,
    TAG_EV_DDOL_VALUES, TAG_EV_DDA_SDAD};

#define DE55_MAX                                                                                   \
    255 /* networks carry no more: what the evidence holds anyway (9F4B, in DF05) is not in it;    \
           the tags above come to 225 at most */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static enum tp_err put_objects(struct buf *out, const uint32_t *tags, size_t n, payment_get *get,
                               const void *ctx)
{
    for (size_t i = 0; i < n; i++) {
        const struct span value = get(ctx, tags[i]);
        const enum tp_err r = value.n > 0 ? tlv_put(out, tags[i], value) : TP_OK;

        if (r != TP_OK)
            return r;
    }
    return TP_OK;
}

/* A list that no authenticated record holds goes along with the values that it names. */
static enum tp_err put_list(struct buf *out, uint32_t as, uint32_t tag, uint32_t values,
                            payment_get *get, const void *ctx)
{
    struct tlv found;

    if (get(ctx, values).n == 0 || tlv_find_deep(get(ctx, TAG_EV_STATIC), tag, &found) == TP_OK)
        return TP_OK;
    return tlv_put(out, as, get(ctx, tag));
}

/* SSAD says no more than a signature of the card's own does. */
static enum tp_err put_evidence(struct buf *out, payment_get *get, const void *ctx)
{
    static const uint32_t ssad = TAG_SSAD;
    enum tp_err r = put_objects(out, evidence_tags, COUNT(evidence_tags), get, ctx);

    if (r == TP_OK && get(ctx, TAG_SDAD).n == 0 && get(ctx, TAG_EV_DDA_SDAD).n == 0)
        r = put_objects(out, &ssad, 1, get, ctx);
    if (r == TP_OK)
        r = put_list(out, TAG_EV_CDOL1, TAG_CDOL1, TAG_EV_CDOL1_VALUES, get, ctx);
    return r == TP_OK ? put_list(out, TAG_EV_CDOL2, TAG_CDOL2, TAG_EV_CDOL2_VALUES, get, ctx) : r;
}

enum tp_err message_presence(struct buf *out, payment_get *get, const void *ctx)
{
    static const uint32_t tags[] = {TAG_CA_INDEX,        TAG_ISSUER_CERT, TAG_ISSUER_REMAINDER,
                                    TAG_ISSUER_EXPONENT, TAG_ICC_CERT,    TAG_ICC_REMAINDER,
                                    TAG_ICC_EXPONENT,    TAG_EV_STATIC,   TAG_EV_DDOL_VALUES,
                                    TAG_EV_DDA_SDAD};

    return put_objects(out, tags, COUNT(tags), get, ctx);
}

static bool asks_for(struct span list, uint32_t tag)
{
    struct dol_entry entry;

    while (dol_next(&list, &entry) == TP_OK)
        if (entry.tag == tag)
            return true;
    return false;
}

bool message_names_payee(payment_get *get, const void *ctx)
{
    return asks_for(get(ctx, TAG_CDOL1), TAG_MERCHANT_CUSTOM) ||
           asks_for(get(ctx, TAG_CDOL2), TAG_MERCHANT_CUSTOM);
}

/* The payee, where the card signed it. */
static enum tp_err put_payee(struct buf *out, payment_get *get, const void *ctx)
{
    static const uint32_t payee[] = {TAG_MERCHANT_CUSTOM};

    return message_names_payee(get, ctx) ? put_objects(out, payee, COUNT(payee), get, ctx) : TP_OK;
}

/* DE 2, 14, 23: from the card. */
static enum tp_err set_card(struct iso8583 *m, payment_get *get, const void *ctx,
                            struct tp_error *e)
{
    const struct span pan = get(ctx, TAG_PAN), expiry = get(ctx, TAG_EXPIRY),
                      psn = get(ctx, TAG_PAN_SEQUENCE);
    char digits[2 * 10 + 1];
    uint64_t number;

    if (pan.n == 0 || pan.n > 10 || bcd_get_cn(pan, digits) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT, "the card gave no card number that can be read");
    if (expiry.n != 3 || bcd_get(span_of(expiry.p, 2), &number) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT, "the card gave no expiry date that can be read");
    iso8583_set_text(m, 2, digits);
    secret_wipe(digits, sizeof(digits));
    iso8583_set_number(m, 14, number);
    if (psn.n != 1)
        return TP_OK;
    if (bcd_get(psn, &number) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT, "the card gave a sequence number that is none");
    iso8583_set_number(m, 23, number);
    return TP_OK;
}

/* The rest: from the terminal and the request. */
static void set_terminal(struct iso8583 *m, const struct terminal *terminal,
                         const struct transaction_request *rq, unsigned stan, time_t now)
{
    const struct terminal_config *k = &terminal->kernel;

    iso8583_set_number(m, 3, rq->type == TYPE_REFUND ? 200000 : 0);
    iso8583_set_number(m, 4, (uint64_t)rq->amount);
    iso8583_set_instant(m, now);
    iso8583_set_number(m, 11, stan);
    iso8583_set_number(m, 12, (uint64_t)rq->time);
    iso8583_set_number(m, 13, (uint64_t)rq->date % 10000);
    iso8583_set_number(m, 18, k->mcc);
    iso8583_set_text(m, 22, "051");
    iso8583_set_text(m, 25, "00");
    iso8583_set_text(m, 41, k->terminal_id);
    iso8583_set_text(m, 42, k->merchant_id);
    iso8583_set_number(m, 49, rq->currency);
}

struct workplace { /* too large for a stack frame of its own liking, and holds a card number */
    struct iso8583 m;
    uint8_t de55[DE55_MAX], evidence[ISO8583_EVIDENCE_MAX];
};

static enum tp_err fill(struct workplace *w, const struct terminal *terminal,
                        const struct transaction_request *request, const char *undoes,
                        unsigned stan, time_t now, payment_get *get, const void *ctx,
                        struct tp_error *e)
{
    struct buf de55 = BUF_OF(w->de55), evidence = BUF_OF(w->evidence);
    enum tp_err r;

    iso8583_start(&w->m, MTI_FINANCIAL);
    r = set_card(&w->m, get, ctx, e);
    if (r != TP_OK)
        return r;
    set_terminal(&w->m, terminal, request, stan, now);
    if (undoes[0] != '\0')
        iso8583_set_text(&w->m, 37, undoes);
    r = put_objects(&de55, de55_tags, COUNT(de55_tags), get, ctx);
    if (r == TP_OK)
        r = put_payee(&de55, get, ctx);
    if (r == TP_OK)
        r = put_evidence(&evidence, get, ctx);
    iso8583_set(&w->m, 55, buf_span(&de55));
    iso8583_evidence_split(&w->m, buf_span(&evidence));
    if (r == TP_OK)
        r = iso8583_fault(&w->m, NULL);
    if (r != TP_OK)
        return tp_fail(e, r, "what the card signed does not fit the message to the acquirer");
    return TP_OK;
}

enum tp_err message_build(struct buf *out, const struct terminal *terminal,
                          const struct transaction_request *request, const char *undoes,
                          unsigned stan, time_t now, payment_get *get, const void *ctx,
                          struct tp_error *e)
{
    struct workplace *w = calloc(1, sizeof(*w));
    enum tp_err r;

    if (w == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for the message to the acquirer");
    r = fill(w, terminal, request, undoes, stan, now, get, ctx, e);
    if (r == TP_OK)
        r = iso8583_pack(out, &w->m, e);
    secret_wipe(w, sizeof(*w));
    free(w);
    return r;
}

static enum tp_err fill_reversal(struct iso8583 *m, const struct iso8583 *of, unsigned stan,
                                 time_t now)
{
    char original[64], number[8], sent[12];
    enum tp_err r;

    iso8583_start(m, MTI_REVERSAL);
    profile_forward(PROFILE_TERMINAL, m, of);
    if ((r = iso8583_text(of, 11, number, sizeof(number))) != TP_OK ||
        (r = iso8583_text(of, 7, sent, sizeof(sent))) != TP_OK)
        return r;
    snprintf(original, sizeof(original), "0200%s%s%022u", number, sent,
             0U); /* type, number and instant of the original, and no institutions */
    iso8583_set_instant(m, now);
    iso8583_set_number(m, 11, stan);
    iso8583_set_text(m, 90, original);
    return iso8583_fault(m, NULL);
}

enum tp_err message_reversal(struct buf *out, struct span original, unsigned stan, time_t now,
                             struct tp_error *e)
{
    struct iso8583 *both = calloc(2, sizeof(*both));
    enum tp_err r;

    if (both == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a reversal");
    r = iso8583_unpack(&both[0], original, e);
    if (r == TP_OK && (r = fill_reversal(&both[1], &both[0], stan, now)) != TP_OK)
        tp_fail(e, r, "the reversal of a payment cannot be made");
    if (r == TP_OK)
        r = iso8583_pack(out, &both[1], e);
    secret_wipe(both, 2 * sizeof(*both));
    free(both);
    return r;
}

static enum tp_err fill_void(struct iso8583 *m, const struct receipt *of, unsigned stan, time_t now)
{
    char original[64];

    iso8583_start(m, MTI_REVERSAL);
    iso8583_set_number(m, 3, of->type == TYPE_REFUND ? 200000 : 0);
    iso8583_set_number(m, 4, (uint64_t)of->amount);
    iso8583_set_instant(m, now);
    iso8583_set_number(m, 11, stan);
    iso8583_set_number(m, 12, (uint64_t)of->time);
    iso8583_set_number(m, 13, (uint64_t)of->date % 10000);
    iso8583_set_text(m, 41, of->terminal);
    iso8583_set_text(m, 42, of->contract);
    iso8583_set_number(m, 49, of->currency);
    snprintf(original, sizeof(original), "0200%06u%032u", of->stan, 0U);
    iso8583_set_text(m, 90, original);
    return iso8583_fault(m, NULL);
}

enum tp_err message_void(struct buf *out, const struct receipt *of, unsigned stan, time_t now,
                         struct tp_error *e)
{
    struct iso8583 *m = calloc(1, sizeof(*m));
    enum tp_err r;

    if (m == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a reversal");
    r = fill_void(m, of, stan, now);
    r = r == TP_OK ? iso8583_pack(out, m, e)
                   : tp_fail(e, r, "the reversal of payment %06u cannot be made", of->stan);
    free(m);
    return r;
}

void message_make_repeat(struct buf *message)
{
    if (message->n >= 2) /* the MTI is the first four digits: 0200 → 0201, 0400 → 0401 */
        message->p[1] = 0x01;
}

/* An answer echoes what it answers, so that one that was meant for another payment is not taken for
 * this one's. */
static enum tp_err compare(const struct iso8583 *answer, const struct iso8583 *message,
                           struct tp_error *e)
{
    unsigned field;

    if (answer->mti != message->mti - message->mti % 10 + 10)
        return tp_fail(e, TP_ERR_PEER,
                       "the acquirer answered a message of type %04u with one of type %04u",
                       message->mti, answer->mti);
    field = profile_missing(PROFILE_TERMINAL, answer);
    if (field != 0)
        return tp_fail(e, TP_ERR_PEER, "the acquirer's answer lacks its field %u (%s)", field,
                       iso8583_field(field)->name);
    field = profile_differs(PROFILE_TERMINAL, answer, message);
    return field == 0
               ? TP_OK
               : tp_fail(e, TP_ERR_PEER,
                         "the acquirer's answer is of another payment: its field %u (%s) differs",
                         field, iso8583_field(field)->name);
}

static enum tp_err take(struct wire_answer *a, const struct iso8583 *m, struct tp_error *e)
{
    if (wire_answer_read(a, m, e) != TP_OK) {
        tp_error_prefix(e, "the acquirer's answer cannot be used");
        return TP_ERR_PEER;
    }
    if (m->mti == MTI_FINANCIAL_RESPONSE && wire_answer_is_yes(a) && a->rrn[0] == '\0')
        return tp_fail(e, TP_ERR_PEER, "the acquirer acknowledged without a reference (field 37)");
    return TP_OK;
}

enum tp_err answer_unpack(struct iso8583 *m, struct wire_answer *a, struct span raw,
                          struct span message, struct tp_error *e)
{
    struct iso8583 *sent = calloc(1, sizeof(*sent));
    enum tp_err r;

    if (sent == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory to read the acquirer's answer");
    if (iso8583_unpack(m, raw, e) != TP_OK) {
        tp_error_prefix(e, "the acquirer answered nonsense");
        r = TP_ERR_PEER;
        if (e != NULL)
            e->code = r;
    } else if ((r = iso8583_unpack(sent, message, e)) == TP_OK &&
               (r = compare(m, sent, e)) == TP_OK)
        r = take(a, m, e);
    secret_wipe(sent, sizeof(*sent));
    free(sent);
    return r;
}

enum tp_err answer_parse(struct wire_answer *a, struct span raw, struct span message,
                         struct tp_error *e)
{
    struct iso8583 *m = calloc(1, sizeof(*m));
    enum tp_err r;

    if (m == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory to read the acquirer's answer");
    r = answer_unpack(m, a, raw, message, e);
    secret_wipe(m, sizeof(*m));
    free(m);
    return r;
}

/* The codes of ISO 8583:1987 as French acquirers and issuers use them. */
static const struct code {
    char code[3];
    bool open; /* nothing is decided: it may be sent again, and is kept until then */
    const char *text;
    const char *issuer; /* when the issuer says it, NULL: the same */
    const char *french; /* as French acquirers publish it, whoever says it */
} codes[] = {
    {"00", false, "acknowledged", NULL, "transaction approuvée"},
    {"02", false, "the card's issuer wants to be called", NULL, "contacter l'émetteur de la carte"},
    {"03", false, "the contract is not known to the acquirer, or closed",
     "the card's issuer does not know the merchant", "accepteur invalide"},
    {"04", false, "the card is to be kept", NULL, "conserver la carte"},
    {"05", false, "the payment is not honoured", "the card's issuer does not honour the payment",
     "ne pas honorer"},
    {"07", false, "the card is to be kept, under special conditions", NULL,
     "conserver la carte, conditions spéciales"},
    {"08", false, "the cardholder must be identified first, which nobody does here", NULL,
     "approuver après identification"},
    {"10", false, "a part only is approved, which is not what was asked", NULL,
     "approuvée pour une partie du montant"},
    {"11", false, "it is approved as for a person of distinction, which is not what was asked",
     NULL, "approuvée, personne de marque"},
    {"12", false, "the acquirer does not accept this kind of transaction",
     "the card's issuer does not accept this kind of transaction", "transaction invalide"},
    {"13", false, "the acquirer does not accept this amount",
     "the card's issuer does not accept this amount", "montant invalide"},
    {"14", false, "the card number is not known", "the card's issuer does not know the card number",
     "numéro de porteur invalide"},
    {"15", false, "the card's issuer is not known", NULL, "émetteur de carte inconnu"},
    {"17", false, "the cardholder gave up", NULL, "annulation client"},
    {"19", true, "it is to be tried again later", NULL, "répéter la transaction ultérieurement"},
    {"20", false, "the server answered wrongly", NULL, "réponse erronée (domaine serveur)"},
    {"24", false, "updating of files is not served", NULL, "mise à jour de fichier non supportée"},
    {"25", false, "the record is not found in the file", NULL,
     "enregistrement introuvable dans le fichier"},
    {"26", false, "the record is there twice; the older one is replaced", NULL,
     "enregistrement en double, l'ancien est remplacé"},
    {"27", false, "a field of the update of a file is wrong", NULL,
     "erreur dans un champ de la mise à jour de fichier"},
    {"28", false, "the file is locked", NULL, "fichier verrouillé"},
    {"29", false, "the update of a file failed", NULL, "mise à jour de fichier refusée"},
    {"30", false, "the acquirer cannot read the message",
     "the card's issuer cannot read the message", "erreur de format"},
    {"31", false, "the acquirer's institution is not known", NULL,
     "identifiant de l'organisme acquéreur inconnu"},
    {"33", false, "the card has expired", NULL, "date de validité de la carte dépassée"},
    {"34", false, "fraud is suspected", NULL, "suspicion de fraude"},
    {"38", false, "the card has expired", NULL, "date de validité de la carte dépassée"},
    {"41", false, "the card is reported lost", NULL, "carte perdue"},
    {"43", false, "the card is reported stolen", NULL, "carte volée"},
    {"51", false, "the account has not enough funds", NULL,
     "provision insuffisante ou crédit dépassé"},
    {"54", false, "the card has expired", NULL, "date de validité de la carte dépassée"},
    {"55", false, "the cardholder was not verified", NULL, "code confidentiel erroné"},
    {"56", false, "the card is not in the file", NULL, "carte absente du fichier"},
    {"57", false, "this transaction is not permitted to this card", NULL,
     "transaction non permise à ce porteur"},
    {"58", false, "this transaction is not permitted to this terminal", NULL,
     "transaction interdite au terminal"},
    {"59", false, "fraud is suspected", NULL, "suspicion de fraude"},
    {"60", false, "the merchant must contact the acquirer", NULL,
     "l'accepteur de carte doit contacter l'acquéreur"},
    {"61", false, "the amount is over a limit of the contract",
     "the amount is over a limit of the card", "montant hors limite"},
    {"62", false, "the card is blocked", NULL, "carte bloquée"},
    {"63", false, "the card's signature or a certificate fails", "the card's cryptogram fails",
     "règles de sécurité non respectées"},
    {"68", true, "an answer came too late, or not at all", NULL,
     "réponse non parvenue ou reçue trop tard"},
    {"75", false, "the PIN was tried too often", NULL,
     "nombre d'essais du code confidentiel dépassé"},
    {"76", false, "the card is reported already, and the older report stays", NULL,
     "porteur déjà en opposition, ancien enregistrement conservé"},
    {"90", true, "the system is stopped for a moment", NULL, "arrêt momentané du système"},
    {"91", true, "the amount needs the card's issuer, who cannot be reached", NULL,
     "émetteur de cartes inaccessible"},
    {"94", false, "the acquirer has another transaction under the same number",
     "the card's issuer has another transaction under the same number", "transaction dupliquée"},
    {"96", true, "the acquirer has a fault of its own and kept nothing",
     "the card's issuer has a fault of its own", "mauvais fonctionnement du système"},
    {"97", true, "the time for all of it ran out", NULL,
     "échéance de la temporisation de surveillance globale"},
    {"98", true, "the server is not there, and another way is to be tried", NULL,
     "serveur indisponible, routage réseau demandé à nouveau"},
    {"99", true, "something went wrong where the payment began", NULL,
     "incident domaine initiateur"},
};

static const struct code *code_find(const char *code)
{
    for (size_t i = 0; i < COUNT(codes); i++)
        if (strcmp(code, codes[i].code) == 0)
            return &codes[i];
    return NULL;
}

bool answer_is_final(const struct wire_answer *a)
{
    const struct code *c = code_find(a->code);

    return c == NULL || !c->open;
}

bool answer_of_issuer(const struct wire_answer *a)
{
    return strcmp(a->reason, "ISSUER") == 0 || strcmp(a->reason, "ISSUER_REFUSED") == 0;
}

const char *answer_text(const char *code, bool issuer)
{
    const struct code *c = code_find(code);

    if (c == NULL)
        return issuer ? "the card's issuer refuses with a code that has no meaning here"
                      : "the acquirer refuses with a code that has no meaning here";
    return issuer && c->issuer != NULL ? c->issuer : c->text;
}

/* What the acquirer says of refunds and reversals in DE 44, where its code says too little. */
static const struct word {
    const char *reason, *text, *french;
} words[] = {
    {"CREDIT", "the contract takes no refunds", "le contrat n'accepte pas de crédits"},
    {"REFUND_ALONE", "the contract takes refunds of payments only: name the payment",
     "le contrat n'accepte que le crédit d'un paiement : le désigner"},
    {"REFUND_UNKNOWN", "the contract has no payment of that reference",
     "le contrat n'a pas de paiement de cette référence"},
    {"REFUND_OF_REFUND", "what is to be refunded is a refund itself",
     "ce qui est à rembourser est lui-même un crédit"},
    {"REFUND_REVERSED", "the payment was taken back: there is nothing to refund",
     "le paiement a été annulé : rien à rembourser"},
    {"REFUND_REJECTED", "the payment was never collected: there is nothing to refund",
     "le paiement n'a pas été encaissé : rien à rembourser"},
    {"REFUND_CARD", "another card made the payment: the refund goes to that one alone",
     "une autre carte a payé : le crédit ne va qu'à celle-là"},
    {"REFUND_AMOUNT", "the refund is of more than is left of the payment",
     "le crédit dépasse ce qui reste du paiement"},
    {"CREDIT_DAY", "the refund is over what the contract gives back on a day",
     "le crédit dépasse ce que le contrat rembourse en un jour"},
    {"CREDIT_UNPAID", "the refund is over what the card has paid here and not got back",
     "le crédit dépasse ce que la carte a payé ici et n'a pas récupéré"},
    {"REMISE_CLOSED", "the payment is in a closed remise: refund it instead",
     "le paiement est dans une remise close : le rembourser par un crédit"},
    {"CREDITED", "the payment has been refunded already", "le paiement a déjà été remboursé"},
};

static const struct word *word_find(const struct wire_answer *a)
{
    for (size_t i = 0; i < COUNT(words) && a->code[0] != '9'; i++)
        if (strcmp(a->reason, words[i].reason) == 0)
            return &words[i];
    return NULL;
}

const char *answer_words(const struct wire_answer *a)
{
    const struct word *w = word_find(a);

    return w != NULL ? w->text : answer_text(a->code, answer_of_issuer(a));
}

const char *answer_words_french(const struct wire_answer *a)
{
    const struct word *w = word_find(a);
    const struct code *c = code_find(a->code);

    return w != NULL ? w->french : c != NULL ? c->french : "refus sans signification connue";
}
