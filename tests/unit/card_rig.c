#include "card_rig.h"

#include <stdio.h>

static struct scheme **scheme_slot(void)
{
    static struct scheme *made; /* the one thing the tests of a program share */

    return &made;
}

static void free_scheme(void)
{
    scheme_free(scheme_slot());
}

struct scheme *rig_scheme(void)
{
    struct scheme **slot = scheme_slot();
    struct scheme_params p;
    struct tp_error e;

    if (*slot == NULL) {
        scheme_defaults(&p);
        ck_ok(scheme_new(slot, &p, &e));
        ck_assert_int_eq(atexit(free_scheme), 0);
    }
    return *slot;
}

void rig_params(struct perso_params *p)
{
    perso_defaults(p);
    p->pan = RIG_PAN;
    p->pin = span_str("1234");
    p->expiry = 20301231;
    p->effective = 20200101;
    p->issuer = PERSO_ISSUER_NONE; /* RIG_CDOL2 has no issuer authentication data */
}

void rig_set_object(struct card_profile *profile, uint32_t tag, const char *hex)
{
    uint8_t value_raw[PROFILE_BYTES_MAX], body_raw[PROFILE_RECORD_MAX];
    struct buf value = BUF_OF(value_raw), body = BUF_OF(body_raw);
    struct tp_error e = {TP_OK, ""};
    bool found = false;

    ck_ok(hex_decode(&value, hex));
    for (size_t i = 0; i < profile->records_n && !found; i++) {
        struct profile_record *record = &profile->records[i];
        struct span in = {record->data, record->n};
        struct tlv template, object;

        ck_ok(tlv_next(&in, &template));
        body.n = 0;
        while (tlv_next(&template.value, &object) == TP_OK) {
            found |= object.tag == tag;
            ck_ok(tlv_put(&body, object.tag, object.tag == tag ? buf_span(&value) : object.value));
        }
        if (found) {
            struct buf whole = BUF_OF(record->data);

            ck_ok(tlv_put(&whole, template.tag, buf_span(&body)));
            record->n = whole.n;
        }
    }
    ck_assert_msg(found, "no record has tag %X", (unsigned)tag);
    ck_assert_msg(profile_index(profile, &e) == TP_OK, "%s", e.text);
}

void rig_start(struct rig *r, const struct perso_params *p)
{
    rig_start_with(r, p, NULL, NULL);
}

void rig_start_with(struct rig *r, const struct perso_params *p,
                    void (*change)(struct card_profile *profile, const void *how), const void *how)
{
    struct card_profile *profile;
    struct tp_error e = {TP_OK, ""};
    uint8_t raw[33];
    struct buf atr = BUF_OF(raw);

    memset(r, 0, sizeof(*r));
    r->scheme = rig_scheme();
    ck_assert_msg(perso_make(&profile, r->scheme, p, &e) == TP_OK, "%s", e.text);
    if (change != NULL)
        change(profile, how);
    ck_ok(card_new(&r->card, &profile));
    ck_ok(card_power_on(r->card, &atr));
}

void rig_end(struct rig *r)
{
    card_close(&r->card);
    emv_pubkey_free(&r->icc);
}

unsigned rig_send(struct rig *r, const char *hex)
{
    uint8_t command[300];
    struct buf c = BUF_OF(command), a = BUF_OF(r->answer);

    ck_ok(hex_decode(&c, hex));
    ck_ok(card_transmit(r->card, buf_span(&c), &a));
    ck_assert_uint_ge(a.n, 2);
    r->answer_n = a.n - 2;
    r->sw = (unsigned)(r->answer[a.n - 2] << 8 | r->answer[a.n - 1]);
    return r->sw;
}

struct span rig_answer(const struct rig *r)
{
    return span_of(r->answer, r->answer_n);
}

struct span rig_value(const struct rig *r, uint32_t tag)
{
    struct tlv object = {0};

    ck_assert_msg(tlv_find_deep(rig_answer(r), tag, &object) == TP_OK, "tag %X is missing",
                  (unsigned)tag);
    return object.value;
}

void rig_begin(struct rig *r)
{
    ck_assert_uint_eq(rig_send(r, RIG_SELECT), 0x9000);
    ck_assert_uint_eq(rig_send(r, RIG_GPO), 0x9000);
}

unsigned rig_first_ac(struct rig *r, const char *p1)
{
    char hex[400];

    snprintf(hex, sizeof(hex), "80AE%s0059%s00", p1, RIG_CDOL1);
    return rig_send(r, hex);
}

unsigned rig_second_ac(struct rig *r, const char *p1, const char *arc)
{
    char hex[400];

    snprintf(hex, sizeof(hex), "80AE%s0022%s%s00", p1, arc, RIG_CDOL2);
    return rig_send(r, hex);
}
