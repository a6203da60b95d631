/* Writing caaa documents with xmlTextWriter, and caaa.011 itself. All that is written comes from
 * the caller: no clock, no time zone, no chance, so that a remise that is sent again is the same to
 * the last byte (doc/design.md, Remises, rule 2). */
#include "wire/caaa_priv.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/emvbits.h"
#include "apdu/tlv.h"
#include "base/mask.h"
#include "base/secret.h"

#define ICC_MAX   10000 /* Max10000Binary */
#define WHOLE_MAX 2048  /* an element that is written as one piece */

/* ---- the common ground of both documents ---- */

/* An error of the sink is kept and told by caaa_writer_check: told to libxml2 it would go to
 * stderr. */
static int push(void *ctx, const char *bytes, int n)
{
    struct caaa_writer *w = ctx;

    if (!w->stopped && w->sink_error == TP_OK)
        w->sink_error = w->sink.write(w->sink.ctx, span_of(bytes, (size_t)n));
    return n;
}

static void note(struct caaa_writer *w, int result)
{
    w->failed |= result < 0;
}

void caaa_open(struct caaa_writer *w, const char *name)
{
    note(w, xmlTextWriterStartElement(w->x, (const xmlChar *)name));
}

void caaa_close(struct caaa_writer *w)
{
    note(w, xmlTextWriterEndElement(w->x));
}

/* Most texts are digits and codes: such an element goes out as one piece, of the same bytes. What
 * libxml2 would escape, leave out or need room for is left to it. */
static bool put_whole(struct caaa_writer *w, const char *name, const char *text)
{
    char whole[WHOLE_MAX], *at = whole;
    const size_t n = strlen(text);

    if (n == 0 || 2 * strlen(name) + n + sizeof("<></>") > sizeof(whole) ||
        strcspn(text, "<>&\"\r") != n)
        return false;
    *at++ = '<';
    at = stpcpy(at, name);
    *at++ = '>';
    at = stpcpy(at, text);
    *at++ = '<';
    *at++ = '/';
    at = stpcpy(at, name);
    *at++ = '>';
    note(w, xmlTextWriterWriteRawLen(w->x, (const xmlChar *)whole, (int)(at - whole)));
    secret_wipe(whole, (size_t)(at - whole)); /* one of them is a card's number */
    return true;
}

void caaa_text(struct caaa_writer *w, const char *name, const char *text)
{
    if (!put_whole(w, name, text))
        note(w, xmlTextWriterWriteElement(w->x, (const xmlChar *)name, (const xmlChar *)text));
}

void caaa_number(struct caaa_writer *w, const char *name, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    caaa_text(w, name, text);
}

static void caaa_amount(struct caaa_writer *w, const char *name, int64_t minor)
{
    char text[MONEY_TEXT_MAX];

    caaa_text(w, name, money_format(text, minor, w->currency));
}

static void caaa_time(struct caaa_writer *w, const char *name, time_t t)
{
    char text[CAAA_DATE_MAX];
    struct tm utc;

    gmtime_r(&t, &utc);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
    caaa_text(w, name, text);
}

static void caaa_local(struct caaa_writer *w, const char *name, int64_t local)
{
    const unsigned day = (unsigned)(local / 1000000), time = (unsigned)(local % 1000000);
    char text[48];

    snprintf(text, sizeof(text), "%04u-%02u-%02uT%02u:%02u:%02u", day / 10000, day / 100 % 100,
             day % 100, time / 10000, time / 100 % 100, time % 100);
    caaa_text(w, name, text);
}

void caaa_end_line(struct caaa_writer *w)
{
    note(w, xmlTextWriterWriteRaw(w->x, (const xmlChar *)"\n"));
}

/* Debits and credits always, annulations when there are some. */
void caaa_totals_lines(struct caaa_writer *w, const struct caaa_totals *t)
{
    for (enum caaa_kind k = 0; k < CAAA_KINDS; k++) {
        if (t->count[k] == 0 && k >= CAAA_DEBIT_REVERSED)
            continue;
        caaa_open(w, "TxTtls");
        caaa_text(w, "Ccy", w->currency->alpha);
        caaa_text(w, "Tp", caaa_kind_code(k));
        caaa_number(w, "TtlNb", t->count[k]);
        caaa_amount(w, "CmltvAmt", t->amount[k]);
        caaa_close(w);
    }
}

