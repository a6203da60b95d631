/* The rows of the product, written from EMV 4.4 (clause: B1-B4 the Books), not from what the code gave. 12.50 euros are paid with PIN 1234. Where the Books leave a
 * matter to the issuer or the card's maker, the row says so: "card" is simcard/profile.h, "ours" a rule of this terminal. */
#ifndef TP_TESTS_PRODUCT_ROWS_H
#define TP_TESTS_PRODUCT_ROWS_H

#include "product.h"

/* ---- offline data authentication ---- */

static const struct card_row card_rows[] = {
    {"none", "B3 C1", 0x00}, {"SDA", "B3 C1", 0x40},       {"DDA", "B3 C1", 0x20},
    {"CDA", "B3 C1", 0x21},  {"CDA-alone", "B3 C1", 0x01}, {"all", "B3 C1", 0x61},
};

/* CDA before DDA before SDA, where both have it: B3 10.3 */
static const struct terminal_row terminal_rows[] = {
    /*                              none  SDA   DDA   CDA   alone all */
    {"none", "B4 A2", 0x00, {NONE, NONE, NONE, NONE, NONE, NONE}},
    {"SDA", "B4 A2", 0x80, {NONE, SDA, NONE, NONE, NONE, SDA}},
    {"SDA+DDA", "B4 A2", 0xC0, {NONE, SDA, DDA, DDA, NONE, DDA}},
    {"all", "B4 A2", 0xC8, {NONE, SDA, DDA, CDA, CDA, CDA}},
};

/* what fails with no method, SDA, DDA, CDA; data missing, methods hidden; no card key, no issuer
 * key for the PIN; not signed at all; another CID signed than shown */
static const struct fault_row fault_rows[] = {
    {"none", "", {SOUND, SOUND, SOUND, SOUND}, false, false, false, false, false, false},
    {"expired-icc-certificate", "B2 6.4 step 9", {SOUND, SOUND, EARLY, EARLY}, false, false, true, false, false, false},
    {"wrong-pan-certificate", "B2 6.4 step 8", {SOUND, SOUND, EARLY, EARLY}, false, false, true, false, false, false},
    {"expired-issuer-certificate", "B2 5.3 step 9", {SOUND, EARLY, EARLY, EARLY}, false, false, true, true, false, false},
    {"wrong-issuer-hash", "B2 5.3 step 7", {SOUND, EARLY, EARLY, EARLY}, false, false, true, true, false, false},
    {"altered-data", "B2 5.4 step 6, 6.4 step 7", {SOUND, EARLY, EARLY, EARLY}, false, false, true, false, false, false},
    {"missing=9F4A", "B3 10.3: the AIP is not among the data", {SOUND, EARLY, EARLY, EARLY}, false, false, true, false, false, false},
    {"tag-list", "B3 10.3: 9F4A is not 82 alone", {SOUND, EARLY, EARLY, EARLY}, false, false, true, false, false, false},
    {"missing=8F", "B3 7.2, table 29", {SOUND, EARLY, EARLY, EARLY}, true, false, true, true, false, false},
    {"missing=90", "B3 7.2, table 29", {SOUND, EARLY, EARLY, EARLY}, true, false, true, true, false, false},
    {"missing=9F32", "B3 7.2, table 29", {SOUND, EARLY, EARLY, EARLY}, true, false, true, true, false, false},
    {"missing=93", "B3 7.2, table 29: of SDA alone", {SOUND, EARLY, SOUND, SOUND}, true, false, false, false, false, false},
    {"missing=9F46", "B3 7.2, table 30", {SOUND, SOUND, EARLY, EARLY}, true, false, true, false, false, false},
    {"missing=9F47", "B3 7.2, table 30", {SOUND, SOUND, EARLY, EARLY}, true, false, true, false, false, false},
    {"wrong-sdad", "B2 6.5.2, 6.6.2", {SOUND, SOUND, SIGNED, SIGNED}, false, false, false, false, false, false},
    {"sdad-header", "B2 6.5.2 step 3, 6.6.2 step 3", {SOUND, SOUND, SIGNED, SIGNED}, false, false, false, false, false, false},
    {"sdad-trailer", "B2 6.5.2 step 2, 6.6.2 step 2", {SOUND, SOUND, SIGNED, SIGNED}, false, false, false, false, false, false},
    {"sdad-format", "B2 6.5.2 step 4, 6.6.2 step 4", {SOUND, SOUND, SIGNED, SIGNED}, false, false, false, false, false, false},
    {"long-dynamic-number", "B2 table 19; 6.5.2 does not look", {SOUND, SOUND, SOUND, SIGNED}, false, false, false, false, false, false},
    {"short-sdad", "B2 6.5.2 step 1, 6.6.2 step 1", {SOUND, SOUND, SIGNED, SIGNED}, false, false, false, false, false, false},
    {"wrong-un", "B2 6.6.2 step 8", {SOUND, SOUND, SOUND, SIGNED}, false, false, false, false, false, false},
    {"wrong-cid", "B2 6.6.2 step 6", {SOUND, SOUND, SOUND, SIGNED}, false, false, false, false, false, true},
    {"wrong-data-hash", "B2 6.6.2 step 12", {SOUND, SOUND, SOUND, SIGNED}, false, false, false, false, false, false},
    {"unsigned-cda", "B2 6.6.2", {SOUND, SOUND, SOUND, SIGNED}, false, false, false, false, true, false},
    {"format-1-cda", "B2 6.6.2: only format 2", {SOUND, SOUND, SOUND, SIGNED}, false, false, false, false, true, false},
    {"ac-beside-sdad", "B2 6.6.2 step 10: it is under the hash", {SOUND, SOUND, SOUND, SIGNED}, false, false, false, false, false, false},
    {"aip-downgrade", "B3 10.3: by the AIP read, also under the certificate", {SOUND, SOUND, SOUND, SOUND}, false, true, true, false, false, false},
};

