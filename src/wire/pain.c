#include "wire/pain.h"

#include <stdio.h>

#include "base/date.h"
#include "wire/caaa_priv.h"

#define NS_TRANSFER "urn:iso:std:iso:20022:tech:xsd:pain.001.001.12"

static void amount_text(struct caaa_writer *w, const char *name, int64_t minor)
{
    char text[MONEY_TEXT_MAX];

    caaa_text(w, name, money_format(text, minor, w->currency));
}

static void party(struct caaa_writer *w, const char *element, const char *name)
{
    caaa_open(w, element);
    caaa_text(w, "Nm", name);
    caaa_close(w);
}

static void account(struct caaa_writer *w, const char *element, const char *iban)
{
    caaa_open(w, element);
    caaa_open(w, "Id");
    caaa_text(w, "IBAN", iban);
    caaa_close(w);
    caaa_close(w);
}

static void bank(struct caaa_writer *w, const char *bic)
{
    caaa_open(w, "DbtrAgt");
    caaa_open(w, "FinInstnId");
    if (bic[0] != '\0') {
        caaa_text(w, "BICFI", bic);
    } else { /* as banks have agreed to say that the account says it */
        caaa_open(w, "Othr");
        caaa_text(w, "Id", "NOTPROVIDED");
        caaa_close(w);
    }
    caaa_close(w);
    caaa_close(w);
}

static void totals(struct caaa_writer *w, const struct pain_head *head)
{
    caaa_number(w, "NbOfTxs", head->count);
    amount_text(w, "CtrlSum", head->sum);
}

enum tp_err pain_start(struct caaa_writer **out, const struct caaa_sink *sink,
                       const struct pain_head *head, struct tp_error *e)
{
    char made[TIME_TEXT_MAX], day[DATE_TEXT_MAX];
    struct caaa_writer *w = NULL;
    const enum tp_err r = caaa_writer_new(&w, sink, NS_TRANSFER, "CstmrCdtTrfInitn", e);

    *out = w;
    if (r != TP_OK)
        return r;
    w->currency = head->currency;
    caaa_open(w, "GrpHdr");
    caaa_text(w, "MsgId", head->id);
    caaa_text(w, "CreDtTm", time_format_utc(made, head->made));
    totals(w, head);
    party(w, "InitgPty", head->name);
    caaa_close(w);
    caaa_end_line(w);
    caaa_open(w, "PmtInf");
    caaa_text(w, "PmtInfId", head->id);
    caaa_text(w, "PmtMtd", "TRF");
    totals(w, head);
    caaa_open(w, "ReqdExctnDt");
    caaa_text(w, "Dt", date_format(day, date_of(head->made)));
    caaa_close(w);
    party(w, "Dbtr", head->name);
    account(w, "DbtrAcct", head->iban);
    bank(w, head->bic);
    caaa_end_line(w);
    return caaa_writer_check(w, e);
}

enum tp_err pain_transfer(struct caaa_writer *w, const struct pain_transfer *t, struct tp_error *e)
{
    char text[MONEY_TEXT_MAX];

    caaa_open(w, "CdtTrfTxInf");
    caaa_open(w, "PmtId");
    caaa_text(w, "EndToEndId", t->id);
    caaa_close(w);
    caaa_open(w, "Amt");
    caaa_open(w, "InstdAmt");
    w->failed |= xmlTextWriterWriteAttribute(w->x, (const xmlChar *)"Ccy",
                                             (const xmlChar *)w->currency->alpha) < 0 ||
                 xmlTextWriterWriteString(
                     w->x, (const xmlChar *)money_format(text, t->amount, w->currency)) < 0;
    caaa_close(w);
    caaa_close(w);
    party(w, "Cdtr", t->name);
    account(w, "CdtrAcct", t->iban);
    caaa_open(w, "RmtInf");
    caaa_text(w, "Ustrd", t->text);
    caaa_close(w);
    caaa_close(w);
    caaa_end_line(w);
    return caaa_writer_check(w, e);
}

enum tp_err pain_end(struct caaa_writer *w, struct tp_error *e)
{
    return caaa_writer_end(w, e);
}
