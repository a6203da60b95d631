/* What is said of a payment, or of a reversal, that comes: one list over all who judge it, and what
 * each verdict is answered with. */
#ifndef TP_LEDGER_VERDICT_H
#define TP_LEDGER_VERDICT_H

#include <stdbool.h>

/* In order of precedence: of several that hold the first is told (doc/protocol.md, "Checks and DE
 * 39"). A verdict is an outcome; enum tp_err is left for disk, memory and bugs. */
enum ledger_verdict {
    LEDGER_NEW, /* nothing stands against it: go on checking, or (from ledger_acknowledge) now kept
                 */
    LEDGER_MALFORMED, /* a field is missing or does not read: the word says which */
    LEDGER_CERTIFICATE,
    LEDGER_UNKNOWN,
    LEDGER_AMOUNT, /* zero; of a reversal: another than the original's */
    LEDGER_PROCESSING_CODE,
    LEDGER_CURRENCY,
    LEDGER_MCC,
    LEDGER_ORDER,         /* of a mediator: no order that the acquirer's authority vouches for */
    LEDGER_ORDER_OTHER,   /* of another mediator, contract or acquirer */
    LEDGER_ORDER_TIME,    /* not valid now */
    LEDGER_ORDER_DIFFERS, /* a message, or the request, says something else than it */
    LEDGER_SEALED,        /* what is sealed does not open, or is no payment */
    LEDGER_DEVICE,        /* the payer device signed something else */
    LEDGER_REPEAT,        /* the same again: rrn is that of the first */
    LEDGER_ASKED, /* its issuer is being asked: what comes of it is the answer to this too; 96 when
                     nothing can */
    LEDGER_ANSWERED,  /* its issuer was asked and it was not kept: ledger_said tells what was
                         answered */
    LEDGER_DIFFERENT, /* same identity, other content; rrn is that of the first */
    LEDGER_REVERSED,  /* was kept and has been reversed (rrn says which), or its 0400 came before it
                         (rrn is "") */
    LEDGER_CLOSED,    /* and it is not in the books */
    LEDGER_MEDIATOR_CLOSED,
    LEDGER_ORDER_USED, /* the order was paid, or is being asked about, under another identity */
    LEDGER_OPPOSITION_LOST,
    LEDGER_OPPOSITION_STOLEN,
    LEDGER_DATE,
    LEDGER_EXPIRED,
    LEDGER_EVIDENCE, /* the word is the evidence's (struct evidence_result) */
    LEDGER_SERIAL,
    LEDGER_PAYEE,
    LEDGER_PAYEE_STAN,
    LEDGER_PAYEE_MISSING,
    LEDGER_CHALLENGE,      /* the card signed another challenge */
    LEDGER_DEVICE_MISSING, /* nor does the device say which, where the card does not */
    LEDGER_ATC_OLD,        /* this counter of the card has paid, or was asked about */
    LEDGER_ISSUER_REFUSED, /* the card's issuer refused the payment of this ATC */
    LEDGER_CVM_UNREADABLE,
    LEDGER_CAPABILITIES,
    LEDGER_CVR_PIN,
    LEDGER_PIN_TRIES,
    LEDGER_TVR_EXCEPTION_FILE,
    LEDGER_TVR_ODA_FAILED,
    LEDGER_TVR_EXPIRED,
    LEDGER_TVR_NOT_YET,
    LEDGER_TVR_SERVICE,
    LEDGER_TVR_CVM_FAILED,
    LEDGER_TVR_NO_KEYPAD,
    LEDGER_CVM_NOT_SIGNED,
    LEDGER_CVM_PIN,
    LEDGER_CVM_RESULT,
    LEDGER_CVM_UNSUPPORTED,
    LEDGER_CVM_NOT_IN_LIST,
    LEDGER_CVM_CONDITION,
    LEDGER_CVM_PASSED_OVER,
    LEDGER_CVM_REQUIRED,
    LEDGER_CEILING,
    LEDGER_ORDER_CEILING, /* more than the order takes by this means */
    LEDGER_AAC,
    LEDGER_CREDIT_NONE,         /* the contract takes no credits */
    LEDGER_REFUND_ALONE,        /* it takes none that name no payment */
    LEDGER_REFUND_UNKNOWN,      /* the contract has no such payment */
    LEDGER_REFUND_OF_REFUND,    /* what it names is a credit */
    LEDGER_REFUND_REVERSED,     /* what it names was taken back */
    LEDGER_REFUND_REJECTED,     /* the centre refused what it names: it was not paid */
    LEDGER_REFUND_CARD,         /* another card paid it */
    LEDGER_REFUND_AMOUNT,       /* more than is left of it */
    LEDGER_CREDIT_DAY,          /* more than the contract's credits of a day */
    LEDGER_CREDIT_UNPAID,       /* more than the card has paid at this contract and not got back */
    LEDGER_NEEDS_ISSUER_ARQC,   /* it needs its issuer, and none is known: the card asks for it */
    LEDGER_NEEDS_ISSUER_NO_CDA, /* no signature covers the amount */
    LEDGER_NEEDS_ISSUER_CREDIT,
    LEDGER_NEEDS_ISSUER_FLOOR,
    LEDGER_ISSUER_DOWN,
    LEDGER_ISSUER_BUSY,
    LEDGER_ISSUER_TIMEOUT,
    LEDGER_ISSUER_NONSENSE,
    LEDGER_ISSUER_91,
    LEDGER_ISSUER_96,
    LEDGER_ISSUER_LOST, /* what the issuer said could not be kept, or the program ended meanwhile */
    LEDGER_ISSUER_08,
    LEDGER_ISSUER_10,
    LEDGER_ISSUER_11,
    LEDGER_REVERSAL_DONE,       /* of a reversal: it was kept and is now reversed */
    LEDGER_REVERSAL_REPEATED,   /* it was reversed before, or the reversal is remembered already */
    LEDGER_REVERSAL_REMEMBERED, /* not known: remembered, so that a 0200 that is overtaken by its
                                   0400 is LEDGER_REVERSED */
    LEDGER_REVERSAL_TOO_MANY, /* not known, and the terminal has left as many of those today as are
                                 remembered */
    LEDGER_REVERSAL_TOO_LATE, /* its remise is closed: only a credit gives it back now */
    LEDGER_REVERSAL_CREDITED, /* a credit given since has paid it back */
    LEDGER_MTI,
    LEDGER_NETWORK,
    LEDGER_FAULT, /* ours: nothing of it is kept, and it may be sent again */
    LEDGER_VERDICTS
};

#define VERDICT_WORD_MAX 26 /* DE 44: 25 characters and a zero */

struct verdict_row {
    enum ledger_verdict verdict;
    char code[3];       /* DE 39; "" of LEDGER_NEW, which is answered when it is kept */
    const char *reason; /* DE 44; NULL: none, or */
    bool worded;        /* the word that comes with the verdict */
    const char *name;   /* for people */
};

/* The row of a verdict; of what is none, that of LEDGER_FAULT. */
const struct verdict_row *ledger_verdict_row(enum ledger_verdict v);

/* Which of two is told. */
enum ledger_verdict ledger_verdict_first(enum ledger_verdict a, enum ledger_verdict b);

#endif