/* ---- cardholder verification ---- */

#define ALL    0x98 /* plaintext and enciphered PIN, no CVM */
#define PLAIN  0x88
#define ENC    0x18
#define NOPIN  0x08
#define PINS   0x90 /* without "no CVM" */
#define WRONG3 "9999,9998,9997"

static const struct cvm_row cvm_rows[] = {
    /* id, clause, rules, X, Y, 9F33 byte 2, the person, the card → TVR byte 1, byte 3, 9F34, commands, CVR */
    {"unasked", "B4 table 2: AIP b5", NULL, 0, 0, ALL, "", "", 0, 0, "3F0000", 0, 0},
    {"no-rules", "B3 10.5: as without list", "", 0, 0, ALL, "", "", 0x20, 0, "3F0000", 0, 0},
    {"none-always", "B3 C3", "1F00", 0, 0, ALL, "", "", 0, 0, "1F0002", 0, 0},
    {"none", "B3 C3", "1F03", 0, 0, ALL, "", "", 0, 0, "1F0302", 0, 0},
    {"none-cannot-if", "B4 table 2: no condition holds", "1F03", 0, 0, PINS, "", "", 0, 0x80, "3F0001", 0, 0},
    {"none-cannot", "B4 table 2: not supported", "1F00", 0, 0, PINS, "", "", 0, 0x80, "3F0001", 0, 0},
    {"fail", "B3 10.5.5", "0000", 0, 0, ALL, "", "", 0, 0x80, "000001", 0, 0},
    {"fail-or-next", "B3 10.5.5: ends all the same", "4000,1F00", 0, 0, ALL, "", "", 0, 0x80, "400001", 0, 0},

    /* what this terminal does not do */
    {"online-pin-if", "B3 C3, condition 03", "4203,1F03", 0, 0, ALL, "", "", 0, 0, "1F0302", 0, 0},
    {"online-pin-next", "B3 10.5.2: no PIN pad for it", "4200,1F03", 0, 0, ALL, "", "", 0, 0x10, "1F0302", 0, 0},
    {"online-pin", "B3 10.5.2", "0200", 0, 0, ALL, "", "", 0, 0x90, "3F0001", 0, 0},
    {"signature-if", "B3 C3, condition 03", "1E03,1F03", 0, 0, ALL, "", "", 0, 0, "1F0302", 0, 0},
    {"signature-next", "B3 10.5", "5E00,1F00", 0, 0, ALL, "", "", 0, 0, "1F0002", 0, 0},
    {"signature", "B4 table 2: not supported", "1E00", 0, 0, ALL, "", "", 0, 0x80, "3F0001", 0, 0},
    {"pin-signature-if", "B3 C3: both, or none", "0303,0503,1F03", 0, 0, ALL, "", "", 0, 0, "1F0302", 0, 0},
    {"pin-signature-next", "B3 10.5: there is a PIN pad", "4300,4500,1F03", 0, 0, ALL, "", "", 0, 0, "1F0302", 0, 0},
    {"unknown-next", "B3 10.5: unrecognised", "6F00,1F03", 0, 0, ALL, "", "", 0, 0x40, "1F0302", 0, 0},
    {"unknown", "B4 table 2: not recognised", "2F00,1F03", 0, 0, ALL, "", "", 0, 0xC0, "3F0001", 0, 0},
    {"unknown-if", "B3 C3, condition 03", "6F03,1F03", 0, 0, ALL, "", "", 0, 0, "1F0302", 0, 0},

    /* plaintext PIN */
    {"pin-right", "B3 10.5.1", "0103", 0, 0, ALL, "1234", "", 0, 0, "010302", 2, PERFORMED},
    {"pin-wrong-right", "B3 10.5.1", "0103", 0, 0, ALL, "9999,1234", "", 0, 0, "010302", 3, PERFORMED},
    {"pin-wrong-twice-right", "B3 10.5.1", "0103", 0, 0, ALL, "9999,9998,1234", "", 0, 0, "010302", 4, PERFORMED},
    {"pin-wrong", "B3 10.5.1", "0103", 0, 0, ALL, WRONG3, "", 0, 0xA0, "010301", 4, PERFORMED | FAILED | EXCEEDED},
    {"pin-bypassed", "B4 6.3.4.3", "0103", 0, 0, ALL, "bypass", "", 0, 0x88, "010301", 1, 0},
    {"pin-wrong-bypassed", "B4 6.3.4.3", "0103", 0, 0, ALL, "9999,bypass", "", 0, 0x88, "010301", 2, PERFORMED | FAILED},
    {"pin-no-pad", "B3 10.5.1: not working", "0103", 0, 0, ALL, "nopad", "", 0, 0x90, "010301", 1, 0},
    {"pin-cannot-if", "B4 table 2: no condition holds", "0103", 0, 0, NOPIN, "", "", 0, 0x80, "3F0001", 0, 0},
    {"pin-cannot", "B3 10.5.1: not present", "0100", 0, 0, NOPIN, "", "", 0, 0x90, "3F0001", 0, 0},
    {"pin-blocked-before", "B3 10.5.1: not asked for", "0103", 0, 0, ALL, "", "spent=3", 0, 0xA0, "010301", 1, EXCEEDED},
    {"pin-last-right", "B3 10.5.1", "0103", 0, 0, ALL, "1234", "spent=2", 0, 0, "010302", 2, PERFORMED},
    {"pin-last-wrong", "B3 10.5.1", "0103", 0, 0, ALL, "9999", "spent=2", 0, 0xA0, "010301", 2, PERFORMED | FAILED | EXCEEDED},
    {"pin-or-none-right", "B3 10.5", "4103,1F03", 0, 0, ALL, "1234", "", 0, 0, "410302", 2, PERFORMED},
    {"pin-or-none-wrong", "B3 10.5: next", "4103,1F03", 0, 0, ALL, WRONG3, "", 0, 0x20, "1F0302", 4, PERFORMED | FAILED | EXCEEDED},
    {"pin-or-none-bypassed", "B4 6.3.4.3", "4103,1F03", 0, 0, ALL, "bypass", "", 0, 0x08, "1F0302", 1, 0},
    {"pin-or-none-no-pad", "B3 10.5.1", "4103,1F03", 0, 0, ALL, "nopad", "", 0, 0x10, "1F0302", 1, 0},
    {"pin-or-none-blocked", "B3 10.5.1", "4103,1F03", 0, 0, ALL, "", "spent=3", 0, 0x20, "1F0302", 1, EXCEEDED},
    {"pin-or-fail", "B3 10.5.5", "4103,0000", 0, 0, ALL, WRONG3, "", 0, 0xA0, "000001", 4, PERFORMED | FAILED | EXCEEDED},
    {"pin-or-cannot", "B4 table 2: the last performed", "4103,1E00", 0, 0, ALL, "bypass", "", 0, 0x88, "410301", 1, 0},
    {"plain-only-enciphered", "B3 10.5: the terminal enciphers, but not plain", "4100,1F03", 0, 0, ENC, "", "", 0, 0, "1F0302", 0, 0},

    /* enciphered PIN */
    {"enciphered-right", "B2 7", "0403", 0, 0, ALL, "1234", "", 0, 0, "040302", 3, PERFORMED},
    {"enciphered-wrong-right", "B2 7", "0403", 0, 0, ALL, "9999,1234", "", 0, 0, "040302", 5, PERFORMED},
    {"enciphered-wrong", "B2 7; B3 10.5.1", "0403", 0, 0, ALL, WRONG3, "", 0, 0xA0, "040301", 7, PERFORMED | FAILED | EXCEEDED},
    {"enciphered-bypassed", "B4 6.3.4.3", "0403", 0, 0, ALL, "bypass", "", 0, 0x88, "040301", 1, 0},
    {"enciphered-blocked-before", "B3 10.5.1", "0403", 0, 0, ALL, "", "spent=3", 0, 0xA0, "040301", 1, EXCEEDED},
    {"enciphered-cannot", "B3 C3, condition 03", "0403,0103", 0, 0, PLAIN, "1234", "", 0, 0, "010302", 2, PERFORMED},
    {"plain-cannot", "B3 C3, condition 03", "0103,0403", 0, 0, ENC, "1234", "", 0, 0, "040302", 3, PERFORMED},
    {"both-wrong", "B3 10.5.1: one counter", "4403,4103,1F03", 0, 0, ALL, WRONG3, "", 0, 0x20, "1F0302", 7, PERFORMED | FAILED | EXCEEDED},
    {"both-bypassed", "B4 6.3.4.3: not asked again", "4403,0103", 0, 0, ALL, "bypass", "", 0, 0x88, "010301", 1, 0},
    {"short-challenge", "B2 7.2 step 2", "0403", 0, 0, ALL, "1234", "short-challenge", 0, 0x80, "040301", 2, 0},

    /* conditions, B3 table 44 */
    {"under-x", "06", "1F06", 2000, 0, ALL, "", "", 0, 0, "1F0602", 0, 0},
    {"not-under-x", "06", "1F06,0103", 1000, 0, ALL, "1234", "", 0, 0, "010302", 2, PERFORMED},
    {"at-x", "06, 07: neither at X", "1F06,1F07,0103", 1250, 0, ALL, "1234", "", 0, 0, "010302", 2, PERFORMED},
    {"over-x", "07", "0107,1F03", 1249, 0, ALL, "1234", "", 0, 0, "010702", 2, PERFORMED},
    {"not-over-x", "07", "0107,1F03", 2000, 0, ALL, "", "", 0, 0, "1F0302", 0, 0},
    {"under-y", "08", "1F06,1F08", 1000, 1251, ALL, "", "", 0, 0, "1F0802", 0, 0},
    {"over-y", "09", "1F08,0109", 0, 1000, ALL, "1234", "", 0, 0, "010902", 2, PERFORMED},
    {"at-y", "08, 09: neither at Y", "1F08,1F09", 0, 1250, ALL, "", "", 0, 0x80, "3F0001", 0, 0},
    {"dollars", "06 to 09: application currency alone", "1F06,1F07,1F08,1F09,0103", 2000, 1000, ALL, "1234", "dollars", 0, 0, "010302", 2, PERFORMED},
    {"dollars-only", "06, 07", "1F06,1F07", 2000, 0, ALL, "", "dollars", 0, 0x80, "3F0001", 0, 0},
    {"purchase", "02", "1F02", 0, 0, ALL, "", "", 0, 0, "1F0202", 0, 0},
    {"cash", "01, 04, 05: no purchase", "1F01,1F04,1F05", 0, 0, ALL, "", "", 0, 0x80, "3F0001", 0, 0},
    {"reserved-condition", "0A to 7F: as not satisfied", "1F0A,1F7F", 0, 0, ALL, "", "", 0, 0x80, "3F0001", 0, 0},

    /* cards that lie */
    {"tries-hidden", "B3 10.5.1: 9F17 is optional", "0103", 0, 0, ALL, "1234", "tries-hidden", 0, 0, "010302", 2, PERFORMED},
    {"pin-wedge", "only CVR against 9F34 tells", "0103", 0, 0, ALL, "9999", "pin-wedge", 0, 0, "010302", 2, 0},
    {"yes-card", "nobody can tell", "0103", 0, 0, ALL, "9999", "yes-card", 0, 0, "010302", 2, PERFORMED},
    {"pin-lies", "ours: no second PIN for a counter that stands", "0103", 0, 0, ALL, "9999", "pin-lies", 0, 0xA0, "010301", 2, PERFORMED | FAILED},
};

