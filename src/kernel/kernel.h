/* The EMV contact terminal: EMV 4.4 Books 1-4 (DESIGN 6). A state machine that owns no I/O but a struct reader, prints nothing, and yields a struct transaction.
 *
 * An outcome of the standard (declined, terminated, not accepted) is in the transaction; an error is a reader or card that left, or a fault. */
#ifndef TP_KERNEL_KERNEL_H
#define TP_KERNEL_KERNEL_H

#include "apdu/emvtags.h"
#include "base/secret.h"
#include "crypto/capk.h"
#include "drivers/reader.h"

#define KERNEL_AIDS_MAX       32
#define KERNEL_CANDIDATES_MAX 16

struct terminal_application { /* per AID */
    uint8_t aid[16];
    uint8_t aid_n;
    bool partial;       /* application selection indicator: partial name selection allowed (Book 1, 12.3.1) */
    uint8_t version[2]; /* 9F09 */
    uint8_t tac_denial[5], tac_online[5], tac_default[5];
    uint32_t floor_limit;                     /* 9F1B, minor units */
    uint32_t threshold;                       /* biased random selection */
    uint8_t random_target, random_target_max; /* percent */
    struct span default_ddol;                 /* borrowed from the configuration's owner */
};

struct terminal_config {     /* the same for many transactions; must outlive them */
    uint8_t type;            /* 9F35: 0x34 or 0x35 */
    uint8_t capabilities[3]; /* 9F33 */
    uint8_t additional[5];   /* 9F40 */
    uint16_t country;        /* 9F1A, numeric */
    char terminal_id[9];     /* 9F1C an 8 */
    char merchant_id[16];    /* 9F16 ans 15 */
    char merchant_name[41];  /* 9F4E */
    char ifd_serial[9];      /* 9F1E an 8 */
    uint16_t mcc;            /* 9F15 */
    struct terminal_application applications[KERNEL_AIDS_MAX];
    size_t applications_n;
    const struct capk_store *authorities;
    bool allow_live_card; /* else a card of a live scheme is read, never asked to sign */
};

struct transaction_request { /* one payment */
    int64_t amount;          /* minor units */
    uint16_t currency;       /* numeric */
    uint8_t currency_exponent;
    uint8_t type;     /* 9C: 00 purchase, 20 refund */
    int date;         /* YYYYMMDD local */
    int time;         /* HHMMSS local */
    uint32_t counter; /* 9F41 */
    uint8_t un[4];    /* 9F37 */
};

struct candidate { /* an application on the candidate list */
    uint8_t aid[16];
    uint8_t aid_n;
    char label[17];   /* 50, printable part */
    uint8_t priority; /* 87 */
};

enum kernel_step { KERNEL_SELECT, KERNEL_READ, KERNEL_AUTHENTICATE, KERNEL_PIN, KERNEL_SIGN, KERNEL_ONLINE, KERNEL_COMPLETE };

struct kernel_person { /* the cardholder, through whoever has the screen and keys; NULL functions: nobody there */
    void *ctx;
    /* Index into list, or -1 to leave. Called when more than one application is left or one wants confirmation. */
    int (*choose)(void *ctx, const struct candidate *list, size_t n);
    /* Digits of the PIN in *pin. tries_left: 0xFF unknown. last: the last try. TP_ERR_CANCELLED: bypassed; TP_ERR_NOT_FOUND: no PIN pad. */
    enum tp_err (*pin)(void *ctx, unsigned tries_left, bool wrong_before, struct secret *pin);
    void (*step)(void *ctx, enum kernel_step step);
};

struct kernel_online { /* the way to the issuer; NULL function: unable to go online */
    void *ctx;
    /* *reached false: unable to go online. arc: 8A. */
    enum tp_err (*authorise)(void *ctx, const struct transaction *tx, bool *reached, uint8_t arc[2]);
};

enum kernel_outcome {
    KERNEL_APPROVED,     /* a TC */
    KERNEL_DECLINED,     /* an AAC, or the terminal declines (CDA failed …) */
    KERNEL_NOT_ACCEPTED, /* no application in common, card blocked, live card not allowed */
    KERNEL_TERMINATED    /* the standard ends the transaction: bad data, bad status word */
};

struct transaction;

/* Runs a whole transaction on a connected card. *out is the caller's to free also when it ended without approval. */
TP_MUST_CHECK enum tp_err kernel_run(struct transaction **out, struct reader *reader, const struct terminal_config *config,
                                     const struct transaction_request *request, const struct kernel_person *person,
                                     const struct kernel_online *online, struct tp_error *e);

/* Reads a card without paying: selection, GPO, records, counters; for `telepay card`. Applications of all on the card. */

void transaction_free(struct transaction **tx);
enum kernel_outcome transaction_outcome(const struct transaction *tx);
const char *transaction_reason(const struct transaction *tx); /* for people, with status word or clause: "the card answered 6985 to GENERATE AC" */

/* Any data element the transaction has, from card or terminal: 9F26, 95, 9B, 9F34, 5A, 57 …; empty when it has none. Lives as long as the transaction. The evidence
 * objects DF01 … DF05 (apdu/emvtags.h) are there too. */
struct span transaction_get(const struct transaction *tx, uint32_t tag);

#endif
