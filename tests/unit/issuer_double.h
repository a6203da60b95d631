/* An issuer for tests of the card: keys, cryptograms, ARPC and script commands worked out from
 * EMV 4.4 Book 2 (8, 9, Annex A1) on OpenSSL's bare block ciphers, with nothing of src/crypto.
 * test_card_issuer.c holds it against public vectors and against those that Python computed. */
#ifndef TP_TESTS_ISSUER_DOUBLE_H
#define TP_TESTS_ISSUER_DOUBLE_H

#include "unit.h"

enum double_kind { DOUBLE_CVN_10, DOUBLE_CVN_18, DOUBLE_CCD_3DES, DOUBLE_CCD_AES, DOUBLE_KINDS };

struct double_issuer {
    enum double_kind kind;
    uint8_t ac[16], smi[16], smc[16]; /* the card's master keys */
    uint8_t atc[2], arqc[8];          /* of the transaction */
    uint8_t chain[16]; /* CCD: the AC first, then all that the MAC algorithm gave for the command
                          before */
};

/* A new transaction. */
void double_start(struct double_issuer *d, struct span atc, struct span arqc);

void double_ac(uint8_t ac[8], const struct double_issuer *d, struct span data);
void double_arpc_1(uint8_t arpc[8], const struct double_issuer *d, const char *arc);
void double_arpc_2(uint8_t arpc[4], const struct double_issuer *d, struct span csu_and_more);

/* Appends 91 of either method to hex text. */
void double_auth_1(char *hex, const struct double_issuer *d, const char *arc);
void double_auth_2(char *hex, const struct double_issuer *d, const char *csu_hex);

/* A whole script command as hex text: head is CLA INS P1 P2 as on the wire; the MAC has mac_n
 * bytes. */
#define DOUBLE_HEX 600
void double_script(char hex[DOUBLE_HEX], struct double_issuer *d, const char *head,
                   const char *plain_hex, bool encipher, size_t mac_n);

/* The block that PIN CHANGE carries: current is NULL for P2 02. */
void double_pin(char hex[17], const struct double_issuer *d, const char *pin, const char *current);

#endif
