/* What data of EMV mean, in words: objects as a tree for programs (JSON) and people (decode_print).
 * The dictionary is apdu/emvtags.h, the names of bits are apdu/emvbits.c's; what is more than a
 * name or a bit, numbers, dates, codes, is put into words here. Names and sentences are in the
 * language of who runs the program: text_english before, where a program reads them.
 *
 * An object of the tree, its members in this order, those left out that there is nothing for:
 *     tag      "9F27"; "DE 39", "TA1" where it is none of EMV
 *     name     as in the dictionary
 *     length   bytes of the value
 *     value    hex, with * for what may not be seen (apdu/shown.h); of DE the text
 *     means    list of sentences
 *     clause   where they come from: "EMV 4.4 Book 3, C5"
 *     fault    what is wrong, with offset: where (bytes from the beginning of what was given)
 *     objects  what it holds */
#ifndef TP_DECODE_DECODE_H
#define TP_DECODE_DECODE_H

#include <jansson.h>
#include <stdio.h>

#include "apdu/shown.h"
#include "apdu/tlv.h"
#include "crypto/capk.h"
#include "decode/names.h"

#define DECODE_DEPTH_MAX   24  /* templates within each other */
#define DECODE_OBJECTS_MAX 512 /* that are remembered, for those whose meaning hangs on others */

enum decode_scheme { /* whose 9F6E and 9F1D; DECODE_ANY: by the AID among the data, else none */
                     DECODE_ANY,
                     DECODE_VISA,
                     DECODE_MASTERCARD,
                     DECODE_AMEX
};

struct decode {                    /* one card and what is known of it; start with zeros */
    struct shown shown;            /* .all: nothing is masked */
    const struct capk_store *keys; /* opens certificates; NULL: they stay closed */
    struct span rid;               /* whose authority keys, where no AID is among the data */
    const struct names *names;     /* of countries and languages; NULL: none */
    enum decode_scheme scheme;
    struct tlv object[DECODE_OBJECTS_MAX]; /* learnt so far; borrowed */
    size_t objects;
    unsigned cryptograms; /* GENERATE ACs seen: the second one's data are those of CDOL2 */
};

/* Each makes a list of objects, *out, also of what came before a fault. What is given must live as
 * long as d is used. TP_ERR_FORMAT with the first fault and its offset, TP_ERR_NO_MEMORY (*out is
 * then NULL). */
TP_MUST_CHECK enum tp_err decode_tlv(json_t **out, struct decode *d, struct span in,
                                     struct tp_error *e);
/* One object whose tag is known and whose value is given alone. */
TP_MUST_CHECK enum tp_err decode_value(json_t **out, struct decode *d, uint32_t tag,
                                       struct span value, struct tp_error *e);
/* Tags with lengths; with the values that such a list asks for (values.p not NULL), these. */
TP_MUST_CHECK enum tp_err decode_dol(json_t **out, struct decode *d, struct span dol,
                                     struct span values, struct tp_error *e);
TP_MUST_CHECK enum tp_err decode_tags(json_t **out, struct decode *d, struct span in,
                                      struct tp_error *e);
/* An answer to reset, with what EMV asks of it. */
TP_MUST_CHECK enum tp_err decode_atr(json_t **out, struct decode *d, struct span in,
                                     struct tp_error *e);
/* A message of ISO 8583 as doc/protocol.md packs it. */
TP_MUST_CHECK enum tp_err decode_message(json_t **out, struct decode *d, struct span in,
                                         struct tp_error *e);
/* A command, and (p not NULL) what was answered. */
TP_MUST_CHECK enum tp_err decode_exchange(json_t **out, struct decode *d, struct span command,
                                          struct span response, struct tp_error *e);
/* A status word, after a command with that INS (0: any). */
TP_MUST_CHECK enum tp_err decode_status(json_t **out, uint16_t sw, uint8_t ins);

/* A code as people write it: letters of either case, or digits. TP_ERR_NOT_FOUND naming it. */
enum decode_code { DECODE_COUNTRY, DECODE_CURRENCY, DECODE_LANGUAGE, DECODE_MCC };
TP_MUST_CHECK enum tp_err decode_code(json_t **out, const struct decode *d, enum decode_code kind,
                                      const char *code, struct tp_error *e);
/* Bytes as text in the alphabet of ISO/IEC 8859 with that number. */
TP_MUST_CHECK enum tp_err decode_text(json_t **out, struct decode *d, unsigned alphabet,
                                      struct span in);

/* Remembers the objects of in, as decoding does, without saying anything of them: for what comes
 * before its own place. */
void decode_learn(struct decode *d, struct span in);

/* The tree for people, indented. Whether `to` takes it, ferror says. */
void decode_print(FILE *to, const json_t *objects);

#endif
