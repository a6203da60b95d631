#include "issuer/calc.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "apdu/tlv.h"
#include "base/hex.h"
#include "crypto/iad.h"
#include "crypto/pinblock.h"

#define CHECK_MIN 4 /* bytes */

typedef enum tp_err work(struct calc *c, struct tp_error *e);

static const char *const levels[CALC_LEVELS] = {"imk", "mk", "sk"};
static const char *const uses[CALC_USES] = {"ac", "smi", "smc"};

/* ---- rows ---- */

static enum tp_err put(struct calc *c, const char *step, const char *clause, struct span value)
{
    struct calc_row *row = &c->row[c->rows];

    if (c->rows == CALC_ROWS_MAX || value.n > sizeof(row->value))
        return TP_ERR_RANGE;
    row->step = step;
    row->clause = clause;
    row->n = value.n;
    if (value.n > 0)
        memcpy(row->value, value.p, value.n);
    c->rows++;
    return TP_OK;
}

static struct span given(const struct calc_value *v)
{
    return span_of(v->p, v->n);
}

static enum tp_err need(const struct calc_value *v, size_t min, size_t max, const char *option,
                        struct tp_error *e)
{
    if (!v->given)
        return tp_fail(e, TP_ERR_USAGE, "give %s", option);
    if (v->n < min || v->n > max)
        return min == max
                   ? tp_fail(e, TP_ERR_USAGE, "%s takes %zu bytes, not %zu", option, min, v->n)
                   : tp_fail(e, TP_ERR_USAGE, "%s takes %zu to %zu bytes, not %zu", option, min,
                             max, v->n);
    return TP_OK;
}

/* ---- keys ---- */

static const char *master_clause(const struct calc *c)
{
    switch (c->cvn) {
    case EMV_CCD_AES:
        return "Book 2, A1.4.3 (option C)";
    case EMV_CCD_3DES:
        return strlen(c->pan) > 16 ? "Book 2, A1.4.2 (option B)" : "Book 2, A1.4.1 (option A)";
    default:
        return "Book 2, A1.4.1 (option A)";
    }
}

static enum tp_err master(struct calc *c, enum calc_use use, struct tp_error *e)
{
    static const char *const names[CALC_USES] = {"card master key AC", "card master key SMI",
                                                 "card master key SMC"};
    uint8_t y[EMV_BLOCK_MAX];
    struct secret *out = &c->key[CALC_CARD_KEY][use];
    enum tp_err r;

    if (out->p != NULL)
        return TP_OK;
    if (c->key[CALC_ISSUER_KEY][use].p == NULL)
        return tp_fail(e, TP_ERR_USAGE, "give imk-%s or mk-%s among the keys", uses[use],
                       uses[use]);
    if (c->pan[0] == '\0')
        return tp_fail(e, TP_ERR_USAGE, "give --pan, by which the issuer's key is diversified");
    r = emv_diversifier(y, c->cvn, c->pan, c->psn);
    if (r == TP_OK)
        r = put(c, "diversification value Y", master_clause(c), span_of(y, emv_cvn_block(c->cvn)));
    if (r == TP_OK)
        r = emv_master_key_derive(out, c->cvn, secret_span(&c->key[CALC_ISSUER_KEY][use]), c->pan,
                                  c->psn);
    return r == TP_OK ? put(c, names[use], master_clause(c), secret_span(out))
                      : tp_fail(e, TP_ERR_USAGE, "--pan and --psn do not diversify a key");
}

static bool visa(const struct calc *c)
{
    return c->cvn == EMV_CVN_10 || c->cvn == EMV_CVN_18;
}

/* A session key of triple DES before its parity is set: the Book leaves the last bit of each byte
 * as it falls, DES keys have odd parity, and prints there are of both. No cipher looks at these
 * bits. */
