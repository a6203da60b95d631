/* What comes of an issuer's answer, clause by clause: EMV 4.4 Book 3, 10.9-10.11; Book
 * 4, 6.3.8, 6.3.9, Annex A5 (Issuer Script Results) and A6 (response codes). Written down from the
 * Books, not computed. The card is that of paper.c with CDA and asks for the issuer over 10.00; the
 * payment is of 12.50. */
#ifndef TP_TESTS_ISSUER_ROWS_H
#define TP_TESTS_ISSUER_ROWS_H

#include "kernel/kernel.h"

struct issuer_row {
    const char *clause;
    const char *card, *answers, *terminal;
    enum tp_err error;
    enum kernel_outcome outcome;
    const char *tvr, *tsi;
    const char *results;  /* 9F5B, "" none */
    const char *sent;     /* the commands behind the first GENERATE AC, each by its beginning */
    const char *response; /* 8A */
    bool reversal;        /* the issuer said yes, and no TC came of it */
};

#define YES  KERNEL_APPROVED
#define NO   KERNEL_DECLINED
#define ENDS KERNEL_TERMINATED

#define ONLINE "9F0F=0000008000 "
#define AUTH   "aip=3D00 " ONLINE      /* the card has EXTERNAL AUTHENTICATE: AIP byte 1, bit 3 */
#define IAD8   "iad=1122334455667788 " /* 91: an ARPC of method 2, or what an issuer likes */
#define IAD10  "iad=11223344556677883030 " /* of method 1 */
#define TO10                                                                                       \
    "0082000"                                                                                      \
    "00A"                                                                                          \
    "11223344556677883030" /* EXTERNAL AUTHENTICATE, case 3 */
#define FLOOR "floor=1000 "

/* Commands of scripts: PIN UNBLOCK with MAC, APPLICATION UNBLOCK, APPLICATION BLOCK, PUT DATA */
#define PIN_UNBLOCK "8424000008A1A2A3A4A5A6A7A8"
#define APP_UNBLOCK "8418000008B1B2B3B4B5B6B7B8"
#define PUT_DATA    "04DA9F58050A11223344"
#define C1          "860D" PIN_UNBLOCK
#define C2          "860D" APP_UNBLOCK
#define C3          "860A" PUT_DATA