static const struct key_row key_rows[] = {{"card", "B2 7.1: the ICC key", false}, {"pin", "B2 7.1: the PIN key", true}};

/* ---- restrictions, terminal risk management ---- */

static const struct risk_row risk_rows[] = {
    {"below", "B3 10.6.1", "floor=5000", "", 0, 0, 0, 0},
    {"floor", "B3 10.6.1", "floor=1000", "", 0, 0, 0x80, 0},
    {"at-floor", "B3 10.6.1: equal or over", "floor=1250", "", 0, 0, 0x80, 0},
    {"split-sale", "B3 10.6.1: with what the log holds", "floor=5000 spent=3750", "", 0, 0, 0x80, 0},
    {"random", "B3 10.6.2: of terminals that can go online", "floor=5000 threshold=2000 target=99", "", 0, 0, 0x10, 0},
    {"version", "B3 10.4.1", "floor=5000 version", "", 0, 0x80, 0, 0},
    {"version-floor", "B3 10.4.1, 10.6.1", "floor=1000 version", "", 0, 0x80, 0x80, 0},
    {"hot", "B4 6.3.5: exception file", "floor=5000 hot", "", 0x10, 0, 0, 0},
    {"velocity", "B3 10.6.3: never online", "floor=5000", "velocity", 0, 0x08, 0x60, 2},
    {"unmanaged", "B3 10.6: whatever AIP b4 says; B4 6.3.5", "floor=1000 hot", "norisk", 0x10, 0, 0x80, 0},
};