static enum tp_err put_before_parity(struct calc *c, struct span card_key, const uint8_t *r,
                                     size_t r_n)
{
    uint8_t room[EMV_KEY_SIZE] = {0};
    enum tp_err result;

    if (emv_cvn_cipher(c->cvn) != EMV_TDES)
        return TP_OK;
    memcpy(room, r, r_n);
    memcpy(room + EMV_KEY_SIZE / 2, r, r_n);
    room[2] = 0xF0;
    room[EMV_KEY_SIZE / 2 + 2] = 0x0F;
    result = emv_encipher(room, EMV_TDES, EMV_ECB, card_key, SPAN_OF(room));
    if (result == TP_OK)
        result = put(c, "F1, F2 enciphered", "Book 2, A1.3.1", SPAN_OF(room));
    secret_wipe(room, sizeof(room));
    return result;
}

static enum tp_err session_ac(struct calc *c, struct tp_error *e)
{
    struct secret *out = &c->key[CALC_SESSION_KEY][CALC_USE_AC];
    enum tp_err r;

    if (out->p != NULL)
        return TP_OK;
    r = master(c, CALC_USE_AC, e);
    if (r == TP_OK && c->cvn != EMV_CVN_10)
        r = need(&c->atc, 2, 2, "--atc", e);
    if (r == TP_OK && c->cvn != EMV_CVN_10)
        r = put_before_parity(c, secret_span(&c->key[CALC_CARD_KEY][CALC_USE_AC]), c->atc.p,
                              c->atc.n);
    if (r != TP_OK)
        return r;
    r = emv_session_key_ac(out, c->cvn, secret_span(&c->key[CALC_CARD_KEY][CALC_USE_AC]), c->atc.p);
    return r == TP_OK ? put(c, "session key AC",
                            c->cvn == EMV_CVN_10    ? "VIS, D: the master key itself"
                            : c->cvn == EMV_CCD_AES ? "Book 2, A1.3.1: R = ATC, zeros"
                                                    : "Book 2, A1.3.1: R = ATC, zeros; odd parity",
                            secret_span(out))
                      : r;
}

static enum tp_err session_sm(struct calc *c, enum calc_use use, struct tp_error *e)
{
    struct secret *out = &c->key[CALC_SESSION_KEY][use];
    enum tp_err r;

    if (out->p != NULL)
        return TP_OK;
    r = master(c, use, e);
    if (r == TP_OK)
        r = visa(c) ? need(&c->atc, 2, 2, "--atc", e) : need(&c->ac, 8, 8, "--ac", e);
    if (r == TP_OK && !visa(c))
        r = put_before_parity(c, secret_span(&c->key[CALC_CARD_KEY][use]), c->ac.p, c->ac.n);
    if (r == TP_OK)
        r = emv_session_key_sm(out, c->cvn, secret_span(&c->key[CALC_CARD_KEY][use]), c->atc.p,
                               c->ac.p);
    return r == TP_OK ? put(c, use == CALC_USE_SMI ? "session key SMI" : "session key SMC",
                            visa(c) ? "VIS, D: master key XOR ATC, XOR its complement; odd parity"
                            : c->cvn == EMV_CCD_AES ? "Book 2, A1.3.1: R = AC, zeros"
                                                    : "Book 2, A1.3.1: R = AC; odd parity",
                            secret_span(out))
                      : r;
}

static enum tp_err all_masters(struct calc *c, struct tp_error *e)
{
    bool any = false;
    enum tp_err r = TP_OK;

    for (unsigned use = 0; use < CALC_USES && r == TP_OK; use++) {
        if (c->key[CALC_ISSUER_KEY][use].p == NULL)
            continue;
        any = true;
        r = master(c, (enum calc_use)use, e);
    }
    return r == TP_OK && !any
               ? tp_fail(e, TP_ERR_USAGE, "give imk-ac, imk-smi or imk-smc among the keys")
               : r;
}

static enum tp_err all_sessions(struct calc *c, struct tp_error *e)
{
    bool any = false;
    enum tp_err r = TP_OK;