static const struct issuer_row issuer_rows[] = {
    /* Issuer authentication */
    {"10.9 no 91", AUTH, "", FLOOR "arc=00", TP_OK, YES, "0000008000", "E800", "", "80AE50", "3030",
     false},
    {"10.9 91, the card has the command", AUTH, "0082=9000", FLOOR "arc=00 " IAD10, TP_OK, YES,
     "0000008000", "F800", "", TO10 " 80AE50", "3030", false},
    {"10.9 91 of 8 bytes", AUTH, "0082=9000", FLOOR "arc=00 " IAD8, TP_OK, YES, "0000008000",
     "F800", "", "00820000081122334455667788 80AE50", "3030", false},
    {"10.9 91 of 16 bytes", AUTH, "0082=9000", FLOOR "arc=00 iad=112233445566778899AABBCCDDEEFF00",
     TP_OK, YES, "0000008000", "F800", "", "0082000010112233445566778899AABBCCDDEEFF00 80AE50",
     "3030", false},
    {"Annex A 91 of 7 bytes is none", AUTH, "", FLOOR "arc=00 iad=11223344556677", TP_OK, YES,
     "0000008000", "E800", "", "80AE50", "3030", false},
    {"10.9 91, the card has no such command", ONLINE, "", FLOOR "arc=00 " IAD10, TP_OK, YES,
     "0000008000", "E800", "", "80AE50", "3030", false},
    {"10.2 a card does not speak for its issuer",
     AUTH "91=11223344556677883030 8A=3030 89=414141414141", "", FLOOR "arc=05", TP_OK, NO,
     "0000008000", "E800", "", "80AE00", "3035", false},
    {"10.9 authentication failed, 6300: the card judges", AUTH, "0082=6300", FLOOR "arc=00 " IAD10,
     TP_OK, YES, "0000008040", "F800", "", TO10 " 80AE50", "3030", false},
    {"10.9 authentication failed, 6985", AUTH, "0082=6985", FLOOR "arc=00 " IAD10, TP_OK, YES,
     "0000008040", "F800", "", TO10 " 80AE50", "3030", false},
    {"10.9 authentication failed, the card declines", AUTH "ac2=00", "0082=6300",
     FLOOR "arc=00 " IAD10, TP_OK, NO, "0000008040", "F800", "", TO10 " 80AE50", "3030", true},
    {"10.9 authentication of a refusal", AUTH, "0082=9000", FLOOR "arc=05 " IAD10, TP_OK, NO,
     "0000008000", "F800", "", TO10 " 80AE00", "3035", false},
    {"10.9 not reached: nothing of the answer counts", AUTH, "",
     FLOOR "unreached " IAD10 "scripts=710F" C1, TP_OK, YES, "0000008000", "E800", "", "80AE50",
     "5933", false},

    {"Book 4 A1 a terminal that is offline only does not ask", "ac1=80", "",
     "type=36 arc=00 " IAD10 "scripts=710F" C1, TP_OK, YES, "0000000000", "E800", "", "80AE50",
     "5933", false},

    /* Response codes */
    {"ISO 8583 08: honour with identification", ONLINE, "", FLOOR "arc=08", TP_OK, YES,
     "0000008000", "E800", "", "80AE50", "3038", false},
    {"ISO 8583 10: approved for a partial amount", ONLINE, "", FLOOR "arc=10", TP_OK, YES,
     "0000008000", "E800", "", "80AE50", "3130", false},
    {"ISO 8583 11: approved, VIP", ONLINE, "", FLOOR "arc=11", TP_OK, YES, "0000008000", "E800", "",
     "80AE50", "3131", false},
    {"Book 4 6.3.8 referral 01", ONLINE, "", FLOOR "arc=01", TP_OK, NO, "0000008000", "E800", "",
     "80AE00", "3031", false},
    {"Book 4 6.3.8 referral 02", ONLINE, "", FLOOR "arc=02", TP_OK, NO, "0000008000", "E800", "",
     "80AE00", "3032", false},
    {"Book 4 6.3.8 51", ONLINE, "", FLOOR "arc=51", TP_OK, NO, "0000008000", "E800", "", "80AE00",
     "3531", false},
    {"Book 4 A6 Z3", ONLINE "9F0D=0000008000", "", FLOOR "unreached", TP_OK, NO, "0000008000",
     "E800", "", "80AE00", "5A33", false},

    /* Scripts */
    {"10.10 71: before the second GENERATE AC", ONLINE, "8424=9000", FLOOR "arc=00 scripts=710F" C1,
     TP_OK, YES, "0000008000", "EC00", "2000000000", PIN_UNBLOCK " 80AE50", "3030", false},
    {"10.10 72: behind it", ONLINE, "8424=9000", FLOOR "arc=00 scripts=720F" C1, TP_OK, YES,
     "0000008000", "EC00", "2000000000", "80AE50 " PIN_UNBLOCK, "3030", false},
    {"10.10 71 behind EXTERNAL AUTHENTICATE", AUTH, "0082=9000 8424=9000",
     FLOOR "arc=00 " IAD10 "scripts=710F" C1, TP_OK, YES, "0000008000", "FC00", "2000000000",
     TO10 " " PIN_UNBLOCK " 80AE50", "3030", false},
    {"10.10 scripts of a refusal", ONLINE, "8424=9000", FLOOR "arc=55 scripts=720F" C1, TP_OK, NO,
     "0000008000", "EC00", "2000000000", "80AE00 " PIN_UNBLOCK, "3535", false},
    {"10.10 identifier, three commands in order", ONLINE, "8424=9000 8418=9000 04DA=9000",
     FLOOR "arc=00 scripts=7131"
           "9F1804AABBCCDD" C1 C2 C3,
     TP_OK, YES, "0000008000", "EC00", "20AABBCCDD",
     PIN_UNBLOCK " " APP_UNBLOCK " " PUT_DATA " 80AE50", "3030", false},
    {"10.10 72 before 71 in the answer: each in its time", ONLINE, "8424=9000 8418=9000",
     FLOOR "arc=00 scripts=7216"
           "9F180400000072" C1 "7116"
           "9F180400000071" C2,
     TP_OK, YES, "0000008000", "EC00", "20000000712000000072", APP_UNBLOCK " 80AE50 " PIN_UNBLOCK,
     "3030", false},
    {"10.10 two scripts of one kind", ONLINE, "8424=9000 8418=9000",
     FLOOR "arc=00 scripts=710F" C1 "710F" C2, TP_OK, YES, "0000008000", "EC00",
     "20000000002000000000", PIN_UNBLOCK " " APP_UNBLOCK " 80AE50", "3030", false},
    {"10.10 an error ends the script", ONLINE, "8424=9000 8418=6985",
     FLOOR "arc=00 scripts=712A" C1 C2 C3, TP_OK, YES, "0000008020", "EC00", "1200000000",
     PIN_UNBLOCK " " APP_UNBLOCK " 80AE50", "3030", false},
    {"10.10 an error ends the script, not the next one", ONLINE, "8424=6A80 8418=9000",
     FLOOR "arc=00 scripts=711E" C1 C1 "710F" C2, TP_OK, YES, "0000008020", "EC00",
     "11000000002000000000", PIN_UNBLOCK " " APP_UNBLOCK " 80AE50", "3030", false},
    {"10.10 an error behind the second GENERATE AC", ONLINE, "8424=6988",
     FLOOR "arc=00 scripts=720F" C1, TP_OK, YES, "0000008010", "EC00", "1100000000",
     "80AE50 " PIN_UNBLOCK, "3030", false},
    {"10.10 errors in both", ONLINE, "8424=6988 8418=6700",
     FLOOR "arc=00 scripts=710F" C1 "720F" C2, TP_OK, YES, "0000008030", "EC00",
     "11000000001100000000", PIN_UNBLOCK " 80AE50 " APP_UNBLOCK, "3030", false},
    {"10.10 warnings 62xx and 63xx are no errors", ONLINE, "8424=6283 8418=63C2 04DA=9000",
     FLOOR "arc=00 scripts=712A" C1 C2 C3, TP_OK, YES, "0000008000", "EC00", "2000000000",
     PIN_UNBLOCK " " APP_UNBLOCK " " PUT_DATA " 80AE50", "3030", false},
    {"10.10 execution errors 64xx and 65xx are errors", ONLINE, "8424=6400 8418=6581",
     FLOOR "arc=00 scripts=710F" C1 "720F" C2, TP_OK, YES, "0000008030", "EC00",
     "11000000001100000000", PIN_UNBLOCK " 80AE50 " APP_UNBLOCK, "3030", false},
    {"10.10 a script without commands", ONLINE, "", FLOOR "arc=00 scripts=71079F180401020304",
     TP_OK, YES, "0000008000", "EC00", "2001020304", "80AE50", "3030", false},
    {"A5 sequence 15 and above", ONLINE,
     "0000=9000 0000=9000 0000=9000 0000=9000 0000=9000 0000=9000 0000=9000 0000=9000 0000=9000 "
     "0000=9000 0000=9000 0000=9000 0000=9000 0000=9000 "
     "0000="
     "9000 0000=6985",
     FLOOR "arc=00 scripts=7160"
           "860400000000860400000000860400000000860400000000860400000000860400000000860400000000860"
           "400000000"
           "860400000000860400000000860400000000860400000000860400000000860400000000860400000000860"
           "400000000",
     TP_OK, YES, "0000008020", "EC00", "1F00000000",
     "0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 80AE50",
     "3030", false},
    {"10.10 any command is delivered, case 2 and case 4 too", ONLINE,
     "80CA9F3600=9F3602002A9000 00880000=9000",
     FLOOR "arc=00 scripts=7113"
           "860580CA9F3600"
           "860A00880000041122334400",
     TP_OK, YES, "0000008000", "EC00", "2000000000",
     "80CA9F36 00880000"
     "0411223344 80AE50",
     "3030", false},

    /* Scripts that are none: not begun (A5: not performed), and the others go on */
    {"10.10 another object in a script", ONLINE, "8418=9000",
     FLOOR "arc=00 scripts=7112" C1 "5A0199"
           "710F" C2,
     TP_OK, YES, "0000008020", "EC00", "00000000002000000000", APP_UNBLOCK " 80AE50", "3030",
     false},
    {"10.10 a command whose lengths do not agree", ONLINE, "",
     FLOOR "arc=00 scripts=7116"
           "9F180401020304"
           "860D"
           "8424000009A1A2A3A4A5A6A7A8",
     TP_OK, YES, "0000008020", "EC00", "0001020304", "80AE50", "3030", false},
    {"10.10 a command too short for one", ONLINE, "", FLOOR "arc=00 scripts=72058603842400", TP_OK,
     YES, "0000008010", "EC00", "0000000000", "80AE50", "3030", false},
    {"10.10 a command cut by its script's end", ONLINE, "",
     FLOOR "arc=00 scripts=710E860D8424000008A1A2A3A4A5A6A7", TP_OK, YES, "0000008020", "EC00",
     "0000000000", "80AE50", "3030", false},
    {"10.10 a script cut by the answer's end", ONLINE, "8424=9000",
     FLOOR "arc=00 scripts=710F" C1 "720F860D84", TP_OK, YES, "0000008010", "EC00",
     "20000000000000000000", PIN_UNBLOCK " 80AE50", "3030", false},
    {"10.10 an identifier of the wrong length", ONLINE, "",
     FLOOR "arc=00 scripts=7115"
           "9F1803010203" C1,
     TP_OK, YES, "0000008020", "EC00", "0000000000", "80AE50", "3030", false},
    {"10.10 an identifier behind a command", ONLINE, "",
     FLOOR "arc=00 scripts=7116" C1 "9F180401020304", TP_OK, YES, "0000008020", "EC00",
     "0000000000", "80AE50", "3030", false},
    {"10.10 what is no script is passed over", ONLINE, "8424=9000",
     FLOOR "arc=00 scripts=8A023030"
           "710F" C1,
     TP_OK, YES, "0000008000", "EC00", "2000000000", PIN_UNBLOCK " 80AE50", "3030", false},

    /* The end: a reversal is due whenever the issuer's yes came to nothing */
    {"10.11 the card refuses what the issuer approves", ONLINE "ac2=00", "", FLOOR "arc=00", TP_OK,
     NO, "0000008000", "E800", "", "80AE50", "3030", true},
    {"10.11 the card refuses, scripts behind go on", ONLINE "ac2=00", "8424=9000",
     FLOOR "arc=00 scripts=720F" C1, TP_OK, NO, "0000008000", "EC00", "2000000000",
     "80AE50 " PIN_UNBLOCK, "3030", true},
    {"Book 2 6.6.2 the TC's signature is wrong", ONLINE "sdad2=flipped", "", FLOOR "arc=00", TP_OK,
     NO, "0400008000", "E800", "", "80AE50", "3030", true},
    {"Book 2 6.6.2 the ARQC's signature is wrong: the issuer is not asked", ONLINE "sdad1=flipped",
     "", FLOOR "arc=00 scripts=720F" C1, TP_OK, NO, "0400008000", "E800", "", "80AE00", "5A31",
     false},
    {"6.5.5.5 the second GENERATE AC is refused", ONLINE, "80AE90=+ 80AE50=6985",
     FLOOR "arc=00 scripts=720F" C1, TP_OK, ENDS, "0000008000", "E800", "", "80AE50", "3030", true},
    {"9.3 the second GENERATE AC gives an ARQC: an AAC", ONLINE "ac2=80", "", FLOOR "arc=00", TP_OK,
     NO, "0000008000", "E800", "", "80AE50", "3030", true},
    {"torn out at EXTERNAL AUTHENTICATE", AUTH, "0082=-", FLOOR "arc=00 " IAD10, TP_ERR_CARD, ENDS,
     "0000008000", "E800", "", TO10, "3030", true},
    {"torn out in a script before", ONLINE, "8424=9000 8418=-",
     FLOOR "arc=00 scripts=712A" C1 C2 C3, TP_ERR_CARD, ENDS, "0000008020", "EC00", "1200000000",
     PIN_UNBLOCK " " APP_UNBLOCK, "3030", true},
    {"torn out at the second GENERATE AC", ONLINE, "80AE90=+ 80AE50=-", FLOOR "arc=00", TP_ERR_CARD,
     ENDS, "0000008000", "E800", "", "80AE50", "3030", true},
    {"torn out behind an issuer's no", ONLINE, "80AE90=+ 80AE00=-", FLOOR "arc=05", TP_ERR_CARD,
     ENDS, "0000008000", "E800", "", "80AE00", "3035", false},
    {"torn out in a script behind the TC: paid", ONLINE, "8424=9000 8418=-",
     FLOOR "arc=00 scripts=722A" C1 C2 C3 "720F" C1, TP_OK, YES, "0000008010", "EC00",
     "12000000000000000000", "80AE50 " PIN_UNBLOCK " " APP_UNBLOCK, "3030", false},
};

#endif