static void party(struct caaa_writer *w, const char *name, const char *id, const char *type)
{
    caaa_open(w, name);
    caaa_text(w, "Id", id);
    caaa_text(w, "Tp", type);
    caaa_close(w);
}

void caaa_header(struct caaa_writer *w, uint32_t number, time_t made, const char *acquirer)
{
    caaa_open(w, "Hdr");
    caaa_text(w, "DwnldTrf", "false");
    caaa_text(w, "FrmtVrsn", CAAA_VERSION);
    caaa_number(w, "XchgId", number);
    caaa_time(w, "CreDtTm", made);
    party(w, "InitgPty", acquirer, "ACQR");
    caaa_close(w);
    caaa_end_line(w);
}

void caaa_set_name(char out[CAAA_SET_MAX], const char *contract, uint32_t number)
{
    snprintf(out, CAAA_SET_MAX, "%s-%06" PRIu32, contract, number);
}

void caaa_set_id(struct caaa_writer *w, const char *contract, uint32_t number, const char *type,
                 time_t created)
{
    char name[CAAA_SET_MAX];

    caaa_set_name(name, contract, number);
    caaa_open(w, "DataSetId");
    caaa_text(w, "Nm", name);
    caaa_text(w, "Tp", type);
    caaa_time(w, "CreDtTm", created);
    caaa_close(w);
}

void caaa_transaction_id(struct caaa_writer *w, int64_t local_time, uint32_t stan)
{
    char text[12];

    snprintf(text, sizeof(text), "%06" PRIu32, stan);
    caaa_open(w, "TxId");
    caaa_local(w, "TxDtTm", local_time);
    caaa_text(w, "TxRef", text);
    caaa_close(w);
}

