/* Inside of the card, shared by its files. */
#ifndef TP_SIMCARD_CARD_PRIV_H
#define TP_SIMCARD_CARD_PRIV_H

#include "apdu/apdu.h"
#include "apdu/emvtags.h"
#include "apdu/sw.h"
#include "apdu/tlv.h"
#include "simcard/card.h"
#include "simcard/fault.h"
#include "simcard/state.h"

#define CARD_DIRECTORY_SFI 1
#define CARD_LOG_SFI       11
#define CARD_VALUES_MAX    252
#define CARD_IAD_SIZE      7

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

struct card_session {
    enum card_phase phase;
    size_t app;        /* index of the selected application */
    size_t match_next; /* where "next occurrence" goes on */
    uint8_t match[16]; /* name of the last SELECT by partial name */
    size_t match_n;
    uint16_t atc; /* of this transaction, as shown (a fault may show an old one) */
    bool pin_asked, pin_right, dda_done;
    uint8_t first_cid;
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
    bool gone;
};

/* Each handles one command: appends response data, returns the status word. out has room for 256 bytes at least. */
uint16_t card_select(struct card *c, const struct capdu *in, struct buf *out);
uint16_t card_get_processing_options(struct card *c, const struct capdu *in, struct buf *out);
uint16_t card_read_record(struct card *c, const struct capdu *in, struct buf *out);
uint16_t card_get_data(struct card *c, const struct capdu *in, struct buf *out);
uint16_t card_get_challenge(struct card *c, const struct capdu *in, struct buf *out);
uint16_t card_verify(struct card *c, const struct capdu *in, struct buf *out);
uint16_t card_internal_authenticate(struct card *c, const struct capdu *in, struct buf *out);
uint16_t card_generate_ac(struct card *c, const struct capdu *in, struct buf *out);

/* Record of the directory: 6A83 after the last one. */
uint16_t card_directory_record(const struct card *c, uint8_t number, struct buf *out);

TP_MUST_CHECK enum tp_err card_state_write(struct card *c, enum state_when when);
bool card_blocked(const struct card *c);
uint8_t card_tries_shown(const struct card *c);

/* 9F4F: what an entry of the log holds, STATE_LOG_SIZE bytes in all. */
struct span card_log_format(void);

#endif
