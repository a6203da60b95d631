/* The EMV contact terminal: EMV 4.4 Books 1-4 (doc/design.md, Terminal). A state machine that owns
 * no I/O but a struct reader, prints nothing, and yields a struct transaction.
 *
 * An outcome of the standard (declined, terminated, not accepted) is in the transaction; an error
 * is a reader or card that left, or a fault. */
#ifndef TP_KERNEL_KERNEL_H
#define TP_KERNEL_KERNEL_H

#include "apdu/emvtags.h"
#include "base/secret.h"
#include "crypto/capk.h"
#include "crypto/emvcert.h"
#include "drivers/reader.h"

struct transaction;

#define KERNEL_AIDS_MAX       32
#define KERNEL_CANDIDATES_MAX 16

struct terminal_application { /* per AID */
    uint8_t aid[16];
    uint8_t aid_n;
    bool partial;       /* application selection indicator: partial name selection allowed (Book
                           1, 12.3.1) */
    uint8_t version[2]; /* 9F09 */
    uint8_t tac_denial[5], tac_online[5], tac_default[5];
    uint32_t floor_limit;                     /* 9F1B, minor units */
    uint32_t threshold;                       /* biased random selection */
    uint8_t random_target, random_target_max; /* percent */
    struct span default_ddol;                 /* borrowed from the configuration's owner */
};

/* What a card's certificates came to once, for a transcript in which its data are masked: a hash
 * over them cannot be worked out again. All that hangs on no masked byte is worked out all the
 * same: the issuer certificate, the card's signatures. */
struct kernel_recorded {
    const struct emv_pubkey *icc_key, *pin_key; /* of the good ones; borrowed */
    struct ec_pubkey icc_ec, pin_ec;            /* the same of elliptic curves */
    enum emv_check check; /* of a card certificate (when icc_key is NULL) or the signed static data
                             that was not good */
    uint8_t dac[2];       /* 9F45, of good signed static data */
    bool answer_hidden;   /* an answer to GENERATE AC has masked bytes: what CDA signs cannot be
                             hashed */
    enum emv_check signature; /* then: what the signature over it came to */
};

struct kernel_memory { /* what the terminal remembers of cards; NULL functions: nothing. Book
                          3, 10.6.1; Book 4, 6.3.5. psn: 5F34 as a number, -1: none */
    void *ctx;
    /* *amount (0 at the call): the last payment with this card in that currency that the terminal's
     * log holds, in minor units: it counts towards the floor limit. */
    enum tp_err (*spent)(void *ctx, const char *pan, int psn, uint16_t currency, int64_t *amount);
    /* *hit (false at the call): the card stands on the terminal's exception file. */
    enum tp_err (*on_exception_file)(void *ctx, const char *pan, int psn, bool *hit);
};

struct kernel_watch; /* who follows a run; below */

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
    struct capk_store *authorities; /* the keys of a card's scheme are read when it is selected */
    bool allow_live_card;           /* else a card of a live scheme is read, never asked to sign */
    const struct kernel_memory *memory; /* NULL: none */
    const struct kernel_watch *watch;   /* NULL: nobody */
    const struct kernel_recorded
        *recorded; /* NULL but where a masked transcript is run again (src/payer/rerun.h) */
};

struct transaction_request { /* one payment */
    int64_t amount;          /* minor units */
    uint16_t currency;       /* numeric */
    uint8_t currency_exponent;
    uint8_t type;            /* 9C: 00 purchase, 20 refund */
    int date;                /* YYYYMMDD local */
    int time;                /* HHMMSS local */
    int zone;                /* minutes that local time is ahead of UTC */
    uint32_t counter;        /* 9F41 */
    uint8_t un[4];           /* 9F37 */
    uint8_t payee[32];       /* 9F7C: crypto/payee.h */
    struct span application; /* only applications whose AID begins so; empty: any. Borrowed, as long
                                as the run */
    const char
        *label; /* only applications shown under that name, in any case of letters; NULL: any */
};

