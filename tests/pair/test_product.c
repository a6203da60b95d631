/* Terminal × card × issuer over the product of methods, cardholder verification, decisions,
 * issuers' answers, scripts and faults: several thousand payments in process. TVR, TSI, CVM
 * results, cryptograms asked for, response code, script results, reversal and outcome of each are
 * compared with the second statement of product_rows.h and product_expect.c; besides, for each: the
 * ATC moved once, every cryptogram is the one that the issuer works out from the TVR that should
 * stand there, the card's CVR says what happened, no command was sent that need not be, and the
 * acquirer takes the evidence of what CDA approved.
 *
 * A mismatch prints the combination in words. Any of these words as arguments run only what has
 * them all: tests/pair/test_product product=issuer way=cdol2 script=none kind=18 */
#include "unit/unit.h"

#include <stdarg.h>
#include <stdio.h>

#include "apdu/tlv.h"
#include "crypto/iad.h"
#include "crypto/script.h"
#include "ledger/evidence.h"
#include "pair_scheme.h"
#include "paper.h"
#include "payer/message.h"
#include "product.h"
#include "product_rows.h"
#include "simcard/card_priv.h"
#include "simcard/inproc.h"
#include "simcard/perso.h"
#include "wire/iso8583.h"

#define PAN     "9990140000000015"
#define DATE    20261123
#define SHOWN   20 /* mismatches that are printed */
#define FACTORS 14
#define CHAINS  64

static struct {
    struct scheme *scheme;
    struct capk_store *store;
    struct evidence_cache *cache;
    struct secret card_key, pin_key; /* DER, made once */
    char *const *words;              /* of the command line */
} common;

/* ---- combinations ---- */

#define FACTOR(name, rows)                                                                         \
    {                                                                                              \
        name, &rows[0].id, sizeof(rows[0]), sizeof(rows) / sizeof(rows[0])                         \
    }

/* In the order of struct combination and of struct product; those that make another card first. */
static const struct factor {
    const char *name;
    const char *const *first; /* id of the first row */
    size_t stride, n;
} factors[FACTORS] = {
    FACTOR("card", card_rows),     FACTOR("key", key_rows),           FACTOR("cvm", cvm_rows),
    FACTOR("codes", codes_rows),   FACTOR("own", own_rows),           FACTOR("way", way_rows),
    FACTOR("kind", kind_rows),     FACTOR("carriage", carriage_rows), FACTOR("fault", fault_rows),
    FACTOR("risk", risk_rows),     FACTOR("terminal", terminal_rows), FACTOR("type", type_rows),
    FACTOR("issuer", issuer_rows), FACTOR("script", script_rows),
};

static const char *row_id(size_t factor, size_t row)
{
    return *(const char *const *)((const char *)factors[factor].first +
                                  row * factors[factor].stride);
}

static struct combination combine(const size_t row[FACTORS])
{
    return (struct combination){&card_rows[row[0]],    &key_rows[row[1]],       &cvm_rows[row[2]],
                                &codes_rows[row[3]],   &own_rows[row[4]],       &way_rows[row[5]],
                                &kind_rows[row[6]],    &carriage_rows[row[7]],  &fault_rows[row[8]],
                                &risk_rows[row[9]],    &terminal_rows[row[10]], &type_rows[row[11]],
                                &issuer_rows[row[12]], &script_rows[row[13]],   row[0]};
}

/* ---- the card ---- */

struct bench {
    struct card *card;
    size_t made[10]; /* rows that it was made of: factors 0 to 9 */
    struct inproc_card inproc;
    struct reader *reader;
};

struct run { /* one payment */
    const struct product *product;
    const size_t *row;
    struct combination c;
    struct expected want;
    struct bench *b;
    struct paper_terminal t;
    const char *pins; /* what is left of them */
    char p1[8];
    unsigned commands;
    unsigned authorised;
    bool wrong; /* a mismatch was found */
    unsigned *mismatches;
};

static void words_of(char out[400], const struct run *r)
{
    int n = snprintf(out, 400, "product=%s", r->product->name);

    for (size_t i = 0; i < FACTORS; i++)
        n += snprintf(out + n, 400 - (size_t)n, " %s=%s", factors[i].name, row_id(i, r->row[i]));
}