    for (unsigned use = 0; use < CALC_USES && r == TP_OK; use++) {
        if (c->key[CALC_ISSUER_KEY][use].p == NULL && c->key[CALC_CARD_KEY][use].p == NULL)
            continue;
        any = true;
        r = use == CALC_USE_AC ? session_ac(c, e) : session_sm(c, (enum calc_use)use, e);
    }
    return r == TP_OK && !any
               ? tp_fail(e, TP_ERR_USAGE, "give an issuer's or a card's key among the keys")
               : r;
}

/* ---- application cryptogram ---- */

/* The data of Book 2, table 28 out of the objects of a message, DE 55 for example; then what of
 * 9F10 the kind of card takes. */
static enum tp_err take_tags(struct buf *data, const struct calc *c, struct tp_error *e)
{
    static const uint16_t order[] = {0x9F02, 0x9F03, 0x9F1A, 0x95, 0x5F2A,
                                     0x9A,   0x9C,   0x9F37, 0x82, 0x9F36};
    struct emv_iad iad;
    struct tlv t;

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (tlv_find(given(&c->tags), order[i], &t) != TP_OK || buf_put(data, t.value) != TP_OK)
            return tp_fail(e, TP_ERR_USAGE, "--tags holds no %X, which the cryptogram covers",
                           order[i]);
    if (tlv_find(given(&c->tags), 0x9F10, &t) != TP_OK || emv_iad_parse(&iad, t.value) != TP_OK)
        return tp_fail(
            e, TP_ERR_USAGE,
            "--tags holds no issuer application data (9F10) of a kind that is known here");
    if (iad.cvn != c->cvn)
        return tp_fail(e, TP_ERR_USAGE, "9F10 is of a card of kind %s, not %s",
                       emv_cvn_name(iad.cvn), emv_cvn_name(c->cvn));
    return buf_put(data, emv_iad_signed(&iad, t.value));
}

static enum tp_err do_ac(struct calc *c, struct tp_error *e)
{
    static const char *const clauses[EMV_CVN_COUNT] = {
        [EMV_CVN_10] = "VIS, D: zeros, ISO/IEC 9797-1 algorithm 3",
        [EMV_CVN_18] = "Book 2, 8.1.2, A1.2.1: 80 00, ISO/IEC 9797-1 algorithm 3",
        [EMV_CCD_3DES] = "Book 2, 8.1.2, A1.2.1: 80 00, ISO/IEC 9797-1 algorithm 3",
        [EMV_CCD_AES] = "Book 2, 8.1.2, A1.2.2: CMAC, leftmost 8 bytes"};
    uint8_t room[CALC_VALUE_MAX], ac[8];
    struct buf data = BUF_OF(room);
    struct tlv t;
    enum tp_err r = TP_OK;

    if (c->tags.given)
        r = take_tags(&data, c, e);
    else if ((r = need(&c->data, 1, 240, "--data or --tags", e)) == TP_OK)
        r = buf_put(&data, given(&c->data));
    if (r == TP_OK && !c->atc.given && c->tags.given &&
        tlv_find(given(&c->tags), 0x9F36, &t) == TP_OK && t.value.n == 2) {
        memcpy(c->atc.p, t.value.p, 2);
        c->atc.n = 2;
        c->atc.given = true;
    }
    if (r == TP_OK)
        r = session_ac(c, e);
    if (r == TP_OK)
        r = put(c, "data", "Book 2, 8.1.1, table 28", buf_span(&data));
    if (r == TP_OK)
        r = emv_ac_make(ac, c->cvn, secret_span(&c->key[CALC_SESSION_KEY][CALC_USE_AC]),
                        buf_span(&data));
    return r == TP_OK ? put(c, "application cryptogram", clauses[c->cvn], SPAN_OF(ac)) : r;
}

/* ---- issuer authentication ---- */

static enum tp_err do_arpc_1(struct calc *c, struct tp_error *e)
{
    uint8_t y[EMV_BLOCK_MAX] = {0}, all[10];
    enum tp_err r = need(&c->ac, 8, 8, "--ac", e);