struct candidate { /* an application on the candidate list */
    uint8_t aid[16];
    uint8_t aid_n;
    char label[17]; /* 9F12 when 9F11 names ISO 8859-1, else 50; its printable ASCII part; may be ""
                     */
    uint8_t priority; /* 87: low nibble 1 (first) to 15, 0 none; bit 8: needs the cardholder's
                         confirmation */
};

enum kernel_step {                      /* each as it begins */
                   KERNEL_SELECT,       /* the list of candidates */
                   KERNEL_CHOOSE,       /* one of them */
                   KERNEL_INITIATE,     /* GET PROCESSING OPTIONS */
                   KERNEL_READ,         /* the records */
                   KERNEL_AUTHENTICATE, /* offline data authentication */
                   KERNEL_RESTRICT,     /* processing restrictions */
                   KERNEL_VERIFY,       /* the CVM list */
                   KERNEL_PIN,          /* a rule of it that asks for an offline PIN */
                   KERNEL_RISK,         /* terminal risk management */
                   KERNEL_ACT,          /* terminal action analysis */
                   KERNEL_SIGN,         /* the first GENERATE AC */
                   KERNEL_ONLINE,       /* the issuer is asked */
                   KERNEL_ISSUER,       /* it answered */
                   KERNEL_SCRIPT,       /* each of its scripts */
                   KERNEL_COMPLETE      /* the second GENERATE AC */
};

enum kernel_codes { KERNEL_DENIAL, KERNEL_GO_ONLINE, KERNEL_DEFAULT }; /* Book 3, 10.7 */

struct kernel_watch { /* follows a run, to explain it. tx as far as it has come */
    void *ctx;
    void (*step)(void *ctx, const struct transaction *tx, enum kernel_step step);
    /* A bit of TAG_TVR or TAG_TSI was set, that was not: TVR_EXPIRED, TSI_CVM (apdu/emvbits.h) */
    void (*bit)(void *ctx, const struct transaction *tx, uint32_t tag, unsigned bit);
    /* The TVR was held against these; iac is the default that 10.7 has where the card has none. */
    void (*codes)(void *ctx, const struct transaction *tx, enum kernel_codes which,
                  const uint8_t iac[5], const uint8_t tac[5]);
};

enum kernel_keypad {                      /* what happens at the reader's own keypad */
                     KERNEL_KEYPAD_ENTER, /* before: the person is to enter the PIN there */
                     KERNEL_KEYPAD_WRONG, /* before: again, the one before was wrong */
                     KERNEL_KEYPAD_SENT, /* after: the card has it; whether it was right shows later
                                          */
                     KERNEL_KEYPAD_LENGTH,   /* after: fewer or more digits than a PIN has; it is
                                                asked for again, a few times */
                     KERNEL_KEYPAD_MISMATCH, /* after: the reader had it typed twice, and they
                                                differ; asked for again too */
                     KERNEL_KEYPAD_CANCELLED,
                     KERNEL_KEYPAD_TIMEOUT,
                     KERNEL_KEYPAD_REFUSED /* after: the reader does not do it, or not so */
};

struct kernel_person { /* the cardholder, through whoever has the screen and keys; NULL functions:
                          nobody there */
    void *ctx;
    /* Index into list (in order of priority), or -1 to leave. Called when more than one application
     * is left, or when the only one wants confirmation, or (choose_one) also when it wants none.
     * NULL: nobody chooses or confirms (Book 1, 12.4, steps 2 and 5). */
    int (*choose)(void *ctx, const struct candidate *list, size_t n);
    bool choose_one;
    /* Digits of the PIN in *pin, which is empty at the call and which the kernel wipes. tries_left:
     * 0xFF unknown, 1: the last try. TP_ERR_CANCELLED: the person goes on without PIN (bypassed);
     * TP_ERR_NOT_FOUND: no PIN pad; anything else ends the run with that error. Digits that are no
     * PIN (4 to 12) are asked for again, a few times. */
    enum tp_err (*pin)(void *ctx, unsigned tries_left, bool wrong_before, struct secret *pin);
    /* The PIN is there already, from a till or a script: nobody is told how many tries are left,
     * and the card is not asked (Book 4, 6.3.4.1 has a GET DATA go before a prompt). Its answer to
     * VERIFY says the same: 6983 or 6984 where none is left. */
    bool tries_untold;
    void (*step)(void *ctx, enum kernel_step step);
    /* Not NULL: a plaintext PIN goes from the reader's own keypad to the card (reader_verify_pin)
     * and pin() is not asked for one. Such a terminal must not claim enciphered PIN in 9F33, which
     * no keypad makes. Called once before and once after each entry, to tell the person. TP_OK goes
     * on: after CANCELLED, TIMEOUT and REFUSED without PIN; TP_ERR_CANCELLED goes on without PIN
     * (bypassed); anything else ends the run with that error. */
    enum tp_err (*keypad)(void *ctx, unsigned tries_left, enum kernel_keypad what);
};

