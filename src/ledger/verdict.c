#include "ledger/verdict.h"

#include <stddef.h>

static const struct verdict_row rows[LEDGER_VERDICTS] = {
    {LEDGER_NEW, "", NULL, false, "new"},
    {LEDGER_MALFORMED, "30", NULL, true, "malformed"},
    {LEDGER_CERTIFICATE, "58", "CERTIFICATE", false, "another's certificate"},
    {LEDGER_UNKNOWN, "03", "CONTRACT", false, "unknown contract or terminal"},
    {LEDGER_AMOUNT, "13", "AMOUNT", false, "bad amount"},
    {LEDGER_PROCESSING_CODE, "12", "PROCESSING_CODE", false, "processing code not served"},
    {LEDGER_CURRENCY, "12", "CURRENCY", false, "not the contract's currency"},
    {LEDGER_MCC, "12", "MCC", false, "not the contract's category"},
    {LEDGER_REPEAT, "00", NULL, false, "repeat"},
    {LEDGER_ASKED, "96", NULL, false, "with its issuer"},
    {LEDGER_ANSWERED, "91", NULL, false, "answered by its issuer"},
    {LEDGER_DIFFERENT, "94", "IDENTITY", false, "another under its identity"},
    {LEDGER_REVERSED, "12", "REVERSED", false, "reversed"},
    {LEDGER_CLOSED, "03", "CONTRACT", false, "closed contract or terminal"},
    {LEDGER_OPPOSITION_LOST, "41", "OPPOSITION", false, "lost card"},
    {LEDGER_OPPOSITION_STOLEN, "43", "OPPOSITION", false, "stolen card"},
    {LEDGER_DATE, "12", "DATE", false, "date out of range"},
    {LEDGER_EXPIRED, "54", "EXPIRED", false, "expired card"},
    {LEDGER_EVIDENCE, "63", NULL, true, "bad evidence"},
    {LEDGER_SERIAL, "63", "SIGNED_SERIAL", false, "another terminal's serial"},
    {LEDGER_PAYEE, "63", "SIGNED_PAYEE", false, "another payee signed"},
    {LEDGER_PAYEE_STAN, "63", "SIGNED_STAN", false, "another number signed"},
    {LEDGER_PAYEE_MISSING, "63", "DE55_9F7C_MISSING", false, "payee not said"},
    {LEDGER_ATC_OLD, "63", "ATC_REPLAYED", false, "counter used"},
    {LEDGER_ISSUER_REFUSED, "05", "ISSUER_REFUSED", false, "refused by its issuer"},
    {LEDGER_CVM_UNREADABLE, "30", "DE55", false, "cardholder verification not said"},
    {LEDGER_CAPABILITIES, "58", "CAPABILITIES", false, "another terminal's capabilities"},
    {LEDGER_CVR_PIN, "55", "CVR_PIN", false, "PIN not verified by the card"},
    {LEDGER_PIN_TRIES, "75", "PIN_TRIES_EXCEEDED", false, "PIN tries exceeded"},
    {LEDGER_TVR_EXCEPTION_FILE, "05", "TVR_EXCEPTION_FILE", false, "on the exception file"},
    {LEDGER_TVR_ODA_FAILED, "05", "TVR_ODA_FAILED", false, "offline data authentication failed"},
    {LEDGER_TVR_EXPIRED, "54", "TVR_EXPIRED", false, "expired application"},
    {LEDGER_TVR_NOT_YET, "05", "TVR_NOT_YET_EFFECTIVE", false, "application not yet effective"},
    {LEDGER_TVR_SERVICE, "57", "TVR_SERVICE", false, "service not allowed"},
    {LEDGER_TVR_CVM_FAILED, "55", "CVM_FAILED", false, "cardholder verification failed"},
    {LEDGER_TVR_NO_KEYPAD, "55", "TVR_NO_KEYPAD", false, "no keypad"},
    {LEDGER_CVM_NOT_SIGNED, "55", "CVM_NOT_SIGNED", false, "cardholder verification not signed"},
    {LEDGER_CVM_PIN, "55", "PIN_NOT_VERIFIED", false, "PIN not verified"},
    {LEDGER_CVM_RESULT, "55", "CVM_RESULT", false, "no CVM, and not successful"},
    {LEDGER_CVM_UNSUPPORTED, "55", "CVM_UNSUPPORTED", false, "method the terminal lacks"},
    {LEDGER_CVM_NOT_IN_LIST, "55", "CVM_NOT_IN_LIST", false, "method not in the list"},
    {LEDGER_CVM_CONDITION, "55", "CVM_CONDITION", false, "condition of the rule not met"},
    {LEDGER_CVM_PASSED_OVER, "55", "CVM_PASSED_OVER", false, "rule passed over"},
    {LEDGER_CVM_REQUIRED, "55", "CVM_REQUIRED", false, "verified cardholder required"},
    {LEDGER_CEILING, "61", "CEILING", false, "over the ceiling"},
    {LEDGER_AAC, "05", "AAC", false, "declined by the card"},
    {LEDGER_CREDIT_NONE, "58", "CREDIT", false, "no credits"},
    {LEDGER_CREDIT_DAY, "61", "CREDIT_DAY", false, "over the day's credits"},
    {LEDGER_CREDIT_UNPAID, "61", "CREDIT_UNPAID", false, "credit of what was not paid"},
    {LEDGER_NEEDS_ISSUER_ARQC, "91", "ARQC", false, "no issuer for an ARQC"},
    {LEDGER_NEEDS_ISSUER_NO_CDA, "91", "NO_CDA", false, "no issuer to vouch"},
    {LEDGER_NEEDS_ISSUER_CREDIT, "91", "CREDIT", false, "no issuer for a credit"},
    {LEDGER_NEEDS_ISSUER_FLOOR, "91", "FLOOR", false, "no issuer over the floor"},
    {LEDGER_ISSUER_DOWN, "91", "ISSUER_DOWN", false, "issuer down"},
    {LEDGER_ISSUER_BUSY, "91", "ISSUER_BUSY", false, "issuer busy"},
    {LEDGER_ISSUER_TIMEOUT, "91", "ISSUER_TIMEOUT", false, "issuer timed out"},
    {LEDGER_ISSUER_NONSENSE, "91", "ISSUER_NONSENSE", false, "unusable answer of the issuer"},
    {LEDGER_ISSUER_91, "91", "ISSUER_91", false, "issuer's issuer down"},
    {LEDGER_ISSUER_96, "91", "ISSUER_96", false, "fault at the issuer"},
    {LEDGER_ISSUER_LOST, "91", "ISSUER_LOST", false, "no answer kept"},
    {LEDGER_ISSUER_08, "05", "ISSUER_08", false, "approved with identification"},
    {LEDGER_ISSUER_10, "05", "ISSUER_10", false, "approved in part"},
    {LEDGER_ISSUER_11, "05", "ISSUER_11", false, "approved as a courtesy"},
    {LEDGER_REVERSAL_DONE, "00", NULL, false, "reversal done"},
    {LEDGER_REVERSAL_REPEATED, "00", NULL, false, "reversal repeated"},
    {LEDGER_REVERSAL_REMEMBERED, "00", NULL, false, "reversal remembered"},
    {LEDGER_REVERSAL_TOO_MANY, "61", "REVERSALS", false, "too many reversals"},
    {LEDGER_REVERSAL_TOO_LATE, "12", "REMISE_CLOSED", false, "reversal after the close"},
    {LEDGER_REVERSAL_CREDITED, "12", "CREDITED", false, "reversal of what was credited"},
    {LEDGER_MTI, "12", "MTI", false, "message not served"},
    {LEDGER_NETWORK, "12", "DE70", false, "network message not served"},
    {LEDGER_FAULT, "96", NULL, false, "fault"},
};

const struct verdict_row *ledger_verdict_row(enum ledger_verdict v)
{
    return (unsigned)v < LEDGER_VERDICTS ? &rows[v] : &rows[LEDGER_FAULT];
}

enum ledger_verdict ledger_verdict_first(enum ledger_verdict a, enum ledger_verdict b)
{
    if (a == LEDGER_NEW || b == LEDGER_NEW)
        return a == LEDGER_NEW ? b : a;
    return a < b ? a : b;
}