    if (r == TP_OK)
        r = need(&c->arc, 2, 2, "--arc", e);
    if (r == TP_OK)
        r = session_ac(c, e);
    if (r != TP_OK)
        return r;
    memcpy(y, c->ac.p, 8);
    y[0] ^= c->arc.p[0];
    y[1] ^= c->arc.p[1];
    r = put(c, "Y = AC XOR (ARC, zeros)", "Book 2, 8.2.1", span_of(y, emv_cvn_block(c->cvn)));
    if (r == TP_OK)
        r = emv_arpc_1(all, c->cvn, secret_span(&c->key[CALC_SESSION_KEY][CALC_USE_AC]), c->ac.p,
                       c->arc.p);
    memcpy(all + 8, c->arc.p, 2);
    if (r == TP_OK)
        r = put(c, "issuer authentication data (91)", "Book 2, 8.2.1: ARPC, ARC", SPAN_OF(all));
    return r == TP_OK ? put(c, "ARPC", "Book 2, 8.2.1", span_of(all, 8)) : r;
}

static enum tp_err do_arpc_2(struct calc *c, struct tp_error *e)
{
    uint8_t room[8 + 4 + 8], arpc[4];
    struct buf b = BUF_OF(room);
    enum tp_err r = need(&c->ac, 8, 8, "--ac", e);

    if (r == TP_OK)
        r = need(&c->csu, 4, 4, "--csu", e);
    if (r == TP_OK && c->proprietary.given)
        r = need(&c->proprietary, 0, 8, "--proprietary", e);
    if (r == TP_OK)
        r = session_ac(c, e);
    if (r == TP_OK)
        r = buf_put(&b, given(&c->ac));
    if (r == TP_OK)
        r = buf_put(&b, given(&c->csu));
    if (r == TP_OK)
        r = buf_put(&b, given(&c->proprietary));
    if (r == TP_OK)
        r = put(c, "Y = AC, CSU, proprietary authentication data", "Book 2, 8.2.2", buf_span(&b));
    if (r == TP_OK)
        r = emv_arpc_2(arpc, c->cvn, secret_span(&c->key[CALC_SESSION_KEY][CALC_USE_AC]), c->ac.p,
                       c->csu.p, given(&c->proprietary));
    if (r != TP_OK)
        return r;
    memmove(room + 4, room + 8, b.n - 8);
    memcpy(room, arpc, 4);
    r = put(c, "issuer authentication data (91)", "Book 2, 8.2.2: ARPC, CSU, proprietary",
            span_of(room, b.n - 4));
    return r == TP_OK ? put(c, "ARPC", "Book 2, 8.2.2: leftmost 4 bytes of the MAC", SPAN_OF(arpc))
                      : r;
}

/* ---- scripts ---- */

static enum tp_err start_script(struct calc *c, struct emv_script *s, struct tp_error *e)
{
    const size_t block = emv_cvn_block(c->cvn);
    enum tp_err r = need(&c->ac, 8, 8, "--ac", e);

    if (r == TP_OK && visa(c))
        r = need(&c->atc, 2, 2, "--atc", e);
    if (r == TP_OK && visa(c) && c->chain.given)
        r = tp_fail(e, TP_ERR_USAGE,
                    "--chain is of CCD cards: the MACs of this kind are not chained");
    if (r == TP_OK && c->chain.given)
        r = need(&c->chain, block, block,
                 "--chain (all that the MAC algorithm gave for the command before)", e);
    if (r != TP_OK)
        return r;
    *s = emv_script_start(c->cvn, c->atc.p, c->ac.p);
    if (c->chain.given)
        memcpy(s->chain, c->chain.p, block);
    return visa(c) ? TP_OK
                   : put(c, "chaining value",
                         c->chain.given ? "Book 2, 9.2.3.1" : "Book 2, 9.2.3.1: the AC",
                         span_of(s->chain, block));
}