static const struct type_row type_rows[] = {
    {"both", "B4 A1", 0x35, false, false},
    {"online-only", "B4 A1; B3 10.7", 0x34, true, false},
    {"offline-only", "B4 A1; B3 10.7", 0x36, false, true},
    {"attended", "B4 A1", 0x22, false, false},
};

#define NO "0000000000"

static const struct codes_row codes_rows[] = {
    {"factory", "simcard/perso.c", {"0010000000", "FC78FC9800", "FC50FC8800"}, {NO, NO, NO}},
    {"open", "B3 10.7: nothing stands in the way", {NO, NO, NO}, {NO, NO, NO}},
    {"issuer-denies", "B3 10.7: IAC-Denial", {"FC80FC8000", NO, NO}, {NO, NO, NO}},
    {"terminal-denies", "B3 10.7: TAC-Denial", {NO, NO, NO}, {"7080A06000", NO, NO}},
    {"issuer-online", "B3 10.7: IAC-Online, default lets pass", {NO, "FFFFFFFFFF", NO}, {NO, NO, NO}},
    {"terminal-online", "B3 10.7: TAC-Online, TAC-Default", {NO, NO, NO}, {NO, "FC80FCF000", "FC00FC0000"}},
    {"both", "B3 10.7: either code counts", {"0000200000", "0400000000", "0000008000"}, {"1000000000", "0080008000", "0080000000"}},
};