enum tp_err caaa_writer_new(struct caaa_writer **out, const struct caaa_sink *sink, const char *ns,
                            const char *message, struct tp_error *e)
{
    struct caaa_writer *w = calloc(1, sizeof(*w));
    xmlOutputBufferPtr buffer = NULL;

    *out = NULL;
    if (w == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    w->sink = *sink;
    buffer = xmlOutputBufferCreateIO(push, NULL, w, NULL);
    w->x = buffer != NULL ? xmlNewTextWriter(buffer) : NULL;
    if (w->x == NULL) {
        if (buffer != NULL)
            xmlOutputBufferClose(buffer);
        free(w);
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    }
    note(w, xmlTextWriterStartDocument(w->x, NULL, "UTF-8", NULL));
    note(w,
         xmlTextWriterStartElementNS(w->x, NULL, (const xmlChar *)"Document", (const xmlChar *)ns));
    caaa_open(w, message);
    *out = w;
    return TP_OK;
}

enum tp_err caaa_writer_check(const struct caaa_writer *w, struct tp_error *e)
{
    if (w->sink_error != TP_OK)
        return tp_fail(e, w->sink_error, "cannot write the document: %s",
                       tp_err_text(w->sink_error));
    return w->failed ? tp_fail(e, TP_ERR_INTERNAL, "cannot write the document: libxml2 refuses")
                     : TP_OK;
}

enum tp_err caaa_writer_end(struct caaa_writer *w, struct tp_error *e)
{
    note(w, xmlTextWriterEndDocument(w->x)); /* closes what is open */
    note(w, xmlTextWriterFlush(w->x));
    w->stopped = true;
    return caaa_writer_check(w, e);
}

void caaa_writer_free(struct caaa_writer **w)
{
    if (*w == NULL)
        return;
    (*w)->stopped = true;
    xmlFreeTextWriter((*w)->x);
    secret_wipe((*w)->encoded, sizeof((*w)->encoded));
    free(*w);
    *w = NULL;
}

/* ---- caaa.011 ---- */

static void common_data(struct caaa_writer *w, const struct caaa_remise *r)
{
    char mcc[8], number[12];

    snprintf(mcc, sizeof(mcc), "%04u", r->mcc % 10000);
    snprintf(number, sizeof(number), "%06" PRIu32, r->number);
    caaa_open(w, "CmonData");
    caaa_open(w, "Envt");
    caaa_open(w, "Acqrr");
    party(w, "Id", r->acquirer, "ACQR");
    caaa_close(w);
    caaa_open(w, "Mrchnt");
    party(w, "Id", r->contract, "MERC");
    if (r->name[0] != '\0')
        caaa_text(w, "CmonNm", r->name);
    caaa_close(w);
    caaa_close(w);
    caaa_open(w, "Cntxt");
    caaa_open(w, "PmtCntxt");
    caaa_text(w, "CardPres", r->by_account ? "false" : "true");
    caaa_text(w, "CrdhldrPres", r->by_account ? "false" : "true");
    if (!r->by_account)
        caaa_text(w, "CardDataNtryMd", "CICC");
    caaa_close(w);
    caaa_close(w);
    if (!r->by_account)
        caaa_text(w, "MrchntCtgyCd", mcc);
    caaa_text(w, "RcncltnId", number);
    caaa_text(w, "Ccy", r->currency->alpha);
    caaa_close(w);
}

enum tp_err caaa_transfer_begin(struct caaa_writer **out, const struct caaa_sink *sink,
                                const struct caaa_remise *r, struct tp_error *e)
{
    struct caaa_writer *w;
    enum tp_err err = caaa_writer_new(&w, sink, CAAA_NS_TRANSFER, "AccptrBtchTrf", e);

    *out = w;
    if (err != TP_OK)
        return err;
    w->currency = r->currency;
    w->by_account = r->by_account;
    w->next = 1;
    caaa_header(w, r->number, r->created, r->acquirer);
    caaa_open(w, "BtchTrf");
    caaa_totals_lines(w, &r->totals);
    caaa_open(w, "DataSet");
    caaa_set_id(w, r->contract, r->number, "TXCP", r->created);
    caaa_totals_lines(w, &r->totals);
    common_data(w, r);
    caaa_end_line(w);
    return caaa_writer_check(w, e);
}

/* 9F34 byte 1, EMV 4.4 Book 3, C3: what the cardholder did, in the words of
 * AuthenticationMethod8Code; NULL for nothing or the unknown. */
static const char *authentication(struct span icc)
{
    struct tlv cvm;

    if (tlv_find(icc, 0x9F34, &cvm) != TP_OK || cvm.value.n != 3 ||
        cvm.value.p[2] == CVM_RESULT_FAILED)
        return NULL;
    switch (cvm.value.p[0] & CVM_CODE) {
    case CVM_PLAINTEXT_PIN:
    case CVM_ENCIPHERED_PIN:
        return "FPIN";
    case CVM_ONLINE_PIN:
        return "NPIN";
    case CVM_SIGNATURE:
        return "PPSG";
    default:
        return NULL;
    }
}

static void card_environment(struct caaa_writer *w, const struct caaa_item *item)
{
    const char *method = authentication(item->icc);
    char text[16], masked[PAN_TEXT_MAX];

    caaa_open(w, "POI");
    party(w, "Id", item->terminal, "OPOI");
    caaa_close(w);
    caaa_open(w, "Card");
    caaa_open(w, "PlainCardData");
    caaa_text(w, "PAN", item->pan);
    snprintf(text, sizeof(text), "%02u", item->psn % 100U);
    caaa_text(w, "CardSeqNb", text);
    snprintf(text, sizeof(text), "%04u-%02u", (unsigned)item->expiry / 10000U % 10000U,
             (unsigned)item->expiry / 100U % 100U);
    caaa_text(w, "XpryDt", text);
    caaa_close(w);
    caaa_text(w, "MskdPAN", mask_pan(masked, item->pan));
    caaa_close(w);
    if (method != NULL) {
        caaa_open(w, "Crdhldr");
        caaa_open(w, "Authntcn");
        caaa_text(w, "AuthntcnMtd", method);
        caaa_close(w);
        caaa_close(w);
    }
}

static void account_environment(struct caaa_writer *w, const struct caaa_item *item)
{
    caaa_open(w, "StordValAcct");
    caaa_text(w, "AcctTp", "ELMY");
    caaa_text(w, "IdTp", "ACCT");
    caaa_text(w, "Id", item->account);
    caaa_close(w);
}

static void environment(struct caaa_writer *w, const struct caaa_item *item)
{
    caaa_open(w, "Envt");
    if (w->by_account)
        account_environment(w, item);
    else
        card_environment(w, item);
    caaa_close(w);
}

/* The card itself approved (TC), or its issuer under a code, or the acquirer whose the account is;
 * and the acquirer acknowledged with DE 39 = 00. */
static void authorisation(struct caaa_writer *w, const struct caaa_item *item)
{
    const bool issuer = item->approval[0] != '\0';

    caaa_open(w, "AuthstnRslt");
    caaa_open(w, "AuthstnNtty");
    caaa_text(w, "Tp", w->by_account ? "ACQR" : issuer ? "CISS" : "ICCA");
    caaa_close(w);
    caaa_open(w, "RspnToAuthstn");
    caaa_text(w, "Rspn", "APPR");
    caaa_text(w, "RspnRsn", "00");
    caaa_close(w);
    if (issuer)
        caaa_text(w, "AuthstnCd", item->approval);
    caaa_close(w);
}

static void encoded(struct caaa_writer *w, const char *name, struct span bytes)
{
    EVP_EncodeBlock((unsigned char *)w->encoded, bytes.p, (int)bytes.n);
    caaa_text(w, name, w->encoded);
}

static void signed_text(struct caaa_writer *w, const char *id, struct span text)
{
    if (text.n == 0)
        return;
    caaa_open(w, "AddtlInf");
    caaa_text(w, "Id", id);
    encoded(w, "Val", text);
    caaa_close(w);
}

static void transaction(struct caaa_writer *w, const struct caaa_item *item)
{
    caaa_open(w, "Tx");
    caaa_text(w, "TxCaptr", "true");
    caaa_text(w, "TxTp", item->kind == CAAA_CREDIT ? "RFND" : "CRDP");
    caaa_transaction_id(w, item->local_time, item->stan);
    caaa_text(w, "TxSucss", "true");
    caaa_text(w, "RcptTxId", item->rrn);
    caaa_open(w, "TxDtls");
    caaa_text(w, "Ccy", w->currency->alpha);
    caaa_amount(w, "TtlAmt", item->amount);
    caaa_text(w, "AmtQlfr", "ACTL");
    signed_text(w, CAAA_SIGNED_CHALLENGE, item->challenge);
    signed_text(w, item->voucher ? CAAA_SIGNED_VOUCHER : CAAA_SIGNED_PAYMENT, item->statement);
    if (item->icc.n > 0)
        encoded(w, "ICCRltdData", item->icc);
    caaa_close(w);
    authorisation(w, item);
    caaa_close(w);
}

enum tp_err caaa_transfer_item(struct caaa_writer *w, const struct caaa_item *item,
                               struct tp_error *e)
{
    if (item->sequence != w->next)
        return tp_fail(e, TP_ERR_STATE,
                       "item %" PRIu32 " of the remise comes where %" PRIu32 " belongs",
                       item->sequence, w->next);
    if (item->kind > CAAA_CREDIT || item->icc.n > ICC_MAX || item->amount < 0 ||
        item->statement.n > CAAA_SIGNED_MAX || item->challenge.n > CAAA_SIGNED_MAX ||
        w->by_account != (item->account[0] != '\0'))
        return tp_fail(e, TP_ERR_RANGE, "item %" PRIu32 " of the remise has no place in it",
                       item->sequence);
    w->next++;
    caaa_open(w, "Tx");
    caaa_open(w, "Cmpltn");
    caaa_number(w, "TxSeqCntr", item->sequence);
    environment(w, item);
    transaction(w, item);
    caaa_close(w);
    caaa_close(w);
    caaa_end_line(w);
    return caaa_writer_check(w, e);
}

enum tp_err caaa_transfer_end(struct caaa_writer *w, struct tp_error *e)
{
    return caaa_writer_end(w, e);
}