static void mismatch(struct run *r, const char *format, ...)
{
    char words[400];
    va_list list;

    if (!r->wrong) {
        r->wrong = true;
        (*r->mismatches)++;
        words_of(words, r);
        if (*r->mismatches <= SHOWN)
            printf("\n%s\n    (%s; %s; %s; %s; %s)\n", words, r->c.cvm->clause, r->c.own->clause,
                   r->c.risk->clause, r->c.issuer->clause, r->c.fault->clause);
    }
    if (*r->mismatches > SHOWN)
        return;
    va_start(list, format);
    printf("    ");
    vprintf(format, list);
    printf("\n");
    va_end(list);
}

static bool has_word(const char *text, const char *word)
{
    const char *at = strstr(text, word);
    const size_t n = strlen(word);

    return at != NULL && (at[n] == '\0' || at[n] == ' ') && (at == text || at[-1] == ' ');
}

static void add_fault(struct card *card, const char *spec)
{
    struct tp_error e;

    ck_assert_msg(card_add_fault(card, spec, &e) == TP_OK, "%s", e.text);
}

static bool is_word(const char *text)
{
    static const char *const words[] = {"",       "dollars", "ask",      "ask unable",
                                        "unable", "decline", "velocity", "norisk"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return strncmp(text, "spent=", 6) == 0;
}

static void set_decision(struct perso_params *p, const char *words)
{
    p->ask_online |= has_word(words, "ask") ? CARD_RISK_NEW_CARD : 0;
    p->decline |= has_word(words, "decline") ? CARD_RISK_NEW_CARD : 0;
    p->decline_unable |= has_word(words, "unable") ? CARD_RISK_NEW_CARD : 0;
}

static uint8_t aip_of(const struct combination *c)
{
    return (uint8_t)(c->card->methods | (c->cvm->list != NULL ? 0x10 : 0) |
                     (strcmp(c->risk->card, "norisk") != 0 ? 0x08 : 0) |
                     (c->way->external ? 0x04 : 0));
}

static struct card *make_card(const struct combination *c)
{
    struct perso_params p;
    struct card_profile *profile;
    struct card *card;
    struct tp_error e;
    char aip[5];
    bool own, pin;

    perso_defaults(&p);
    p.pan = PAN;
    p.psn = 1;
    p.pin = span_str("1234");
    p.expiry = 20301231;
    p.effective = 20200101;
    p.bits = 1024;
    p.cvm = c->cvm->list != NULL ? c->cvm->list : "1F00";
    p.cvm_x = c->cvm->x;
    p.cvm_y = c->cvm->y;
    p.currency = has_word(c->cvm->card, "dollars") ? 840 : 978;
    p.pin_bits = c->key->own ? 768 : 0;
    p.iac_denial = c->codes->iac[0];
    p.iac_online = c->codes->iac[1];
    p.iac_default = c->codes->iac[2];
    set_decision(&p, c->own->card);
    if (strcmp(c->risk->card, "velocity") == 0)
        p.terminal_lower = p.terminal_upper = 0;
    snprintf(aip, sizeof(aip), "%02X00", aip_of(c));
    p.aip = aip;
    p.cvn = (enum emv_cvn)c->kind->cvn;
    p.arpc = c->kind->arpc;
    p.issuer = c->way->external ? PERSO_ISSUER_EXTERNAL
               : c->way->cdol2  ? PERSO_ISSUER_CDOL2
                                : PERSO_ISSUER_NONE;
    p.issuer_mandatory = c->way->mandatory;
    p.t0 = c->carriage->t0;
    p.format = c->carriage->format;
    perso_keys_wanted(&p, &own, &pin);
    if (own)
        ck_ok(emv_privkey_import(&p.key, secret_span(&common.card_key)));
    if (pin)
        ck_ok(emv_privkey_import(&p.pin_key, secret_span(&common.pin_key)));
    ck_assert_msg(perso_make(&profile, common.scheme, &p, &e) == TP_OK, "%s", e.text);
    ck_ok(card_new(&card, &profile));
    return card;
}

static void note_command(void *ctx, struct span command, struct span response)
{
    struct run *r = *(struct run **)ctx;
    const size_t n = strlen(r->p1);

    if (command.n < 4 || command.p[1] == INS_SELECT || command.p[1] == INS_READ_RECORD ||
        command.p[1] == INS_GET_PROCESSING_OPTIONS || command.p[1] == INS_GET_RESPONSE ||
        (response.n == 2 && response.p[0] == 0x6C))
        return;
    r->commands++;
    if (command.p[1] == INS_GENERATE_AC && n + 4 < sizeof(r->p1))
        snprintf(r->p1 + n, sizeof(r->p1) - n, "%s%02X", n > 0 ? "," : "", command.p[2]);
}

static struct run *current; /* of the trace */

static void bench_close(struct bench *b)
{
    reader_close(&b->reader);
    card_close(&b->card);
}

/* A fresh card: the one before is reset when it would be made alike. */
static void bench_card(struct bench *b, const struct run *r)
{
    if (b->card == NULL || memcmp(b->made, r->row, sizeof(b->made)) != 0) {
        bench_close(b);
        b->card = make_card(&r->c);
        memcpy(b->made, r->row, sizeof(b->made));
        if (strcmp(r->c.fault->id, "none") != 0)
            add_fault(b->card, r->c.fault->id);
        if (!is_word(r->c.cvm->card))
            add_fault(b->card, r->c.cvm->card);
        if (!is_word(r->c.own->card))
            add_fault(b->card, r->c.own->card);
        b->inproc = card_inproc(b->card);
        ck_ok(inproc_open(&b->reader, &b->inproc));
        reader_set_trace(b->reader, note_command, &current);
    }
    state_fresh(&b->card->state, b->card->profile);
    b->card->faults.on[FAULT_ISSUER_REFUSED] = b->card->faults.on[FAULT_ANY_ARPC] =
        b->card->faults.on[FAULT_SCRIPT_REFUSED] = false;
    if (r->c.issuer->card[0] != '\0')
        add_fault(b->card, r->c.issuer->card);
    if (r->c.script->card[0] != '\0')
        add_fault(b->card, r->c.script->card);
}

/* PIN tries that others have spent, in a session of their own: SELECT, GET PROCESSING OPTIONS,
 * VERIFY. True when there was one. */
static bool spend_tries(struct bench *b, const char *words)
{
    static const uint8_t select[] = {0x00, 0xA4, 0x04, 0x00, 0x07, 0xF0,
                                     0x00, 0x00, 0x00, 0x14, 0x10, 0x10};
    static const uint8_t options[] = {0x80, 0xA8, 0x00, 0x00, 0x08, 0x83, 0x06,
                                      0x20, 0x98, 0xC8, 0x02, 0x50, 0x35};
    static const uint8_t verify[] = {0x00, 0x20, 0x00, 0x80, 0x08, 0x24, 0x99,
                                     0x99, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    uint8_t raw[300];
    struct buf out = BUF_OF(raw);

    if (strncmp(words, "spent=", 6) != 0)
        return false;
    ck_ok(card_power_on(b->card, &out));
    out.n = 0;
    ck_ok(card_transmit(b->card, SPAN_OF(select), &out));
    out.n = 0;
    ck_ok(card_transmit(b->card, SPAN_OF(options), &out));
    for (int i = 0; i < words[6] - '0'; i++) {
        out.n = 0;
        ck_ok(card_transmit(b->card, SPAN_OF(verify), &out));
        ck_assert_uint_eq(raw[0], 0x63);
    }
    card_power_off(b->card);
    return true;
}

/* ---- the issuer ---- */

static void derive(struct secret *out, enum emv_cvn cvn, const struct secret *des,
                   const struct secret *aes)
{
    ck_ok(emv_master_key_derive(out, cvn, secret_span(cvn == EMV_CCD_AES ? aes : des), PAN, 0x01));
}

static void ac_key(struct secret *session, const struct run *r, const struct transaction *tx)
{
    const enum emv_cvn cvn = (enum emv_cvn)r->c.kind->cvn;
    struct secret key = {NULL, 0};

    derive(&key, cvn, &common.scheme->ac_key, &common.scheme->ac_aes_key);
    ck_ok(emv_session_key_ac(session, cvn, secret_span(&key), transaction_get(tx, TAG_ATC).p));
    secret_free(&key);
}

/* Book 2, 8.1: over what the terminal should have said, not over what it says it said. */
static bool ac_right(const struct run *r, const struct transaction *tx, struct span session,
                     const uint8_t tvr[5])
{
    static const uint8_t before[] = {0, 0, 0, 0, 0x12, 0x50, 0, 0, 0, 0, 0, 0, 0x02, 0x50},
                         after[] = {0x09, 0x78, 0x26, 0x11, 0x23, 0x00, 0xDE, 0xAD, 0xBE, 0xEF};
    const enum emv_cvn cvn = (enum emv_cvn)r->c.kind->cvn;
    const uint8_t aip[2] = {aip_of(&r->c), 0x00};
    const struct span iad = transaction_get(tx, TAG_IAD), got = transaction_get(tx, TAG_AC);
    uint8_t raw[128], ac[8];
    struct buf data = BUF_OF(raw);

    ck_ok(buf_put(&data, SPAN_OF(before)));
    ck_ok(buf_put(&data, span_of(tvr, 5)));
    ck_ok(buf_put(&data, SPAN_OF(after)));
    ck_ok(buf_put(&data, SPAN_OF(aip)));
    ck_ok(buf_put(&data, transaction_get(tx, TAG_ATC)));
    ck_ok(buf_put(&data, cvn == EMV_CVN_10 && iad.n >= 7 ? span_of(iad.p + 3, 4) : iad));
    ck_ok(emv_ac_make(ac, cvn, session, buf_span(&data)));
    return span_eq(SPAN_OF(ac), got);
}

static void put_arpc(const struct run *r, const struct transaction *tx, struct span session,
                     struct kernel_issuer_answer *out)
{
    const enum emv_cvn cvn = (enum emv_cvn)r->c.kind->cvn;
    const struct issuer_row *i = r->c.issuer;
    const bool yes = i->sent == GOOD_YES || (i->sent == WRONG && i->approves);
    const uint8_t csu[4] = {0x00, yes ? EMV_CSU_APPROVES : 0x00, 0x00, 0x00};
    uint8_t *at = out->authentication.p;

    if (r->c.kind->arpc == 1) {
        memcpy(at + 8, yes == i->approves ? i->arc : yes ? "00" : "05", 2);
        ck_ok(emv_arpc_1(at, cvn, session, transaction_get(tx, TAG_AC).p, at + 8));
        out->authentication.n = 10;
    } else {
        ck_ok(emv_arpc_2(at, cvn, session, transaction_get(tx, TAG_AC).p, csu,
                         (struct span){NULL, 0}));
        memcpy(at + 4, csu, 4);
        out->authentication.n = 8;
    }
    if (i->sent == WRONG)
        at[0] ^= 0x01;
}

static void put_command(struct buf *body, struct emv_script *s, const struct emv_script_keys *keys,
                        char which)
{
    const uint8_t head[4] = {0x80, which == 'B' ? INS_APPLICATION_BLOCK : INS_PIN_CHANGE_UNBLOCK,
                             0x00, 0x00};
    uint8_t raw[EMV_SCRIPT_APDU_MAX];
    struct buf apdu = BUF_OF(raw);

    ck_ok(emv_script_close(&apdu, s, keys, head, (struct span){NULL, 0}, false));
    if (which == 'u')
        apdu.p[apdu.n - 1] ^= 0x01;
    ck_ok(tlv_put(body, TAG_SCRIPT_COMMAND, buf_span(&apdu)));
    if (which == '?') /* its last byte is missing */
        body->n--;
}

static void put_scripts(const struct run *r, const struct transaction *tx,
                        struct kernel_issuer_answer *out)
{
    const enum emv_cvn cvn = (enum emv_cvn)r->c.kind->cvn;
    struct emv_script s =
        emv_script_start(cvn, transaction_get(tx, TAG_ATC).p, transaction_get(tx, TAG_AC).p);
    struct emv_script_keys keys;
    struct secret smi = {NULL, 0}, smc = {NULL, 0};
    struct buf whole = {out->scripts.p, 0, sizeof(out->scripts.p)};

    derive(&smi, cvn, &common.scheme->smi_key, &common.scheme->smi_aes_key);
    derive(&smc, cvn, &common.scheme->smc_key, &common.scheme->smc_aes_key);
    ck_ok(emv_script_keys_derive(&keys, cvn, secret_span(&smi), secret_span(&smc), s.atc, s.chain));
    for (unsigned template = TAG_SCRIPT_71; template <= TAG_SCRIPT_72;
         template ++) /* MACs run in the order in which the card gets them */
        for (const char *at = r->c.script->scripts; at != NULL;
             at = strchr(at, ' ') == NULL ? NULL : strchr(at, ' ') + 1) {
            uint8_t raw[256];
            struct buf body = BUF_OF(raw);

            if (at[1] - '0' != (int)(template & 0x0F))
                continue;
            ck_ok(tlv_put(&body, TAG_SCRIPT_ID, span_of("\x00\x00\x00\x2A", 4)));
            for (const char *k = at + 3; *k != '\0' && *k != ' '; k++)
                put_command(&body, &s, &keys, *k);
            ck_ok(tlv_put(&whole, template, buf_span(&body)));
        }
    out->scripts.n = whole.n;
    emv_script_keys_free(&keys);
    secret_free(&smi);
    secret_free(&smc);
}

static struct span get(const void *ctx, uint32_t tag)
{
    return transaction_get(ctx, tag);
}

/* What the acquirer says of the 0200 that the payer would send behind the nth GENERATE AC. */
static void check_evidence(struct run *r, const struct transaction *tx, unsigned nth, bool right)
{
    const struct evidence_claim claim = {PAN, 1250, 978, 250, DATE, 0x00, 20301231, 1};
    struct terminal terminal = {.kernel = r->t.config};
    uint8_t raw[MESSAGE_MAX], stream_raw[ISO8583_EVIDENCE_MAX];
    struct buf message = BUF_OF(raw), stream = BUF_OF(stream_raw);
    struct iso8583 m;
    struct evidence ev;
    struct evidence_result result;
    struct tp_error e;

    ck_assert_msg(
        message_build(&message, &terminal, &r->t.request, "", 1, 1795478400, get, tx, &e) == TP_OK,
        "%s", e.text);
    ck_assert_msg(iso8583_unpack(&m, buf_span(&message), &e) == TP_OK, "%s", e.text);
    ck_ok(iso8583_evidence_join(&stream, &m));
    ck_ok(evidence_from_message(&ev, m.field[55], buf_span(&stream), span_str(PAN)));
    ck_ok(evidence_check(&result, common.cache, &ev, &claim, DATE));
    if (result.ok != right)
        mismatch(r, "the acquirer finds the evidence %s: %s", result.ok ? "right" : "wrong",
                 result.text);
    else if (result.ok && result.cid != (nth == 0 ? r->want.first : r->want.second) << 6)
        mismatch(r, "the evidence is of CID %02X", result.cid);
    else if (result.ok && memcmp(result.tvr, r->want.tvr_at[nth], 5) != 0)
        mismatch(r, "the TVR that was signed is not that of GENERATE AC %u", nth + 1);
}

static enum tp_err authorise(void *ctx, const struct transaction *tx,
                             struct kernel_issuer_answer *out)
{
    struct run *r = ctx;
    const struct issuer_row *i = r->c.issuer;
    struct secret session = {NULL, 0};

    r->authorised++;
    ac_key(&session, r, tx);
    if (ac_right(r, tx, secret_span(&session), r->want.tvr_at[0]) == r->want.wrong_ac)
        mismatch(r, "the ARQC is %s what the issuer finds", r->want.wrong_ac ? "" : "not");
    if (r->want.signature_first)
        check_evidence(r, tx, 0, true);
    if (i->reached) {
        out->reached = true;
        memcpy(out->arc, i->arc, 2);
        if (i->sent != NO_ARPC)
            put_arpc(r, tx, secret_span(&session), out);
        if (r->c.script->scripts[0] != '\0')
            put_scripts(r, tx, out);
    }
    secret_free(&session);
    return TP_OK;
}

/* ---- the cardholder, the terminal ---- */

static enum tp_err give_pin(void *ctx, unsigned tries_left, bool wrong_before, struct secret *pin)
{
    struct run *r = ctx;
    const size_t n = strcspn(r->pins, ",");
    const char *now = r->pins;

    (void)tries_left;
    (void)wrong_before;
    if (n == 0) {
        mismatch(r, "the PIN is asked for once more than should be");
        return TP_ERR_CANCELLED;
    }
    r->pins += n + (now[n] == ',' ? 1 : 0);
    if (now[0] == 'b')
        return TP_ERR_CANCELLED;
    return now[0] == 'n' ? TP_ERR_NOT_FOUND : secret_copy(pin, span_of(now, n));
}

static void take_code(uint8_t out[5], const char *hex)
{
    struct buf b = {out, 0, 5};

    ck_ok(hex_decode(&b, hex));
}

static void set_terminal(struct run *r)
{
    struct terminal_application *a = &r->t.config.applications[0];
    struct paper_keys keys = {.store = common.store};
    char words[80] = "";
    const char *version = strstr(r->c.risk->terminal, " version");

    paper_terminal(&r->t, &keys);
    r->t.request.date = DATE;
    snprintf(words, sizeof(words), "%.*s",
             (int)(version != NULL ? (size_t)(version - r->c.risk->terminal)
                                   : strlen(r->c.risk->terminal)),
             r->c.risk->terminal);
    paper_terminal_words(&r->t, words);
    if (version != NULL)
        a->version[1] = 2;
    r->t.config.type = r->c.type->type;
    r->t.config.capabilities[1] = r->c.cvm->capabilities;
    r->t.config.capabilities[2] = r->c.terminal->capabilities;
    take_code(a->tac_denial, r->c.codes->tac[0]);
    take_code(a->tac_online, r->c.codes->tac[1]);
    take_code(a->tac_default, r->c.codes->tac[2]);
}

/* ---- comparing ---- */

static void compare(struct run *r, const struct transaction *tx, const char *what, uint32_t tag,
                    const char *want)
{
    const struct span got = transaction_get(tx, tag);
    char text[2 * 64 + 1] = "";

    if (got.n <= 64)
        hex_encode(text, got);
    if (strcmp(text, want) != 0)
        mismatch(r, "%s is %s, should be %s", what, text, want);
}

static void compare_bytes(struct run *r, const struct transaction *tx, const char *what,
                          uint32_t tag, struct span want)
{
    char text[64];

    compare(r, tx, what, tag, hex_encode(text, want));
}

static void check_cvr(struct run *r, const struct transaction *tx)
{
    static const enum emv_ac_type types[] = {[AAC] = EMV_AAC, [TC] = EMV_TC, [ARQC] = EMV_ARQC};
    const struct expected *x = &r->want;
    struct emv_iad iad;

    if (emv_iad_parse(&iad, transaction_get(tx, TAG_IAD)) != TP_OK) {
        mismatch(r, "9F10 is no issuer application data");
        return;
    }
    const bool ccd = iad.cvn == EMV_CCD_3DES || iad.cvn == EMV_CCD_AES;
    const struct {
        const char *what;
        unsigned got, want;
    } all[] = {
        {"kind of card", (unsigned)iad.cvn, r->c.kind->cvn},
        {"first cryptogram", (unsigned)iad.first, (unsigned)types[x->first]},
        {"second cryptogram", (unsigned)iad.second,
         x->has_second ? (unsigned)types[x->second] : (unsigned)EMV_AC_NONE},
        {"PIN verification performed", iad.pin_performed, (x->pin & PERFORMED) != 0},
        {"PIN verification failed", iad.pin_failed, (x->pin & FAILED) != 0},
        {"PIN tries exceeded", iad.pin_tries_exceeded, (x->pin & EXCEEDED) != 0},
        {"unable to go online", iad.unable_online, x->unable},
        {"issuer authentication failed", iad.issuer_auth_failed, x->issuer_failed},
        {"script failed", iad.script_failed, x->script_failed},
        {"DDA performed", iad.dda_performed,
         x->dda || (!ccd && x->cda_once)}, /* Visa's layout has one bit for both */
        {"CDA performed", iad.cda_performed,
         ccd && x->cda_once}, /* at either cryptogram: Book 3, 9.2.3.2 of the CCD */
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i].got != all[i].want)
            mismatch(r, "CVR: %s is %u, should be %u", all[i].what, all[i].got, all[i].want);
}

static void check_last_ac(struct run *r, const struct transaction *tx)
{
    const struct expected *x = &r->want;
    struct secret session = {NULL, 0};

    if ((x->signature_failed && !x->has_second) ||
        x->ac_unread) /* the cryptogram is in a signature that does not hold */
        return;
    ac_key(&session, r, tx);
    if (ac_right(r, tx, secret_span(&session), x->tvr_at[x->has_second ? 1 : 0]) == x->wrong_ac)
        mismatch(r, "the last cryptogram is %s what the issuer finds", x->wrong_ac ? "" : "not");
    secret_free(&session);
}

static const char *end_name(enum kernel_outcome o)
{
    static const char *const names[] = {"approved", "declined", "not accepted", "terminated",
                                        "read only"};

    return names[o];
}

static void check_run(struct run *r, const struct transaction *tx, unsigned atc)
{
    static const enum kernel_outcome ends[] = {
        [APPROVED] = KERNEL_APPROVED, [DECLINED] = KERNEL_DECLINED, [ENDED] = KERNEL_TERMINATED};
    const struct expected *x = &r->want;
    const uint8_t tsi[2] = {x->tsi, 0x00}, atc_bytes[2] = {0x00, (uint8_t)atc};

    if (transaction_outcome(tx) != ends[x->end])
        mismatch(r, "%s (%s), should be %s", end_name(transaction_outcome(tx)),
                 transaction_reason(tx), end_name(ends[x->end]));
    if (strcmp(r->p1, x->p1) != 0)
        mismatch(r, "GENERATE AC %s, should be %s", r->p1, x->p1);
    if (transaction_reversal_needed(tx) != x->reversal)
        mismatch(r, "a reversal is %sneeded", x->reversal ? "" : "not ");
    if (r->b->card->state.atc != atc)
        mismatch(r, "the ATC is %u, should be %u", r->b->card->state.atc, atc);
    if (r->commands != x->commands)
        mismatch(r, "%u commands, should be %u", r->commands, x->commands);
    if (*r->pins != '\0')
        mismatch(r, "nobody asked for the PIN %s", r->pins);
    if (x->end == ENDED)
        return;
    compare_bytes(r, tx, "TVR", TAG_TVR, SPAN_OF(x->tvr));
    compare_bytes(r, tx, "TSI", TAG_TSI, SPAN_OF(tsi));
    compare_bytes(r, tx, "ATC", TAG_ATC, SPAN_OF(atc_bytes));
    compare_bytes(r, tx, "8A", TAG_ARC, span_str(x->arc));
    compare(r, tx, "9F34", TAG_CVM_RESULTS, x->cvm_results);
    compare(r, tx, "9F5B", TAG_SCRIPT_RESULTS, x->scripts);
    check_cvr(r, tx);
    check_last_ac(r, tx);
    /* a script behind the second GENERATE AC may change the TVR, which then is not the one that was
     * signed: Book 3, 10.10 */
    if (x->signature_good && memcmp(x->tvr, x->tvr_at[x->has_second ? 1 : 0], 5) == 0)
        check_evidence(r, tx, x->has_second ? 1 : 0, true);
    if (x->signature_failed && !x->has_second)
        check_evidence(r, tx, 0, false);
}

static void run(struct run *r)
{
    struct kernel_person person;
    struct kernel_online online;
    struct transaction *tx;
    struct tp_error e;
    unsigned atc;
    enum tp_err result;

    expect(&r->want, &r->c);
    bench_card(r->b, r);
    atc = spend_tries(r->b, r->c.cvm->card) ? 2 : 1;
    set_terminal(r);
    paper_sides(&r->t, &person, &online);
    person = (struct kernel_person){.ctx = r, .pin = give_pin};
    online = (struct kernel_online){r, authorise};
    r->pins = r->want.pins;
    current = r;
    ck_ok(reader_connect(r->b->reader, &e));
    result = kernel_run(&tx, r->b->reader, &r->t.config, &r->t.request, &person, &online, &e);
    if (result != TP_OK)
        mismatch(r, "the run fails: %s", e.text);
    else
        check_run(r, tx, atc);
    reader_disconnect(r->b->reader);
    transaction_free(&tx);
}

/* ---- the products ---- */

static bool listed(const char *list, const char *id)
{
    const size_t n = strlen(id);

    for (; *list != '\0'; list += strcspn(list, ","), list += *list == ',' ? 1 : 0)
        if (strncmp(list, id, n) == 0 && (list[n] == ',' || list[n] == '\0'))
            return true;
    return false;
}

static const char *list_of(const struct product *p, size_t factor)
{
    return (&p->card)[factor];
}

/* Rows of a factor that a product takes; every word of its list must be one. */
static size_t take_rows(size_t out[80], const struct product *p, size_t factor)
{
    const char *list = list_of(p, factor);
    size_t n = 0, words = 1;

    for (size_t i = 0; i < factors[factor].n; i++)
        if (list[0] == '*' || listed(list, row_id(factor, i)))
            out[n++] = i;
    if (list[0] == '~') {
        out[0] = 0;
        return 1;
    }
    for (const char *at = list; (at = strchr(at, ',')) != NULL; at++)
        words++;
    ck_assert_msg(list[0] == '*' || n == words, "product %s: %s", p->name, list);
    return n;
}

/* "~": another row with each card, in a stride of its own, so that the rotating factors meet each
 * other in all ways. */
static void rotate(size_t row[FACTORS], const struct product *p)
{
    size_t card = 0;

    for (size_t i = 0; i < 9; i++)
        card = card * 7 + (list_of(p, i)[0] == '~' ? 0 : row[i]);
    for (size_t i = 0; i < 9; i++)
        if (list_of(p, i)[0] == '~')
            row[i] = (card + card / 3 * i) % factors[i].n;
}

/* What a card of the Common Core must be (Book 3, 6.2, 6.5.4, 6.5.5.3, 10.5 of the CCD): template
 * 77, no EXTERNAL AUTHENTICATE but 91 in CDOL2, cardholder verification. */
static bool possible(const struct combination *c)
{
    const bool ccd = c->kind->cvn == EMV_CCD_3DES || c->kind->cvn == EMV_CCD_AES;

    return !ccd ||
           (c->carriage->format == 2 && !c->way->external && c->way->cdol2 && c->cvm->list != NULL);
}

/* Of what rotates, a row that a card of the Common Core can have; or else another kind of card.
 * False: there is no such card. */
static bool make_possible(size_t row[FACTORS], const struct product *p)
{
    static const struct {
        size_t factor;
        const char *id; /* instead; NULL: Visa's kind in place of that of the Common Core */
    } others[] = {{7, "t1-77"}, {5, "cdol2"}, {6, NULL}};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        const size_t factor = others[i].factor;
        const struct combination c = combine(row);

        if (possible(&c))
            return true;
        if (list_of(p, factor)[0] != '~')
            continue;
        if (others[i].id == NULL)
            row[factor] -= 2;
        for (size_t k = 0; others[i].id != NULL && k < factors[factor].n; k++)
            if (strcmp(row_id(factor, k), others[i].id) == 0)
                row[factor] = k;
    }
    const struct combination c = combine(row);

    return possible(&c);
}

