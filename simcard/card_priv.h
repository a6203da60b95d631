/* Inside of the card, shared by its files. */
#ifndef TP_SIMCARD_CARD_PRIV_H
#define TP_SIMCARD_CARD_PRIV_H

#include "apdu/apdu.h"
#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "apdu/sw.h"
#include "apdu/tlv.h"
#include "crypto/ode.h"
#include "simcard/card.h"
#include "simcard/fault.h"
#include "simcard/state.h"

#define CARD_DIRECTORY_SFI 1
#define CARD_LOG_SFI       11
#define CARD_VALUES_MAX    252
#define CARD_IAD_MAX       32
#define CARD_CHALLENGE     8

/* Limits that PUT DATA sets and GET DATA gives, with the tags of VIS: counts of one byte (FF: 255
 * or more), amounts n 12. 0: none. */
enum {
    TAG_COUNT_LIMIT = 0x9F58,
    TAG_COUNT_MAXIMUM = 0x9F59,
    TAG_AMOUNT_LIMIT = 0x9F54,
    TAG_AMOUNT_MAXIMUM = 0x9F5C
};

/* Where a session stands: EMV 4.4 Book 3, 8 and 10. */
enum card_phase {
    PHASE_OFF,
    PHASE_NOTHING,  /* powered, nothing selected */
    PHASE_PSE,      /* the directory is selected */
    PHASE_APP,      /* an application is selected */
    PHASE_STARTED,  /* GET PROCESSING OPTIONS done */
    PHASE_ONLINE,   /* the first GENERATE AC gave an ARQC */
    PHASE_COMPLETED /* no further cryptogram in this session */
};

struct card_values { /* DOL values as the terminal sent them */
    uint8_t p[CARD_VALUES_MAX];
    size_t n;
};

enum card_issuer { ISSUER_NOT_SEEN, ISSUER_GOOD, ISSUER_FAILED };

struct card_session {
    enum card_phase phase;
    size_t app;        /* index of the selected application */
    size_t match_next; /* where "next occurrence" goes on */
    uint8_t match[16]; /* name of the last SELECT by partial name */
    size_t match_n;
    bool xda;         /* of this transaction: keys of elliptic curves */
    uint16_t atc;     /* of this transaction, as shown (a fault may show an old one) */
    uint16_t history; /* the flags as this transaction found them */
    bool pin_asked, pin_right, dda_done, cda_done;
    bool challenge_live;
    uint8_t challenge[CARD_CHALLENGE];
    uint8_t first_cid, first_ac[8];
    enum card_issuer issuer;
    uint8_t issuer_says[4];       /* of a good ARPC: ARC (method 1, two bytes) or CSU (method 2) */
    bool scripts_open;            /* the issuer may speak */
    bool scripts_broken;          /* until it is once not understood */
    bool script_failed;           /* in this session */
    uint8_t scripts_done;         /* in this session */
    uint8_t chain[EMV_BLOCK_MAX]; /* secure messaging: first AC, then (CCD) what the MAC algorithm
                                     gave for the last command */
    struct card_values pdol, cdol1;
};

struct card {
    struct card_profile *profile; /* owned */
    struct state_store *store;    /* owned; NULL: state in memory only */
    struct card_state state;
    struct card_session session;
    struct fault_set faults;
    uint8_t waiting[APDU_SHORT_RESPONSE_MAX]; /* T=0: answer for GET RESPONSE */
    size_t waiting_n;
    struct ode ode; /* agreed in this transaction */
    bool gone;
};

/* ---- commands: each appends response data and returns the status word; out has room for 256 bytes
 * at least ---- */

uint16_t card_select(struct card *c, const struct capdu *in, struct buf *out);
uint16_t card_get_processing_options(struct card *c, const struct capdu *in, struct buf *out);
uint16_t card_read_record(struct card *c, const struct capdu *in, struct buf *out);
uint16_t card_get_data(struct card *c, const struct capdu *in, struct buf *out);
uint16_t card_get_challenge(struct card *c, const struct capdu *in, struct buf *out);
uint16_t card_verify(struct card *c, const struct capdu *in, struct buf *out);
uint16_t card_internal_authenticate(struct card *c, const struct capdu *in, struct buf *out);
uint16_t card_external_authenticate(struct card *c, const struct capdu *in, struct buf *out);
uint16_t card_generate_ac(struct card *c, const struct capdu *in, struct buf *out);
uint16_t card_script(struct card *c, const struct capdu *in, struct buf *out);

