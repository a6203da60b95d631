#include "simcard/fault.h"

#include <openssl/rand.h>
#include <string.h>

#include "apdu/emvtags.h"
#include "apdu/sw.h"
#include "apdu/tlv.h"
#include "simcard/card.h"

#define NUMBER_MAX 1000

/* In the order of enum fault. */
static const struct fault_name names[FAULT_COUNT] = {
    [FAULT_WRONG_SDAD] = {"wrong-sdad", 0, 0},
    [FAULT_WRONG_DATA_HASH] = {"wrong-data-hash", 0, 0},
    [FAULT_WRONG_UN] = {"wrong-un", 0, 0},
    [FAULT_WRONG_CID] = {"wrong-cid", 0, 0},
    [FAULT_WRONG_AC] = {"wrong-ac", 0, 0},
    [FAULT_HIGHER_AC] = {"higher-ac", 0, 0},
    [FAULT_EXPIRED_ICC_CERT] = {"expired-icc-certificate", 0, 0},
    [FAULT_EXPIRED_ISSUER_CERT] = {"expired-issuer-certificate", 0, 0},
    [FAULT_WRONG_ISSUER_HASH] = {"wrong-issuer-hash", 0, 0},
    [FAULT_ALTERED_DATA] = {"altered-data", 0, 0},
    [FAULT_ATC_REPLAY] = {"atc-replay", 0, 0},
    [FAULT_TRUNCATED_TLV] = {"truncated-tlv", 0, 0},
    [FAULT_ENDLESS_RECORDS] = {"endless-records", 0, 0},
    [FAULT_WILD_AFL] = {"wild-afl", 0, 0},
    [FAULT_TWICE] = {"twice", 0, 0},
    [FAULT_MUTE] = {"mute", 1, NUMBER_MAX},
    [FAULT_TORN_OUT] = {"torn-out", 1, NUMBER_MAX},
    [FAULT_OVERSIZED] = {"oversized", 0, 0},
    [FAULT_EMPTY] = {"empty", 0, 0},
    [FAULT_RANDOM_SW] = {"random-sw", 0, 0},
    [FAULT_PIN_LIES] = {"pin-lies", 0, 0},
    [FAULT_ENDLESS_61] = {"endless-61", 0, 0},
    [FAULT_BAD_ATR] = {"bad-atr", 0, 0},
    [FAULT_SLOW] = {"slow", 300, 60000},
};

static const struct card_fault_text texts[FAULT_COUNT] = {
    [FAULT_WRONG_SDAD] = {"wrong-sdad", "flips a bit of the signature (9F4B)", "CDA or DDA failed; never acknowledged"},
    [FAULT_WRONG_DATA_HASH] = {"wrong-data-hash", "signs a transaction data hash of other data", "CDA failed; acquirer: SDAD_DATA_HASH"},
    [FAULT_WRONG_UN] = {"wrong-un", "signs another unpredictable number", "CDA failed; acquirer: SDAD_HASH"},
    [FAULT_WRONG_CID] = {"wrong-cid", "shows a TC (9F27) over a signed ARQC", "CDA failed; acquirer: SDAD_CID"},
    [FAULT_WRONG_AC] = {"wrong-ac", "gives a cryptogram of no key, rightly signed", "only the issuer can tell, and declines"},
    [FAULT_HIGHER_AC] = {"higher-ac", "answers TC whatever was asked for", "end the transaction (Book 4, 6.3.7 and Book 3, 9.3.1)"},
    [FAULT_EXPIRED_ICC_CERT] = {"expired-icc-certificate", "has a card certificate that ended in 2019", "offline authentication failed"},
    [FAULT_EXPIRED_ISSUER_CERT] = {"expired-issuer-certificate", "has an issuer certificate that ended in 2019", "offline authentication failed"},
    [FAULT_WRONG_ISSUER_HASH] = {"wrong-issuer-hash", "has an issuer exponent (9F32) that the certificate does not cover",
                                 "offline authentication failed"},
    [FAULT_ALTERED_DATA] = {"altered-data", "moves the expiry in a signed record ten years on", "offline authentication failed"},
    [FAULT_ATC_REPLAY] = {"atc-replay", "counts no transaction: the ATC stays at 1", "acquirer refuses the second payment: ATC_REPLAYED"},
    [FAULT_TRUNCATED_TLV] = {"truncated-tlv", "leaves the last byte out of each answer", "end the transaction: data do not parse"},
    [FAULT_ENDLESS_RECORDS] = {"endless-records", "has a directory without last record", "stop reading it after a bound"},
    [FAULT_WILD_AFL] = {"wild-afl", "has an AFL with file 0 and a last record before the first", "end the transaction"},
    [FAULT_TWICE] = {"twice", "has the PAN in two records", "end the transaction: redundant data (Book 3, 10.2)"},
    [FAULT_MUTE] = {"mute[=N]", "answers nothing from command N on", "say so within the reader's waiting time"},
    [FAULT_TORN_OUT] = {"torn-out[=N]", "leaves the reader at command N", "end, nothing paid; with an AC given: keep it as unfinished"},
    [FAULT_OVERSIZED] = {"oversized", "answers with 300 bytes more than it should", "end the transaction, no overrun"},
    [FAULT_EMPTY] = {"empty", "answers 9000 without data", "end the transaction: mandatory data missing"},
    [FAULT_RANDOM_SW] = {"random-sw", "answers each command with a random status word", "end the transaction"},
    [FAULT_PIN_LIES] = {"pin-lies", "always claims 15 tries, even when blocked", "a bound of its own on PIN entry"},
    [FAULT_ENDLESS_61] = {"endless-61", "promises more data (61xx) for ever", "stop after a bound"},
    [FAULT_BAD_ATR] = {"bad-atr", "sends an ATR whose check byte is wrong", "reject the card"},
    [FAULT_SLOW] = {"slow[=MS]", "takes MS milliseconds (300) for each answer", "wait, show progress"},
};