/* ---- the card's decision: less than asked, never more (B3 9.3) ---- */

static const struct own_row own_rows[] = {
    /*                                       asked: AAC   TC   ARQC   offline only, unable   lies */
    {"plain", "B3 9.3", "", {AAC, TC, ARQC}, TC, TC, {false}, false, false},
    {"asks", "card: a new card goes online", "ask", {AAC, ARQC, ARQC}, TC, TC, {false}, false, false},
    {"asks-unable", "card: a new card only online", "ask unable", {AAC, ARQC, ARQC}, AAC, AAC, {false}, false, false},
    {"unable", "card: none when the issuer is not reached", "unable", {AAC, TC, ARQC}, TC, AAC, {false}, false, false},
    {"declines", "card: no new card", "decline", {AAC, AAC, AAC}, AAC, AAC, {false}, false, false},
    {"always-aac", "B3 9.3", "always-aac", {AAC, AAC, AAC}, AAC, AAC, {false}, false, false},
    {"higher-ac", "B3 9.3; B4 6.3.7", "higher-ac", {TC, TC, TC}, TC, TC, {true, false, true}, false, false},
    {"arqc-again", "B3 9.3: counts as an AAC", "arqc-again", {AAC, TC, ARQC}, TC, TC, {false}, true, false},
    {"reserved-cid", "B3 table 15", "reserved-cid", {AAC, TC, ARQC}, TC, TC, {true, true, true}, false, false},
    {"wrong-ac", "only the issuer can tell", "wrong-ac", {AAC, TC, ARQC}, TC, TC, {false}, false, true},
};