/* What the next command of a CCD script goes on from. */
static enum tp_err put_next_chain(struct calc *c, const uint8_t *full)
{
    return visa(c) ? TP_OK
                   : put(c, "next chaining value", "Book 2, 9.2.3.1: all of the MAC algorithm",
                         span_of(full, emv_cvn_block(c->cvn)));
}

static const char *mac_clause(const struct calc *c)
{
    return visa(c) ? "Book 2, 9.2.3: CLA INS P1 P2 Lc, ATC, AC, data"
                   : "Book 2, 9.2.3: chaining value, CLA INS P1 P2 padded, object padded";
}

static enum tp_err do_mac(struct calc *c, struct tp_error *e)
{
    uint8_t full[EMV_BLOCK_MAX];
    struct emv_script s;
    enum tp_err r = need(&c->head, 5, 5, "--head (CLA INS P1 P2 Lc, as sent)", e);

    if (r == TP_OK)
        r = start_script(c, &s, e);
    if (r == TP_OK)
        r = session_sm(c, CALC_USE_SMI, e);
    if (r == TP_OK)
        r = emv_script_mac(full, &s, secret_span(&c->key[CALC_SESSION_KEY][CALC_USE_SMI]),
                           c->head.p, given(&c->data));
    if (r == TP_OK)
        r = put_next_chain(c, full);
    return r == TP_OK ? put(c, "script MAC", mac_clause(c), span_of(full, EMV_SCRIPT_MAC)) : r;
}

static enum tp_err do_encipher(struct calc *c, struct tp_error *e)
{
    uint8_t room[EMV_SCRIPT_APDU_MAX];
    struct buf out = BUF_OF(room);
    enum tp_err r = need(&c->data, 0, EMV_SCRIPT_DATA_MAX, "--data", e);

    if (r == TP_OK)
        r = session_sm(c, CALC_USE_SMC, e);
    if (r == TP_OK)
        r = emv_script_encipher(&out, c->cvn, secret_span(&c->key[CALC_SESSION_KEY][CALC_USE_SMC]),
                                given(&c->data));
    return r == TP_OK ? put(c, "enciphered data",
                            visa(c) ? "VIS, D: length, data, 80 00; ECB"
                                    : "Book 2, 9.3.3, A1.1: data, 80 00; CBC",
                            buf_span(&out))
                      : r;
}

static enum tp_err do_decipher(struct calc *c, struct tp_error *e)
{
    uint8_t room[EMV_SCRIPT_APDU_MAX];
    struct buf out = BUF_OF(room);
    enum tp_err r = need(&c->data, 8, EMV_SCRIPT_APDU_MAX, "--data", e);

    if (r == TP_OK)
        r = session_sm(c, CALC_USE_SMC, e);
    if (r == TP_OK)
        r = emv_script_decipher(&out, c->cvn, secret_span(&c->key[CALC_SESSION_KEY][CALC_USE_SMC]),
                                given(&c->data));
    if (r == TP_ERR_FORMAT)
        return tp_fail(e, TP_ERR_USAGE,
                       "--data does not decipher under these keys: its padding is wrong");
    if (r == TP_OK)
        r = put(c, "data", visa(c) ? "VIS, D" : "Book 2, 9.3.3", buf_span(&out));
    secret_wipe(room, sizeof(room));
    return r;
}

static enum tp_err make_command(struct calc *c, struct emv_script *s, struct emv_script_keys *keys,
                                struct span plain)
{
    uint8_t room[EMV_SCRIPT_APDU_MAX + 5];
    struct buf out = BUF_OF(room);
    enum tp_err r = emv_script_close(&out, s, keys, c->head.p, plain, c->encipher);

    if (r == TP_OK)
        r = put_next_chain(c, s->chain);
    return r == TP_OK ? put(c, "command",
                            visa(c) ? "Book 2, 9.2.1.2 (format 2)" : "Book 2, 9.2.1.1 (format 1)",
                            buf_span(&out))
                      : r;
}