/* Record of the directory: 6A83 after the last one. */
uint16_t card_directory_record(const struct card *c, uint8_t number, struct buf *out);

/* ---- state ---- */

TP_MUST_CHECK enum tp_err card_state_write(struct card *c, enum state_when when);
const uint8_t *card_aip(const struct card *c); /* of this transaction */
bool card_blocked(const struct card *c);       /* the application, or all of the card */
uint16_t card_blocked_bit(
    const struct card *c); /* the flag that blocks the selected application alone */
uint8_t card_tries_shown(const struct card *c);
struct state_limits card_limits(
    const struct card *c); /* those that count: of the factory or of the issuer since */
struct span card_pin_block(const struct card *c);

/* ---- request.c: what a terminal said ---- */

/* What a cryptogram is asked over: a CDOL and the terminal's values for it. */
struct card_request {
    const struct card *card;
    struct span dol, values;
    bool second;
};

/* The value of a tag: from this command's CDOL, else from what the terminal said before (CDOL1,
 * PDOL). */
bool card_request_find(const struct card_request *q, uint32_t tag, struct span *value);
/* The same, appended; as many zeros when nobody asked for it in n bytes. */
TP_MUST_CHECK enum tp_err card_request_put(struct buf *out, const struct card_request *q,
                                           uint32_t tag, size_t n);

/* ---- crm.c: the card's own risk management ---- */

enum card_online { ONLINE_NOT_TRIED, ONLINE_DONE, ONLINE_UNABLE_APPROVE, ONLINE_UNABLE_DECLINE };

struct card_decision {
    uint32_t risks; /* enum card_risk */
    enum card_online online;
    uint8_t asked, cid;
    bool second, is_signed;
};

/* online, risks and cid from what was asked and what the card knows. */
void card_decide(const struct card *c, struct card_decision *d, const struct card_request *q);
/* Counters, flags and phase after the cryptogram was made. */
void card_settle(struct card *c, const struct card_decision *d, const struct card_request *q);

/* ---- iad.c ---- */

TP_MUST_CHECK enum tp_err card_iad_put(struct buf *out, const struct card *c,
                                       const struct card_decision *d);
/* The part of it that a cryptogram runs over. */
struct span card_iad_signed(const struct card *c, struct span iad);

/* ---- sign.c ---- */

#define CARD_DYNAMIC_NUMBER 8
TP_MUST_CHECK enum tp_err card_sdad_make(const struct card *c, uint8_t sdad[EMV_RSA_MAX], size_t *n,
                                         struct span dynamic, struct span terminal);

/* ---- issuer_auth.c ---- */

/* Checks the Issuer Authentication Data (91) in the values of CDOL2, if the card takes it there and
 * the terminal had one, and keeps the outcome and what the issuer says in the session. */
TP_MUST_CHECK enum tp_err card_issuer_check_second(struct card *c, const struct card_request *q);
/* After a good ARPC: what a CSU orders besides the decision: blocks, PIN try counter, "go online
 * next". */
void card_issuer_obey(struct card *c);
bool card_issuer_approves(const struct card *c);
bool card_issuer_wants_online(const struct card *c);
bool card_issuer_expected(
    const struct card *c); /* the card is made for issuer authentication, in either place */
/* Update Counters of a CSU, in its own place; EMV_CSU_COUNTERS_TO_ZERO for an issuer that says
 * nothing of them. */
uint8_t card_issuer_counters(const struct card *c);

/* ---- secure_messaging.c ---- */

/* A card of the Common Core Definitions, of either cipher. */
bool card_ccd(const struct card *c);

/* Takes the secure messaging off a command: its plain data are appended to plain. 9000, 6987, 6988
 * or 6F00. plain_n: how many bytes stand before the MAC in format 2, the enciphered ones as they
 * come. */
uint16_t card_unwrap(struct card *c, struct buf *plain, const struct capdu *in, size_t plain_n,
                     bool enciphered);

/* ---- log.c ---- */

/* 9F4F: what an entry of the log holds, STATE_LOG_SIZE bytes in all. */
struct span card_log_format(void);
/* One entry a transaction: the second cryptogram writes over that of the first. */
void card_log(struct card *c, const struct card_request *q, uint8_t cid);
uint16_t card_log_read(const struct card *c, uint8_t number, struct buf *out);

#endif
