/* A card on the bench: made by the factory, driven by raw APDUs written in hexadecimal. */
#ifndef TP_TESTS_CARD_RIG_H
#define TP_TESTS_CARD_RIG_H

#include "apdu/tlv.h"
#include "crypto/emvcert.h"
#include "simcard/card.h"
#include "simcard/perso.h"
#include "unit.h"

#define RIG_PAN  "9990140000000015"
#define RIG_DATE 20261123 /* of all transactions here */

struct rig {
    struct scheme *scheme;
    struct card *card;
    uint8_t answer[1200];
    size_t answer_n; /* without status word */
    unsigned sw;
    /* what the records said, filled by rig_read_all */
    uint8_t certificates[3][EMV_RSA_MAX];
    struct emv_pubkey *icc; /* recovered through the whole chain */
};

/* One scheme for all tests of a program: made at the first call, freed at exit. */
struct scheme *rig_scheme(void);

/* The factory's defaults for RIG_PAN, PIN 1234, good until 2030-12, effective since 2020; no issuer
 * authentication. */
void rig_params(struct perso_params *p);
void rig_start(struct rig *r, const struct perso_params *p); /* card in memory, powered on */
/* The same with a profile that the test changes first; NULL: as it is. */
void rig_start_with(struct rig *r, const struct perso_params *p,
                    void (*change)(struct card_profile *profile, const void *how), const void *how);
/* For such a change: other content (hex) for a data object that the records have; the card's own
 * index of them follows. */
void rig_set_object(struct card_profile *profile, uint32_t tag, const char *hex);
void rig_end(struct rig *r);

/* Sends a command; returns the status word. Spaces in hex are passed over. */
unsigned rig_send(struct rig *r, const char *hex);
struct span rig_answer(const struct rig *r);

/* The value of a data object in the last answer, at any depth. Fails the test when it is not there.
 */
struct span rig_value(const struct rig *r, uint32_t tag);

#define RIG_SELECT "00A4040007F000000014101000"
#define RIG_GPO    "80A8000008 8306 2098C8 0250 35 00" /* 9F33, 9F1A, 9F35 */

/* CDOL1 values: 12.50 EUR, France, TVR 0, 2026-11-23, purchase, UN, type 35, CVM results,
 * capabilities, serial, version, counter, AID, digest 00…1F; 89 bytes. */
#define RIG_UN "11223344"
#define RIG_CDOL1                                                                                  \
    "000000001250 000000000000 0250 0000000000 0978 261123 00 " RIG_UN " 35 410302 2098C8"         \
    "3132333435363738"                                                                             \
    "0001"                                                                                         \
    "00000001"                                                                                     \
    "F0000000141010"                                                                               \
    "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"
#define RIG_CDOL2                                                                                  \
    "000000001250 000000000000 0250 0000000000 0978 261123 00 " RIG_UN " 410302" /* after the ARC  \
                                                                                  */
#define RIG_ARC_00 "3030"
#define RIG_ARC_Y3 "5933"
#define RIG_ARC_Z3 "5A33"

void rig_begin(struct rig *r); /* SELECT and GPO, both 9000 */
unsigned rig_first_ac(struct rig *r, const char *p1);
unsigned rig_second_ac(struct rig *r, const char *p1, const char *arc);

#endif