static work do_pin_block;

/* The data are --data or, when a PIN is among the keys, its block. */
static enum tp_err do_command(struct calc *c, struct tp_error *e)
{
    struct emv_script s;
    struct emv_script_keys keys = {{NULL, 0}, {NULL, 0}};
    struct span plain = given(&c->data);
    enum tp_err r = need(&c->head, 4, 4, "--head (CLA INS P1 P2 of the plain command)", e);

    if (r == TP_OK)
        r = start_script(c, &s, e);
    if (r == TP_OK && c->pin.p != NULL) {
        r = do_pin_block(c, e);
        plain = span_of(c->row[c->rows - 1].value, c->row[c->rows - 1].n);
    }
    if (r == TP_OK)
        r = session_sm(c, CALC_USE_SMI, e);
    if (r == TP_OK && c->encipher)
        r = session_sm(c, CALC_USE_SMC, e);
    if (r == TP_OK)
        r = secret_copy(&keys.mac, secret_span(&c->key[CALC_SESSION_KEY][CALC_USE_SMI]));
    if (r == TP_OK && c->encipher)
        r = secret_copy(&keys.cipher, secret_span(&c->key[CALC_SESSION_KEY][CALC_USE_SMC]));
    if (r == TP_OK)
        r = make_command(c, &s, &keys, plain);
    emv_script_keys_free(&keys);
    return r;
}

static enum tp_err do_pin_block(struct calc *c, struct tp_error *e)
{
    struct secret block = {NULL, 0};
    enum tp_err r = c->pin.p != NULL ? TP_OK : tp_fail(e, TP_ERR_USAGE, "give pin among the keys");

    if (r == TP_OK && visa(c))
        r = master(c, CALC_USE_AC, e);
    if (r != TP_OK)
        return r;
    if (visa(c))
        r = pin_block_visa_make(&block, secret_span(&c->key[CALC_CARD_KEY][CALC_USE_AC]),
                                secret_span(&c->pin), secret_span(&c->current_pin));
    else
        r = pin_block_make(&block, secret_span(&c->pin));
    r = r == TP_OK
            ? put(c, "PIN block",
                  visa(c) ? "VIS, C: PIN XOR master key AC, bytes 5 to 8" : "ISO 9564-1, format 2",
                  secret_span(&block))
            : tp_fail(e, TP_ERR_USAGE, "a PIN has 4 to 12 digits");
    secret_free(&block);
    return r;
}

static const struct {
    const char *name;
    work *run;
} works[CALC_COUNT] = {
    [CALC_MASTER] = {"master", all_masters},
    [CALC_SESSION] = {"session", all_sessions},
    [CALC_AC] = {"ac", do_ac},
    [CALC_ARPC_1] = {"arpc1", do_arpc_1},
    [CALC_ARPC_2] = {"arpc2", do_arpc_2},
    [CALC_MAC] = {"mac", do_mac},
    [CALC_COMMAND] = {"command", do_command},
    [CALC_ENCIPHER] = {"encipher", do_encipher},
    [CALC_DECIPHER] = {"decipher", do_decipher},
    [CALC_PIN_BLOCK] = {"pin-block", do_pin_block},
};

enum tp_err calc_what_parse(enum calc_what *out, const char *name)
{
    for (unsigned i = 0; i < CALC_COUNT; i++) {
        if (strcmp(name, works[i].name) == 0) {
            *out = (enum calc_what)i;
            return TP_OK;
        }
    }
    return TP_ERR_NOT_FOUND;
}

enum tp_err calc_run(struct calc *c, enum calc_what what, struct tp_error *e)
{
    const enum tp_err r = works[what].run(c, e);

    return r == TP_OK || (e != NULL && e->code == r && e->text[0] != '\0')
               ? r
               : tp_fail(e, r, "cannot work out %s: %s", works[what].name, tp_err_text(r));
}

