/* What the files of this room share: building objects and saying what they mean. */
#ifndef TP_DECODE_DECODE_PRIV_H
#define TP_DECODE_DECODE_PRIV_H

#include "apdu/emvtags.h"
#include "crypto/emvcert.h"
#include "decode/decode.h"

/* Sentences on one value. */
struct says {
    const struct decode *d;
    json_t *lines;
    const char *clause;
    bool failed; /* no memory */
};

/* What is said is translated there, format by format; what is put into one is translated before. */
void say(struct says *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A list that is being made, and the first fault that was met. */
struct listing {
    struct decode *d;
    json_t *list;
    const uint8_t *start; /* of what was given; NULL: offsets count from the value */
    struct tp_error fault;
    unsigned depth; /* lists around it */
    bool values;    /* those of a list of tags: none of them is such a list itself */
    bool failed;    /* no memory */
};

/* A new object at the end of the list; name, which is translated here, and value may be NULL. NULL:
 * no memory, noted. */
json_t *listing_add(struct listing *l, const char *tag, const char *name);
json_t *listing_add_value(struct listing *l, uint32_t tag, struct span value);
void listing_means(struct listing *l, json_t *object, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void listing_set(struct listing *l, json_t *object, const char *member, json_t *value); /* takes */
/* A fault at a place, with what is left undecoded there. */
void listing_fault(struct listing *l, struct span at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The objects of in, to the end of the list. */
void listing_tlv(struct listing *l, struct span in);
/* The tags of a list with the lengths it asks for, or, values.p not NULL, these. */
void listing_dol(struct listing *l, struct span dol, struct span values);
void listing_tags(struct listing *l, struct span in);
/* What a primitive value holds that is an object of its own, as objects of o. */
void listing_parts(struct listing *l, json_t *o, uint32_t tag, struct span value);
/* A command, and (p not NULL) what was answered. */
void listing_exchange(struct listing *l, struct span command, struct span response);
/* A list that an object of l holds: to begin, and to end. */
struct listing listing_inside(const struct listing *l);
void listing_close(struct listing *l, json_t *object, struct listing *inside);
TP_MUST_CHECK enum tp_err listing_take(struct listing *l, json_t **out, struct tp_error *e);

/* Remembers one object; the values of a list, as far as they reach. */
void decode_learn_one(struct decode *d, uint32_t tag, struct span value);
void decode_learn_values(struct decode *d, struct span dol, struct span values);
/* The value that was learnt of a tag; n 0: none. */
struct span decode_find(const struct decode *d, uint32_t tag);

/* Says what a value means, and sets clause. */
void decode_say(struct says *s, uint32_t tag, struct span value);
void say_bits(struct says *s, enum emv_bitmap map, struct span value); /* those that are set */
void say_alphabet(struct says *s, struct span value, unsigned table);  /* of ISO/IEC 8859 */
void say_latin(struct says *s, struct span value);                     /* ISO/IEC 8859-1 */
void say_iad(struct says *s, struct span value);                       /* 9F10 */
void say_issuer_authentication(struct says *s, struct span value);     /* 91 */
void say_9f6e(struct says *s, struct span value);
void say_risk_data(struct says *s, struct span value);  /* 9F1D */
void say_registered(struct says *s, struct span value); /* 9F0A */
void say_asn1(struct says *s, uint32_t tag, struct span value);
void say_issuer_certificate(struct says *s, struct span value); /* 90 */
void say_icc_certificate(struct says *s, struct span value);    /* 9F46 */
void say_pin_certificate(struct says *s, struct span value);    /* 9F2D */
void say_static_signature(struct says *s, struct span value);   /* 93 */
void say_dynamic_signature(struct says *s, struct span value);  /* 9F4B */
/* The same by elliptic curves; false, and nothing is said: it is none of these. */
bool say_ec_issuer_certificate(struct says *s, struct span cert);
bool say_ec_card_certificate(struct says *s, struct span cert, enum emv_icc_key which);
bool say_ec_signature(struct says *s, struct span in);
const char *decode_name(uint32_t tag);        /* of the dictionary, or ASN.1; NULL: none */
const char *decode_asn1_name(uint32_t tag);   /* of the universal class; NULL: none */
const char *decode_aid_name(struct span aid); /* whose application; NULL: not known */
const char *decode_mcc_name(unsigned mcc);    /* NULL: not known */

#endif