static bool wanted(const struct run *r)
{
    char words[400];

    if (common.words == NULL || *common.words == NULL)
        return true;
    words_of(words, r);
    for (char *const *w = common.words; *w != NULL; w++)
        if (!has_word(words, *w))
            return false;
    return true;
}

START_TEST(test_product)
    {
        const struct product *p = &products[_i];
        size_t rows[FACTORS][80], n[FACTORS], at[FACTORS] = {0}, row[FACTORS], factor;
        struct bench b = {0};
        unsigned runs = 0, mismatches = 0;

        for (size_t i = 0; i < FACTORS; i++)
            n[i] = take_rows(rows[i], p, i);
        do {
            for (size_t i = 0; i < FACTORS; i++)
                row[i] = rows[i][at[i]];
            rotate(row, p);
            const bool there_is = make_possible(row, p);
            struct run r = {
                .product = p, .row = row, .c = combine(row), .b = &b, .mismatches = &mismatches};

            if (there_is && wanted(&r)) {
                run(&r);
                runs++;
            }
            for (factor = FACTORS; factor > 0 && ++at[factor - 1] == n[factor - 1]; factor--)
                at[factor - 1] = 0;
        } while (factor > 0);
        bench_close(&b);
        printf("product %s: %u payments, %u not as expected\n", p->name, runs, mismatches);
        fflush(stdout);
        ck_assert_msg(mismatches == 0, "%s: %u of %u payments", p->name, mismatches, runs);
    }