/* ---- the issuer ---- */

static const struct issuer_row issuer_rows[] = {
    /*                           reached  ARC approves  sends   fault → learned, TVR */
    {"approves", "B3 10.9", true, "00", true, GOOD_YES, "", GOOD_YES, false},
    {"approves-10", "ISO 8583 DE 39", true, "10", true, GOOD_YES, "", GOOD_YES, false},
    {"approves-wrong-arpc", "B2 8.2", true, "00", true, WRONG, "", WRONG, true},
    {"approves-no-arpc", "B3 10.9", true, "00", true, NO_ARPC, "", NO_ARPC, false},
    {"approves-arpc-declines", "B2 8.2: 8A was changed on the way", true, "00", true, GOOD_NO, "", GOOD_NO, false},
    {"declines", "B4 6.3.8", true, "05", false, GOOD_NO, "", GOOD_NO, false},
    {"declines-no-arpc", "B4 6.3.8", true, "51", false, NO_ARPC, "", NO_ARPC, false},
    {"declines-wrong-arpc", "B4 6.3.8", true, "05", false, WRONG, "", WRONG, true},
    {"declines-arpc-approves", "B2 8.2: 8A was changed on the way", true, "05", false, GOOD_YES, "", GOOD_YES, false},
    {"referral", "B4 6.3.8: nobody is there to call", true, "01", false, GOOD_NO, "", GOOD_NO, false},
    {"unreached", "B3 10.7, 10.9", false, "", false, NO_ARPC, "", NO_ARPC, false},
    {"card-refuses-arpc", "B3 10.9: any word but 9000", true, "00", true, GOOD_YES, "issuer-refused", NO_ARPC, true},
    {"card-takes-any-arpc", "nobody can tell", true, "00", true, WRONG, "any-arpc", GOOD_YES, false},
};

static const struct way_row way_rows[] = {
    /*                                           external cdol2 learned: nothing, yes, no, wrong */
    {"external", "B3 10.9", true, false, {TC, TC, AAC, AAC}, false},
    {"cdol2", "B3 10.11", false, true, {TC, TC, AAC, AAC}, false},
    {"none", "B3 10.9", false, false, {TC, TC, AAC, AAC}, false},
    {"external-mandatory", "card: no TC without ARPC", true, false, {AAC, TC, AAC, AAC}, true},
    {"cdol2-mandatory", "card: no TC without ARPC", false, true, {AAC, TC, AAC, AAC}, true},
};

#define ID "0000002A"