const struct card_fault_text *card_fault_at(size_t i)
{
    return i < FAULT_COUNT ? &texts[i] : NULL;
}

const struct fault_name *fault_find(const char *name, size_t n, enum fault *which)
{
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        if (strlen(names[i].name) != n || strncmp(names[i].name, name, n) != 0)
            continue;
        *which = (enum fault)i;
        return &names[i];
    }
    return NULL;
}

/* ---- what the card holds ---- */

/* The value of a tag in the records, to be written to. The records are the profile's own memory. */
static uint8_t *object_of(struct card_profile *p, uint32_t tag, size_t *n)
{
    for (size_t i = 0; i < p->records_n; i++) {
        struct profile_record *r = &p->records[i];
        struct tlv object;

        if (tlv_find_deep(span_of(r->data, r->n), tag, &object) != TP_OK)
            continue;
        *n = object.value.n;
        return r->data + (object.value.p - r->data);
    }
    return NULL;
}

static void exchange(struct card_profile *p, uint32_t tag, const struct profile_bytes *with)
{
    size_t n;
    uint8_t *value = object_of(p, tag, &n);

    if (value != NULL && n == with->n)
        memcpy(value, with->p, n);
}

static void add_byte(struct card_profile *p, uint32_t tag, uint8_t add)
{
    size_t n;
    uint8_t *value = object_of(p, tag, &n);

    if (value != NULL && n > 0)
        value[0] = (uint8_t)(value[0] + add);
}

/* The PAN once more, at the end of the first record that has room and has none. */
static void double_pan(struct card_profile *p)
{
    struct span pan;

    if (profile_object(p, TAG_PAN, &pan) != TP_OK)
        return;
    for (size_t i = 0; i < p->records_n; i++) {
        struct profile_record *r = &p->records[i];
        uint8_t raw[PROFILE_RECORD_MAX];
        struct buf whole = BUF_OF(raw);
        struct span in = {r->data, r->n};
        struct tlv template, there;

        if (tlv_next(&in, &template) != TP_OK || tlv_find(template.value, TAG_PAN, &there) == TP_OK)
            continue;
        if (tlv_put_header(&whole, TAG_RECORD, template.value.n + tlv_size(TAG_PAN, pan.n)) != TP_OK || buf_put(&whole, template.value) != TP_OK ||
            tlv_put(&whole, TAG_PAN, pan) != TP_OK)
            continue;
        memcpy(r->data, raw, whole.n);
        r->n = whole.n;
        return;
    }
}

static void make_wild_afl(struct card_profile *p)
{
    static const uint8_t wild[] = {0x00, 0x01, 0x01, 0x00, 0x10, 0x03, 0x01, 0x02};

    memcpy(p->afl.p, wild, sizeof(wild));
    p->afl.n = sizeof(wild);
}