bool calc_right(const struct calc *c)
{
    const struct calc_row *last = &c->row[c->rows - 1];

    if (c->rows == 0 || c->check.n > last->n || (c->check.n < last->n && c->check.n < CHECK_MIN))
        return false;
    return secret_eq(span_of(last->value, c->check.n), given(&c->check));
}

void calc_clear(struct calc *c)
{
    for (unsigned level = 0; level < CALC_LEVELS; level++)
        for (unsigned use = 0; use < CALC_USES; use++)
            secret_free(&c->key[level][use]);
    secret_free(&c->pin);
    secret_free(&c->current_pin);
    secret_wipe(c, sizeof(*c));
}

/* ---- the keys' file ---- */

static struct span trimmed(struct span s)
{
    while (s.n > 0 && isspace(s.p[0]))
        s = span_of(s.p + 1, s.n - 1);
    while (s.n > 0 && isspace(s.p[s.n - 1]))
        s.n--;
    return s;
}

static enum tp_err read_key(struct secret *out, struct span text)
{
    char hex[2 * EMV_KEY_SIZE + 1];
    enum tp_err r;

    if (text.n != 2 * (size_t)EMV_KEY_SIZE || secret_alloc(out, EMV_KEY_SIZE) != TP_OK)
        return TP_ERR_FORMAT;
    struct buf b = {out->p, 0, EMV_KEY_SIZE};

    memcpy(hex, text.p, text.n);
    hex[text.n] = '\0';
    r = hex_decode(&b, hex);
    secret_wipe(hex, sizeof(hex));
    if (r != TP_OK)
        secret_free(out);
    return r;
}

static enum tp_err read_named(struct calc *c, struct span name, struct span value)
{
    char want[8];

    for (unsigned level = 0; level < CALC_LEVELS; level++) {
        for (unsigned use = 0; use < CALC_USES; use++) {
            snprintf(want, sizeof(want), "%s-%s", levels[level], uses[use]);
            if (span_eq(name, span_str(want)) && c->key[level][use].p == NULL)
                return read_key(&c->key[level][use], value);
        }
    }
    if (span_eq(name, span_str("pin")) && c->pin.p == NULL)
        return secret_copy(&c->pin, value);
    if (span_eq(name, span_str("current-pin")) && c->current_pin.p == NULL)
        return secret_copy(&c->current_pin, value);
    return TP_ERR_NOT_FOUND;
}

enum tp_err calc_read_keys(struct calc *c, struct span text, struct tp_error *e)
{
    unsigned line = 0;

    while (text.n > 0) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        const size_t n = end != NULL ? (size_t)(end - text.p) : text.n;
        struct span row = span_of(text.p, n);
        const uint8_t *hash = memchr(row.p, '#', row.n), *equals;

        text = span_of(text.p + n + (end != NULL), text.n - n - (end != NULL));
        line++;
        if (hash != NULL)
            row.n = (size_t)(hash - row.p);
        row = trimmed(row);
        if (row.n == 0)
            continue;
        equals = memchr(row.p, '=', row.n);
        if (equals == NULL)
            return tp_fail(e, TP_ERR_USAGE, "line %u of the keys is not NAME = VALUE", line);
        const struct span name = trimmed(span_of(row.p, (size_t)(equals - row.p)));

        switch (read_named(c, name,
                           trimmed(span_of(equals + 1, (size_t)(row.p + row.n - equals - 1))))) {
        case TP_OK:
            break;
        case TP_ERR_NOT_FOUND:
            return tp_fail(e, TP_ERR_USAGE,
                           "line %u of the keys has a name that is not known, or comes twice: "
                           "imk-ac, imk-smi, imk-smc, mk-…, sk-…, pin, current-pin",
                           line);
        default:
            return tp_fail(e, TP_ERR_USAGE, "line %u of the keys: a key is 32 hexadecimal digits",
                           line);
        }
    }
    return TP_OK;
}