static const struct script_row script_rows[] = {
    {"none", "", "", "", 0, "", {0, 0}, false, false},
    {"before", "B3 10.10", "71:U", "", 0, "20" ID, {1, 0}, false, false},
    {"after", "B3 10.10", "72:U", "", 0, "20" ID, {0, 1}, false, false},
    {"both", "B3 10.10", "71:U 72:UU", "", 0, "20" ID "20" ID, {1, 2}, false, false},
    {"after-first", "B3 10.10: each in its time", "72:U 71:U", "", 0, "20" ID "20" ID, {1, 1}, false, false},
    {"before-fails", "B2 9.2; B3 10.10", "71:u", "", 0x20, "11" ID, {1, 0}, false, true},
    {"after-fails", "B2 9.2; B3 10.10", "72:u", "", 0x10, "11" ID, {0, 1}, false, false},
    {"second-fails", "B3 10.10: the third is not sent", "71:UuU", "", 0x20, "12" ID, {2, 0}, false, true},
    {"after-fails-only", "B3 10.10", "71:U 72:Uu", "", 0x10, "20" ID "12" ID, {1, 2}, false, false},
    {"malformed", "B3 10.10; B4 A5: not performed", "71:?", "", 0x20, "00" ID, {0, 0}, false, false},
    {"blocks-before", "B3 6.5.1: every further AC is an AAC", "71:B", "", 0, "20" ID, {1, 0}, true, false},
    {"blocks-after", "B3 6.5.1", "72:B", "", 0, "20" ID, {0, 1}, false, false},
    {"refused", "B3 10.10", "71:U 72:U", "script-refused", 0x30, "11" ID "11" ID, {1, 1}, false, false},
};

/* ---- kinds of card, ways to carry ---- */

static const struct kind_row kind_rows[] = {
    {"10", "VIS, CVN 10", 0, 1}, {"18", "VIS, CVN 18", 1, 2}, {"ccd-3des", "B3 C, A5", 2, 2}, {"ccd-aes", "B3 C, A6", 3, 2}};

static const struct carriage_row carriage_rows[] = {
    {"t1-77", "B1 9.2.4; B3 6.5", false, 2}, {"t1-80", "B3 6.5", false, 1}, {"t0-77", "B1 9.2.2", true, 2}, {"t0-80", "B1 9.2.2", true, 1}};

/* ---- which are multiplied ---- */

/* For each factor, in the order of struct combination: "*" every row, "~" another one with each card, else the ids. */
struct product {
    const char *name;
    const char *card, *key, *cvm, *codes, *own, *way, *kind, *carriage, *fault, *risk, *terminal, *type, *issuer, *script;
};

static const struct product products[] = {
    {"cardholder", "*", "~", "*", "factory", "plain", "~", "~", "~", "none", "below,floor", "*", "both", "approves,unreached", "none"},
    {"cardholder-open", "*", "~", "*", "open", "plain", "~", "~", "~", "none", "below", "SDA,all", "attended", "unreached", "none"},
    {"issuer", "SDA,DDA,CDA", "card", "none,pin-right", "factory", "plain", "external,cdol2,none,external-mandatory,cdol2-mandatory", "*", "~",
     "none", "floor", "all", "both",
     "approves,approves-10,approves-wrong-arpc,approves-no-arpc,approves-arpc-declines,declines,declines-no-arpc,declines-wrong-arpc,"
     "declines-arpc-approves,referral,unreached",
     "none,before-fails"},
    {"scripts", "none,SDA,CDA", "card", "none", "factory", "plain", "external,cdol2", "*", "~", "none", "floor", "all", "both",
     "approves,approves-wrong-arpc,declines", "*"},
    {"refused", "SDA,CDA", "card", "none", "factory", "plain", "external,external-mandatory", "*", "*", "none", "floor", "all", "both",
     "card-refuses-arpc,card-takes-any-arpc", "none,after"},
    {"decision", "SDA,CDA", "card", "none,pin-wrong", "*", "plain,asks,asks-unable,unable,declines", "external", "~", "~", "none",
     "below,at-floor,split-sale,random,version,version-floor,hot,velocity,unmanaged", "all", "both,online-only,offline-only", "approves,unreached",
     "none"},
    {"liars", "none,SDA,DDA,CDA", "card", "none,pin-wrong", "factory,open,terminal-denies", "always-aac,higher-ac,arqc-again,reserved-cid",
     "external", "~", "~", "none", "below,floor,hot", "all", "both,online-only,offline-only", "approves,unreached", "none"},
    {"faults", "SDA,DDA,CDA", "~", "none,pin-right,enciphered-right,enciphered-wrong", "factory,open", "plain,asks", "~", "~", "~", "*",
     "below,floor", "all", "both", "approves,unreached", "none"},
    {"carriage", "none,SDA,DDA,CDA", "~", "none,pin-wrong-right,enciphered-right,pin-or-none-blocked", "factory", "plain,wrong-ac", "external,cdol2",
     "*", "*", "none", "below,floor", "all", "both", "approves,unreached", "none"},
};

#endif
