/* The universal types of ASN.1 (ISO/IEC 8824-1, table 1), which stand among other people's BER. */
#include <inttypes.h>
#include <openssl/objects.h>

#include "base/text.h"
#include "decode/decode_priv.h"

enum { BOOLEAN = 0x01, INTEGER = 0x02, OID = 0x06, ENUMERATED = 0x0A };

static const struct {
    uint8_t tag;
    bool text;
    const char *name;
} types[] = {{0x01, false, "ASN.1 BOOLEAN"},
             {0x02, false, "ASN.1 INTEGER"},
             {0x03, false, "ASN.1 BIT STRING"},
             {0x04, false, "ASN.1 OCTET STRING"},
             {0x05, false, "ASN.1 NULL"},
             {0x06, false, "ASN.1 OBJECT IDENTIFIER"},
             {0x07, true, "ASN.1 ObjectDescriptor"},
             {0x09, false, "ASN.1 REAL"},
             {0x0A, false, "ASN.1 ENUMERATED"},
             {0x0C, true, "ASN.1 UTF8String"},
             {0x0D, false, "ASN.1 RELATIVE-OID"},
             {0x12, true, "ASN.1 NumericString"},
             {0x13, true, "ASN.1 PrintableString"},
             {0x14, true, "ASN.1 TeletexString"},
             {0x16, true, "ASN.1 IA5String"},
             {0x17, true, "ASN.1 UTCTime"},
             {0x18, true, "ASN.1 GeneralizedTime"},
             {0x1A, true, "ASN.1 VisibleString"},
             {0x30, false, "ASN.1 SEQUENCE"},
             {0x31, false, "ASN.1 SET"}};

const char *decode_asn1_name(uint32_t tag)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i].tag == tag)
            return types[i].name;
    return NULL;
}

static void say_integer(struct says *s, struct span v)
{
    int64_t n = v.n > 0 && (v.p[0] & 0x80) != 0 ? -1 : 0;

    for (size_t i = 0; i < v.n && v.n <= 8; i++)
        n = (int64_t)((uint64_t)n << 8 | v.p[i]);
    if (v.n <= 8)
        say(s, "%" PRId64, n);
}

static void say_oid(struct says *s, struct span v)
{
    uint8_t der[2 + 127];
    struct buf b = BUF_OF(der);
    const unsigned char *at = der;
    char text[128];
    ASN1_OBJECT *o = NULL;

    if (v.n < 128 && buf_u8(&b, OID) == TP_OK && buf_u8(&b, (uint8_t)v.n) == TP_OK &&
        buf_put(&b, v) == TP_OK)
        o = d2i_ASN1_OBJECT(NULL, &at, (long)b.n);
    if (o == NULL || OBJ_obj2txt(text, sizeof(text), o, 1) <= 0) {
        say(s, "no object identifier");
        ASN1_OBJECT_free(o);
        return;
    }
    if (OBJ_obj2nid(o) != NID_undef)
        say(s, "%s, %s", text, OBJ_nid2ln(OBJ_obj2nid(o)));
    else
        say(s, "%s", text);
    ASN1_OBJECT_free(o);
}

void say_asn1(struct says *s, uint32_t tag, struct span v)
{
    s->clause = "ISO/IEC 8825-1";
    if (tag == BOOLEAN && v.n == 1)
        say(s, v.p[0] != 0 ? N_("true") : N_("false"));
    else if (tag == INTEGER || tag == ENUMERATED)
        say_integer(s, v);
    else if (tag == OID)
        say_oid(s, v);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i].tag == tag && types[i].text)
            say_latin(s, v);
}