void fault_profile(enum fault which, struct card_profile *p)
{
    switch (which) {
    case FAULT_EXPIRED_ICC_CERT:
        exchange(p, TAG_ICC_CERT, &p->expired_icc_cert);
        break;
    case FAULT_EXPIRED_ISSUER_CERT:
        exchange(p, TAG_ISSUER_CERT, &p->expired_issuer_cert);
        break;
    case FAULT_WRONG_ISSUER_HASH:
        add_byte(p, TAG_ISSUER_EXPONENT, 0x02);
        break;
    case FAULT_ALTERED_DATA:
        add_byte(p, TAG_EXPIRY, 0x10);
        break;
    case FAULT_WILD_AFL:
        make_wild_afl(p);
        break;
    case FAULT_TWICE:
        double_pan(p);
        break;
    default:
        break;
    }
}

/* ---- what it does ---- */

void fault_atr(const struct fault_set *f, struct buf *atr)
{
    if (f->on[FAULT_BAD_ATR])
        atr->p[atr->n - 1] ^= 0x5A;
}

enum fault_fate fault_before(struct fault_set *f)
{
    if (f->commands < UINT32_MAX)
        f->commands++;
    if (f->on[FAULT_TORN_OUT] && f->commands == f->number[FAULT_TORN_OUT])
        return FATE_GONE;
    if (f->on[FAULT_MUTE] && f->commands >= f->number[FAULT_MUTE])
        return FATE_MUTE;
    return FATE_LIVE;
}

uint16_t fault_atc(const struct fault_set *f, uint16_t atc)
{
    return f->on[FAULT_ATC_REPLAY] && atc > 1 ? 1 : atc;
}

uint8_t fault_cid(const struct fault_set *f, uint8_t cid)
{
    return f->on[FAULT_HIGHER_AC] ? 0x40 : cid;
}

void fault_generate_ac(const struct fault_set *f, struct fault_ac *plan)
{
    if (f->on[FAULT_WRONG_AC])
        for (size_t i = 0; i < sizeof(plan->ac); i++)
            plan->ac[i] ^= 0xA5;
    if (f->on[FAULT_WRONG_UN])
        plan->un[0] ^= 0x01;
    if (f->on[FAULT_WRONG_CID])
        plan->cid_signed = plan->cid == 0x80 ? 0x40 : 0x80;
    if (f->on[FAULT_WRONG_DATA_HASH])
        plan->response_flip = 0x01;
}

void fault_sdad(const struct fault_set *f, uint8_t *sdad, size_t n)
{
    if (f->on[FAULT_WRONG_SDAD])
        sdad[n - 1] ^= 0x01;
}

uint8_t fault_tries(const struct fault_set *f, uint8_t tries)
{
    return f->on[FAULT_PIN_LIES] ? 15 : tries;
}

bool fault_endless_directory(const struct fault_set *f)
{
    return f->on[FAULT_ENDLESS_RECORDS];
}

static void set_sw(struct buf *answer, uint16_t sw)
{
    answer->p[answer->n - 2] = (uint8_t)(sw >> 8);
    answer->p[answer->n - 1] = (uint8_t)sw;
}

static void only_sw(struct buf *answer, uint16_t sw)
{
    answer->n = 2;
    set_sw(answer, sw);
}

static void drop_last(struct buf *answer)
{
    answer->p[answer->n - 3] = answer->p[answer->n - 2];
    answer->p[answer->n - 2] = answer->p[answer->n - 1];
    answer->n--;
}

static void pad(struct buf *answer, size_t n)
{
    const uint8_t sw[2] = {answer->p[answer->n - 2], answer->p[answer->n - 1]};

    answer->n -= 2;
    if (buf_fill(answer, 0x41, n) != TP_OK || buf_put(answer, SPAN_OF(sw)) != TP_OK)
        answer->n = 0;
}

void fault_response(const struct fault_set *f, const struct capdu *command, struct buf *answer)
{
    uint8_t random[2];

    if (f->on[FAULT_PIN_LIES] && command->ins == INS_VERIFY && answer->p[answer->n - 2] == 0x69)
        set_sw(answer, SW_PIN_TRIES_LEFT | 15);
    if (f->on[FAULT_TRUNCATED_TLV] && answer->n > 2)
        drop_last(answer);
    if (f->on[FAULT_EMPTY])
        only_sw(answer, SW_OK);
    if (f->on[FAULT_OVERSIZED])
        pad(answer, 300);
    if (f->on[FAULT_ENDLESS_61])
        only_sw(answer, 0x6110);
    if (f->on[FAULT_RANDOM_SW] && RAND_bytes(random, sizeof(random)) == 1)
        set_sw(answer, (uint16_t)(0x6000 | (random[0] & 0x0F) << 8 | random[1]));
}
