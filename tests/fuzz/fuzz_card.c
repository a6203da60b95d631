/* Commands to a card: each is a length byte and so many bytes (255: reset). Whatever comes, the
 * answer has a status word, fits, and gives away neither a PIN try nor a counter. The first byte's
 * lowest bits say what the card is: T=0 or T=1, then its kind. Keys are fixed, so that a seed can
 * hold an ARPC and script commands that are right. */
#include "fuzz.h"

#include <limits.h>
#include <string.h>

#include "simcard/card.h"
#include "simcard/perso.h"

#define RESET 255

/* CVN 10 with EXTERNAL AUTHENTICATE, the others with 91 in CDOL2. */
static void make_kind(struct card_profile *p, unsigned kind)
{
    static const uint8_t cdol2[] = {0x8A, 0x02, 0x91, 0x08, 0x9F, 0x02, 0x06, 0x95, 0x05};

    p->cvn = (enum emv_cvn)kind;
    p->arpc = kind == EMV_CVN_10 ? 1 : 2;
    if (kind == EMV_CVN_10) {
        p->aip[0] |= 0x04;
    } else {
        memcpy(p->cdol2.p, cdol2, sizeof(cdol2));
        p->cdol2.n = sizeof(cdol2);
    }
    memset(p->ac_key.p, 0x11, p->ac_key.n);
    memset(p->smi_key.p, 0x22, p->smi_key.n);
    memset(p->smc_key.p, 0x44, p->smc_key.n);
}

/* A card with the smallest keys there are, made anew for each input from one scheme and one key, so
 * that inputs do not know of each other. */
static struct card *make_card(unsigned what)
{
    static struct scheme *scheme; /* both made once: it takes time */
    static struct secret key;
    struct scheme_params sp;
    struct perso_params p;
    struct card_profile *profile;
    struct card *card;
    struct tp_error e;

    scheme_defaults(&sp);
    sp.authority_bits = sp.issuer_bits = 512;
    HOLDS(scheme != NULL || scheme_new(&scheme, &sp, &e) == TP_OK);
    perso_defaults(&p);
    if (key.p == NULL) {
        HOLDS(emv_privkey_generate(&p.key, 512, 3) == TP_OK &&
              emv_privkey_export(&key, p.key) == TP_OK);
        emv_privkey_free(&p.key);
    }
    HOLDS(emv_privkey_import(&p.key, secret_span(&key)) == TP_OK);
    p.pan = "9990140000000015";
    p.pin = span_str("1234");
    p.expiry = 20301231;
    p.t0 = (what & 1) != 0;
    p.issuer = PERSO_ISSUER_NONE; /* make_kind says where it is */
    p.offline_limit = 2;
    p.offline_maximum = 3;
    HOLDS(perso_make(&profile, scheme, &p, &e) == TP_OK);
    make_kind(profile, what >> 1 & 3);
    HOLDS(card_new(&card, &profile) == TP_OK);
    return card;
}

/* UINT_MAX: the card is blocked and tells nothing. */
static unsigned tries_left(struct card *c)
{
    static const uint8_t select[] = {0x00, 0xA4, 0x04, 0x00, 0x05, 0xF0, 0x00, 0x00, 0x00, 0x14};
    static const uint8_t get[] = {0x80, 0xCA, 0x9F, 0x17, 0x04};
    uint8_t raw[258];
    struct buf out = BUF_OF(raw);

    HOLDS(card_transmit(c, SPAN_OF(select), &out) == TP_OK);
    if (raw[0] == 0x6A && raw[1] == 0x81)
        return UINT_MAX;
    out.n = 0;
    HOLDS(card_transmit(c, SPAN_OF(get), &out) == TP_OK);
    HOLDS(out.n == 6 && raw[4] == 0x90);
    return raw[3];
}

static void reset(struct card *c)
{
    uint8_t raw[33];
    struct buf atr = BUF_OF(raw);

    HOLDS(card_power_on(c, &atr) == TP_OK);
    HOLDS(raw[0] == 0x3B);
}

/* One command; counts wrong PINs since the last right one. */
static void send(struct card *c, struct span command, unsigned *wrong)
{
    uint8_t raw[258];
    struct buf out = BUF_OF(raw);

    HOLDS(card_transmit(c, command, &out) == TP_OK);
    HOLDS(out.n >= 2);
    HOLDS(out.n == 2 || raw[out.n - 2] == 0x90 || raw[out.n - 2] == 0x62);
    HOLDS(raw[out.n - 2] != 0x6F); /* an answer that could not be made */
    if (raw[out.n - 2] == 0x63 && raw[out.n - 1] >= 0xC0)
        ++*wrong;
    if (command.n > 1 && (command.p[1] == 0x20 || command.p[1] == 0x24) &&
        raw[0] == 0x90) /* the right PIN; the issuer's PIN CHANGE/UNBLOCK */
        *wrong = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = {data, size}, command;
    struct card *card = make_card(size > 0 ? data[0] : 0);
    unsigned wrong = 0, left;
    uint8_t n;

    reset(card);
    for (int commands = 0; commands < 64 && span_u8(&in, &n) == TP_OK; commands++) {
        if (n == RESET)
            reset(card);
        else if (span_take(&in, n < in.n ? n : in.n, &command) == TP_OK)
            send(card, command, &wrong);
    }
    left = tries_left(card);
    HOLDS(left == UINT_MAX || left == 3 - wrong);
    card_close(&card);
    return 0;
}