#define KERNEL_SCRIPTS_MAX 512

struct kernel_issuer_answer { /* what came back from the issuer: Book 3, 10.9 and 10.10; Book 4, 12
                               */
    bool reached;             /* false: unable to go online, and nothing else counts */
    uint8_t arc[2];   /* 8A: the two ASCII characters of DE 39; 00 (also 08, 10, 11) approves */
    char approval[7]; /* DE 38, kept as 89; "" none */
    struct {
        uint8_t p[16];
        size_t n;     /* 8 to 16; 0: none */
    } authentication; /* the value of 91 */
    struct {
        uint8_t p[KERNEL_SCRIPTS_MAX];
        size_t n;
    } scripts; /* templates 71 and 72, whole, in the order in which they came */
};

struct kernel_online { /* the way to the issuer; NULL function: unable to go online */
    void *ctx;
    /* tx holds the ARQC and its evidence. *out is all zero at the call: one that is left so says
     * "not reached". An error ends the run with it. */
    enum tp_err (*authorise)(void *ctx, const struct transaction *tx,
                             struct kernel_issuer_answer *out);
};

enum kernel_outcome {
    KERNEL_APPROVED,     /* a TC; one whose XDA failed, by its issuer's word */
    KERNEL_DECLINED,     /* an AAC, or the terminal declines (CDA failed …) */
    KERNEL_NOT_ACCEPTED, /* no application in common, card blocked, live card not allowed */
    KERNEL_TERMINATED,   /* the standard ends the transaction: bad data, bad status word */
    KERNEL_READ_ONLY,    /* of kernel_read_card: the application was read as asked */
    KERNEL_PROVED        /* of kernel_prove_card */
};

/* Runs a whole transaction on a connected card. *out is the caller's to free, also when it ended
 * without approval or in an error: then it is terminated and holds what there was before
 * (transaction_reversal_needed). NULL only for want of memory. */
TP_MUST_CHECK enum tp_err kernel_run(struct transaction **out, struct reader *reader,
                                     const struct terminal_config *config,
                                     const struct transaction_request *request,
                                     const struct kernel_person *person,
                                     const struct kernel_online *online, struct tp_error *e);

/* Reads a card without paying, for `telepay card`: each application of the PSE and of the
 * terminal's list (cap at most KERNEL_CANDIDATES_MAX) with its records, its certificates checked
 * and its counters fetched (9F36 9F13 9F17; 9F4F). Nothing is signed and no PIN asked. Each *list
 * entry is the caller's to free; its outcome is KERNEL_READ_ONLY, or what stopped the reading: one
 * that is blocked (6283), or whose answer to SELECT is malformed, is there too. *n 0 with TP_OK: a
 * card without payment application. TP_ERR_CARD: a blocked card (6A81), among others. date:
 * YYYYMMDD. */
TP_MUST_CHECK enum tp_err kernel_read_card(struct transaction **list, size_t cap, size_t *n,
                                           struct reader *reader,
                                           const struct terminal_config *config, int date,
                                           struct tp_error *e);

/* Has a card prove that it is one, and pays nothing: DDA alone (Book 2, 6.5), over the request's un
 * and, where the card's DDOL asks for it, payee; no PIN is asked. As kernel_run else: with
 * KERNEL_PROVED *out holds the certificates, DF01, DF08 and DF09. */
TP_MUST_CHECK enum tp_err kernel_prove_card(struct transaction **out, struct reader *reader,
                                            const struct terminal_config *config,
                                            const struct transaction_request *request,
                                            const struct kernel_person *person, struct tp_error *e);