END_TEST

/* ---- keys made once ---- */

static void make_key(struct secret *der, unsigned bits)
{
    struct emv_privkey *key;

    ck_ok(emv_privkey_generate(&key, bits, 3));
    ck_ok(emv_privkey_export(der, key));
    emv_privkey_free(&key);
}

static void make_common(void)
{
    ck_ok(capk_store_new(&common.store));
    pair_scheme(&common.scheme, common.store, 0);
    ck_ok(evidence_cache_new(&common.cache, common.store, CHAINS));
    make_key(&common.card_key, 1024);
    make_key(&common.pin_key, 768);
}

static void free_common(void)
{
    evidence_cache_free(&common.cache);
    scheme_free(&common.scheme);
    capk_store_free(&common.store);
    secret_free(&common.card_key);
    secret_free(&common.pin_key);
}

int main(int argc, char **argv)
{
    Suite *s = suite_create("product");
    TCase *c = tcase_create("kernel, card and issuer");
    SRunner *runner;
    int failed;

    common.words = argc > 0 ? argv + 1 : NULL;
    tcase_add_unchecked_fixture(c, make_common, free_common);
    tcase_set_timeout(c, 600);
    tcase_add_loop_test(c, test_product, 0, (int)(sizeof(products) / sizeof(products[0])));
    suite_add_tcase(s, c);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