void transaction_free(struct transaction **tx);
enum kernel_outcome transaction_outcome(const struct transaction *tx);
const char *transaction_reason(
    const struct transaction
        *tx); /* for people, with status word or clause: "the card answered 6985 to GENERATE AC" */

/* The issuer approved, and no TC came of it, for whatever reason, a card torn out included: the
 * issuer must be told (Book 4, 6.3.8; ISO 8583 0400). */
bool transaction_reversal_needed(const struct transaction *tx);

/* Any data element the transaction has, from card or terminal: 9F26, 95, 9B, 9F34, 5A, 57 …; empty
 * when it has none. Lives as long as the transaction. The evidence objects DF01 … DF05, DF08 and
 * DF09 of DDA (apdu/emvtags.h) are there too: DF04 only after a second GENERATE AC, 9F26 9F27 9F10
 * 9F36 9F4B and DF05 always of the last one. Of the issuer: 8A, 89, 91. */
struct span transaction_get(const struct transaction *tx, uint32_t tag);

/* Everything the store holds, in the order it came: for --json and `telepay card`. False at the
 * end. */
bool transaction_at(const struct transaction *tx, size_t i, uint32_t *tag, struct span *value);

const struct candidate *transaction_application(
    const struct transaction *tx); /* the selected one; NULL before selection */
/* The candidates that are left, in the order of priority; NULL at the end. */
const struct candidate *transaction_candidate_at(const struct transaction *tx, size_t i);
bool transaction_live(const struct transaction *tx); /* the application is of a live scheme */

enum kernel_method {
    KERNEL_METHOD_NONE,
    KERNEL_METHOD_SDA,
    KERNEL_METHOD_DDA,
    KERNEL_METHOD_CDA,
    KERNEL_METHOD_XDA
};
const char *kernel_method_name(enum kernel_method m); /* "CDA" */

struct kernel_authentication { /* offline data authentication, Book 3 10.3 */
    enum kernel_method method; /* what card and terminal have in common */
    bool ok; /* the whole of it, for CDA and XDA with the last GENERATE AC; after kernel_read_card:
                the certificates */
    const char *failed_at; /* "issuer certificate"; NULL when nothing failed */
    enum emv_check check;  /* what failed there; with "authority key", EMV_CHECK_NO_KEY: RID and
                              index (8F) are unknown here */
    const struct capk *authority; /* the key that opened the issuer certificate, NULL: none; lives
                                     as long as the store */
    bool authority_expired;       /* past the date that the list has for it; used all the same (Book
                                     2, 11.2.3) */
    char issuer[20];              /* issuer identifier of the issuer certificate; "" unknown */
    int issuer_expiry, icc_expiry;
    size_t issuer_bits, icc_bits; /* of the modulus; of the curve */
};
const struct kernel_authentication *transaction_authentication(const struct transaction *tx);

/* The card's own key and the one for its PIN, as good certificates gave them; NULL: none, or not
 * asked for. Live as long as the transaction. */
const struct emv_pubkey *transaction_card_key(const struct transaction *tx);
const struct emv_pubkey *transaction_pin_key(const struct transaction *tx);
/* The same of elliptic curves. */
const struct ec_pubkey *transaction_card_ec(const struct transaction *tx);
const struct ec_pubkey *transaction_pin_ec(const struct transaction *tx);

/* The log of cardholder verification: each rule of the CVM list that was reached. */
enum kernel_cvm_result {
    KERNEL_CVM_CONDITION,   /* its condition did not hold */
    KERNEL_CVM_UNKNOWN,     /* code not known */
    KERNEL_CVM_UNSUPPORTED, /* not of this terminal */
    KERNEL_CVM_FAILED,
    KERNEL_CVM_OK
};
struct kernel_cvm {
    uint8_t code, condition; /* as in the list: emv_cvm_name(code) */
    enum kernel_cvm_result result;
};
const struct kernel_cvm *transaction_cvm_at(const struct transaction *tx,
                                            size_t i); /* NULL at the end */

unsigned transaction_pin_tries(
    const struct transaction *tx); /* left as last heard from the card; 0xFF unknown */

#endif
