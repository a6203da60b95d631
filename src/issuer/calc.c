#include "issuer/calc_priv.h"

#include <stdio.h>
#include <string.h>

#include "apdu/tlv.h"
#include "base/hex.h"
#include "base/text.h"
#include "crypto/iad.h"

#define CHECK_MIN  4 /* bytes */
#define DIGITS_MIN 3

const char calc_from_atc[] =
    "the application transaction counter, 9F36 of the message or of the card's answer";
const char calc_from_un[] = "the unpredictable number, 9F37 of the message";
const char calc_from_ac[] =
    "the cryptogram of the first GENERATE AC, 9F26 of the message or of the card's answer";

const char *const calc_uses[CALC_USES] = {"ac", "smi", "smc", "cvc3", "dcvv"};

/* ---- rows ---- */

enum tp_err calc_put(struct calc *c, const char *step, const char *clause, struct span value)
{
    struct calc_row *row = &c->row[c->rows];

    if (c->rows == CALC_ROWS_MAX || value.n > sizeof(row->value))
        return TP_ERR_RANGE;
    row->step = step;
    row->clause = clause;
    row->n = value.n;
    row->digits = false;
    if (value.n > 0)
        memcpy(row->value, value.p, value.n);
    c->rows++;
    return TP_OK;
}

enum tp_err calc_put_digits(struct calc *c, const char *step, const char *clause,
                            struct span digits)
{
    const enum tp_err r = calc_put(c, step, clause, digits);

    if (r == TP_OK)
        c->row[c->rows - 1].digits = true;
    return r;
}

struct span calc_given(const struct calc_value *v)
{
    return span_of(v->p, v->n);
}

enum tp_err calc_need(const struct calc_value *v, size_t min, size_t max, const char *option,
                      const char *from, struct tp_error *e)
{
    if (!v->given)
        return tp_fail(e, TP_ERR_USAGE, "give %s: %s", option, from);
    if (v->n < min || v->n > max)
        return min == max
                   ? tp_fail(e, TP_ERR_USAGE, "%s takes %zu bytes, not %zu", option, min, v->n)
                   : tp_fail(e, TP_ERR_USAGE, "%s takes %zu to %zu bytes, not %zu", option, min,
                             max, v->n);
    return TP_OK;
}

/* ---- the kind of card ---- */

void calc_init(struct calc *c)
{
    memset(c, 0, sizeof(*c));
    c->ways = (struct calc_ways){-1, -1, -1, -1, -1, -1, -1};
    c->pin_format = -1;
}

static void take_value(struct calc_value *v, struct span tags, uint16_t tag, size_t n)
{
    struct tlv t;

    if (v->given || tlv_find(tags, tag, &t) != TP_OK || t.value.n != n)
        return;
    memcpy(v->p, t.value.p, n);
    v->n = n;
    v->given = true;
}

/* The card number of 5A, or of 57 up to its D. */
static void take_pan(struct calc *c, struct span tags)
{
    struct tlv t;
    size_t n = 0;

    if (c->pan[0] != '\0' ||
        (tlv_find(tags, 0x5A, &t) != TP_OK && tlv_find(tags, 0x57, &t) != TP_OK))
        return;
    for (size_t i = 0; i < 2 * t.value.n && n < PAN_MAX; i++) {
        const unsigned digit = i % 2 == 0 ? t.value.p[i / 2] >> 4 : t.value.p[i / 2] & 0x0FU;

        if (digit > 9)
            break;
        c->pan[n++] = (char)('0' + digit);
    }
    c->pan[n] = '\0';
}

static void take_objects(struct calc *c, struct span tags)
{
    struct tlv t;

    take_value(&c->atc, tags, 0x9F36, 2);
    take_value(&c->un, tags, 0x9F37, 4);
    take_value(&c->ac, tags, 0x9F26, 8);
    take_pan(c, tags);
    if (!c->psn_given && tlv_find(tags, 0x5F34, &t) == TP_OK && t.value.n == 1)
        c->psn = t.value.p[0];
}

static enum tp_err check_objects(struct span tags, struct tp_error *e)
{
    struct tlv t;

    while (tags.n > 0)
        if (tlv_next(&tags, &t) != TP_OK)
            return tp_fail(e, TP_ERR_USAGE,
                           "--de55 takes whole objects of tag, length and value, as field 55 has "
                           "them; what stands at its byte %zu from the end is none",
                           tags.n);
    return TP_OK;
}

/* The kind that 9F10 says. */
static enum tp_err read_kind(const struct emv_kind **out, const struct calc *c, struct tp_error *e)
{
    uint8_t room[CALC_VALUE_MAX];
    struct buf covered = BUF_OF(room);
    struct tlv t;

    if (!c->de55.given) {
        *out = emv_kind_of(EMV_CVN_18);
        return TP_OK;
    }
    if (tlv_find(calc_given(&c->de55), 0x9F10, &t) != TP_OK)
        return tp_fail(e, TP_ERR_USAGE,
                       "give --cvn: --de55 holds no issuer application data (9F10), which name the "
                       "kind of card");
    return emv_iad_covered(out, &covered, t.value) == TP_OK
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE, "give --cvn: 9F10 is of no kind of card that is known");
}

static void apply_ways(struct emv_kind *k, const struct calc_ways *w)
{
    static const struct {
        enum emv_session ac, script;
    } sessions[] = {
        [CALC_BY_MASTER] = {EMV_SK_MASTER, EMV_SK_XOR},
        [CALC_BY_COMMON] = {EMV_SK_ATC, EMV_SK_AC},
        [CALC_BY_ATC_UN] = {EMV_SK_ATC_UN, EMV_SK_AC},
        [CALC_BY_TREE] = {EMV_SK_TREE, EMV_SK_TREE},
        [CALC_BY_PBOC] = {EMV_SK_COMPLEMENT, EMV_SK_COMPLEMENT},
    };

    if (w->option >= 0)
        k->option = (enum emv_option)w->option;
    if (w->session >= 0) {
        k->ac = sessions[w->session].ac;
        k->script = sessions[w->session].script;
        k->arpc_by_master = false;
    }
    if (w->zero_padded >= 0)
        k->zero_padded = w->zero_padded == 1;
    if (w->encipherment >= 0)
        k->encipherment = (enum emv_encipherment)w->encipherment;
    if (w->bare >= 0)
        k->bare = w->bare == 1;
    if (w->branch >= 0)
        k->branch = (uint8_t)w->branch;
    if (w->height >= 0)
        k->height = (uint8_t)w->height;
}

enum tp_err calc_start(struct calc *c, struct tp_error *e)
{
    const struct emv_kind *k = c->cvn != NULL ? emv_kind_find(c->cvn) : NULL;
    enum tp_err r = check_objects(calc_given(&c->de55), e);

    if (r == TP_OK && k == NULL)
        r = read_kind(&k, c, e);
    if (r != TP_OK)
        return r;
    c->kind = *k;
    apply_ways(&c->kind, &c->ways);
    if (c->de55.given)
        take_objects(c, calc_given(&c->de55));
    if ((c->kind.option == EMV_OPTION_C) != (c->kind.cipher == EMV_AES))
        return tp_fail(e, TP_ERR_USAGE,
                       "option C is that of AES and only it is: --option does not go with %s",
                       c->kind.name);
    if (c->kind.cipher == EMV_AES &&
        (c->kind.zero_padded || c->kind.encipherment != EMV_ENCIPHER_EMV))
        return tp_fail(e, TP_ERR_USAGE, "--padding and --encipherment are of triple DES, not of %s",
                       c->kind.name);
    return TP_OK;
}

/* ---- keys ---- */

static const char *master_clause(const struct calc *c)
{
    static const char *const clauses[] = {
        [EMV_OPTION_A] = "Book 2, A1.4.1 (option A)",
        [EMV_OPTION_B] = "Book 2, A1.4.2 (option B)",
        [EMV_OPTION_C] = "Book 2, A1.4.3 (option C)",
    };

    return clauses[c->kind.option == EMV_OPTION_B && strlen(c->pan) <= 16 ? EMV_OPTION_A
                                                                          : c->kind.option];
}

enum tp_err calc_master(struct calc *c, enum calc_use use, struct tp_error *e)
{
    static const char *const names[CALC_USES] = {"card master key AC", "card master key SMI",
                                                 "card master key SMC", "card key CVC3",
                                                 "card key dCVV"};
    uint8_t y[EMV_BLOCK_MAX];
    const struct secret *from = &c->key[CALC_ISSUER_KEY][use];
    struct secret *out = &c->key[CALC_CARD_KEY][use];
    enum tp_err r;

    if (out->p != NULL)
        return TP_OK;
    if (from->p == NULL)
        return tp_fail(e, TP_ERR_USAGE, "give imk-%s or mk-%s among the keys%s", calc_uses[use],
                       calc_uses[use],
                       use <= CALC_USE_SMC ? _(", or a folder that has it: --scheme, --dir") : "");
    if (c->pan[0] == '\0')
        return tp_fail(e, TP_ERR_USAGE,
                       "give --pan, by which the issuer's key is diversified: 5A of the card");
    if (!emv_cipher_key(c->kind.cipher, from->n))
        return tp_fail(e, TP_ERR_USAGE, "imk-%s has %zu bytes, and keys of %s have 16%s",
                       calc_uses[use], from->n, c->kind.name,
                       c->kind.cipher == EMV_AES ? ", 24 or 32" : "");
    r = emv_diversifier(y, c->kind.option, c->pan, c->psn);
    if (r == TP_OK)
        r = calc_put(c, "diversification value Y", master_clause(c),
                     span_of(y, emv_cipher_block(c->kind.cipher)));
    if (r == TP_OK)
        r = emv_kind_master_key(out, &c->kind, secret_span(from), c->pan, c->psn);
    return r == TP_OK ? calc_put(c, names[use], master_clause(c), secret_span(out))
                      : tp_fail(e, TP_ERR_USAGE, "--pan and --psn do not diversify a key");
}

/* What each way to a session key needs, and what is said of it. */
static const struct {
    bool atc, un, ac;
    const char *clause;
} sessions[EMV_SK_COUNT] = {
    [EMV_SK_MASTER] = {false, false, false, "VIS, D: the master key itself"},
    [EMV_SK_ATC] = {true, false, false, "Book 2, A1.3.1: R = ATC, zeros"},
    [EMV_SK_ATC_UN] = {true, true, false, "M/Chip, Interac: A1.3.1 with R = ATC, 00 00, UN"},
    [EMV_SK_AC] = {false, false, true, "Book 2, A1.3.1: R = AC"},
    [EMV_SK_XOR] = {true, false, false, "VIS, D: master key XOR ATC, XOR its complement"},
    [EMV_SK_TREE] = {true, false, false, "EMV 4.0 Book 2, A1.3: down the tree by ATC"},
    [EMV_SK_COMPLEMENT] = {true, false, false, "PBOC: zeros, ATC; zeros, its complement"},
};

/* A session key of triple DES before its parity is set: the Book leaves the last bit of each byte
 * as it falls, DES keys have odd parity, and prints there are of both. No cipher looks at these
 * bits. */
static enum tp_err put_before_parity(struct calc *c, enum emv_session how, struct span card_key,
                                     const struct emv_diversity *from)
{
    uint8_t room[EMV_KEY_SIZE] = {0};
    enum tp_err r;

    if (c->kind.cipher != EMV_TDES ||
        (how != EMV_SK_ATC && how != EMV_SK_ATC_UN && how != EMV_SK_AC))
        return TP_OK;
    emv_session_r(room, how, from);
    memcpy(room + EMV_KEY_SIZE / 2, room, EMV_KEY_SIZE / 2);
    room[2] = 0xF0;
    room[EMV_KEY_SIZE / 2 + 2] = 0x0F;
    r = emv_encipher(room, EMV_TDES, EMV_ECB, card_key, SPAN_OF(room));
    if (r == TP_OK)
        r = calc_put(c, "F1, F2 enciphered", "Book 2, A1.3.1", SPAN_OF(room));
    secret_wipe(room, sizeof(room));
    return r;
}

static enum tp_err need_diversity(struct calc *c, enum emv_session how, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    if (sessions[how].atc)
        r = calc_need(&c->atc, 2, 2, "--atc", calc_from_atc, e);
    if (r == TP_OK && sessions[how].un)
        r = calc_need(&c->un, 4, 4, "--un", calc_from_un, e);
    if (r == TP_OK && sessions[how].ac)
        r = calc_need(&c->ac, 8, 8, "--ac", calc_from_ac, e);
    return r;
}

enum tp_err calc_session(struct calc *c, enum calc_use use, struct tp_error *e)
{
    static const char *const names[CALC_USES] = {"session key AC", "session key SMI",
                                                 "session key SMC"};
    const enum emv_session how = use == CALC_USE_AC ? c->kind.ac : c->kind.script;
    const struct secret *card = &c->key[CALC_CARD_KEY][use];
    const struct emv_diversity from = {c->atc.p, c->un.p, c->ac.p};
    struct secret *out = &c->key[CALC_SESSION_KEY][use];
    enum tp_err r;

    if (out->p != NULL)
        return TP_OK;
    if (how == EMV_SK_UNKNOWN)
        return tp_fail(e, TP_ERR_USAGE,
                       "how scripts of %s cards get their keys is not public: give sk-%s among the "
                       "keys, or a way with --session",
                       c->kind.name, calc_uses[use]);
    r = calc_master(c, use, e);
    if (r == TP_OK)
        r = need_diversity(c, how, e);
    if (r == TP_OK)
        r = put_before_parity(c, how, secret_span(card), &from);
    if (r != TP_OK)
        return r;
    r = emv_kind_session_key(out, &c->kind, how, secret_span(card), &from);
    if (r == TP_ERR_NOT_FOUND)
        return tp_fail(e, TP_ERR_USAGE, "AES has no session keys of that way: leave --session out");
    return r == TP_OK ? calc_put(c, names[use], sessions[how].clause, secret_span(out)) : r;
}

static bool has_key(const struct calc *c, enum calc_use use)
{
    return c->key[CALC_ISSUER_KEY][use].p != NULL || c->key[CALC_CARD_KEY][use].p != NULL;
}

static enum tp_err all_masters(struct calc *c, struct tp_error *e)
{
    bool any = false;
    enum tp_err r = TP_OK;

    for (unsigned use = 0; use < CALC_USES && r == TP_OK; use++) {
        if (c->key[CALC_ISSUER_KEY][use].p == NULL)
            continue;
        any = true;
        r = calc_master(c, (enum calc_use)use, e);
    }
    return r == TP_OK && !any ? tp_fail(e, TP_ERR_USAGE,
                                        "give imk-ac, imk-smi, imk-smc, imk-cvc3 or imk-dcvv among "
                                        "the keys, or a folder that has them: --scheme, --dir")
                              : r;
}

/* Of a folder's script keys only if what their session keys come from is given. */
static bool of_use(const struct calc *c, enum calc_use use)
{
    const enum emv_session how = c->kind.script;

    return !c->folder || use == CALC_USE_AC ||
           (how != EMV_SK_UNKNOWN && (!sessions[how].atc || c->atc.given) &&
            (!sessions[how].ac || c->ac.given));
}

static enum tp_err all_sessions(struct calc *c, struct tp_error *e)
{
    bool any = false;
    enum tp_err r = TP_OK;

    for (unsigned use = 0; use <= CALC_USE_SMC && r == TP_OK; use++) {
        if (!has_key(c, (enum calc_use)use) || !of_use(c, (enum calc_use)use))
            continue;
        any = true;
        r = calc_session(c, (enum calc_use)use, e);
    }
    return r == TP_OK && !any ? tp_fail(e, TP_ERR_USAGE,
                                        "give an issuer's or a card's key among the keys, or a "
                                        "folder that has them: --scheme, --dir")
                              : r;
}

/* ---- application cryptogram ---- */

/* The data of Book 2, table 28 out of the objects of a message, DE 55 for example; then what of
 * 9F10 the kind of card covers. */
static enum tp_err take_tags(struct buf *data, const struct calc *c, struct tp_error *e)
{
    static const uint16_t order[] = {0x9F02, 0x9F03, 0x9F1A, 0x95, 0x5F2A,
                                     0x9A,   0x9C,   0x9F37, 0x82, 0x9F36};
    const struct span tags = calc_given(&c->de55);
    const struct emv_kind *k = NULL;
    struct tlv t;

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (tlv_find(tags, order[i], &t) != TP_OK || buf_put(data, t.value) != TP_OK)
            return tp_fail(e, TP_ERR_USAGE, "--de55 holds no %X, which the cryptogram covers",
                           order[i]);
    if (tlv_find(tags, 0x9F10, &t) != TP_OK || emv_iad_covered(&k, data, t.value) != TP_OK)
        return tp_fail(e, TP_ERR_USAGE,
                       "--de55 holds no issuer application data (9F10) of a kind that is known: "
                       "give what the cryptogram covers as --data");
    return strcmp(k->name, c->kind.name) == 0
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE, "9F10 is of a card of kind %s, not %s", k->name,
                         c->kind.name);
}

static const char *ac_clause(const struct emv_kind *k)
{
    return k->cipher == EMV_AES ? "Book 2, 8.1.2, A1.2.2: CMAC, leftmost 8 bytes"
           : k->zero_padded     ? "VIS, D: zeros, ISO/IEC 9797-1 algorithm 3"
                                : "Book 2, 8.1.2, A1.2.1: 80 00, ISO/IEC 9797-1 algorithm 3";
}

static enum tp_err do_ac(struct calc *c, struct tp_error *e)
{
    uint8_t room[CALC_VALUE_MAX], ac[8];
    struct buf data = BUF_OF(room);
    enum tp_err r = TP_OK;

    if (c->data.given || !c->de55.given)
        r = calc_need(&c->data, 1, 240, "--de55 or --data",
                      "field 55 of the message, or the bytes that the cryptogram covers", e);
    if (r == TP_OK)
        r = c->data.given ? buf_put(&data, calc_given(&c->data)) : take_tags(&data, c, e);
    if (r == TP_OK)
        r = calc_session(c, CALC_USE_AC, e);
    if (r == TP_OK)
        r = calc_put(c, "data", "Book 2, 8.1.1, table 28", buf_span(&data));
    if (r == TP_OK)
        r = emv_kind_ac(ac, &c->kind, secret_span(&c->key[CALC_SESSION_KEY][CALC_USE_AC]),
                        buf_span(&data));
    return r == TP_OK ? calc_put(c, "application cryptogram", ac_clause(&c->kind), SPAN_OF(ac)) : r;
}

/* ---- issuer authentication ---- */

/* The key of the ARPC: the session's, or the card's. */
static enum tp_err arpc_key(const struct secret **out, struct calc *c, struct tp_error *e)
{
    const bool master = c->kind.arpc_by_master && c->key[CALC_SESSION_KEY][CALC_USE_AC].p == NULL;

    *out = &c->key[master ? CALC_CARD_KEY : CALC_SESSION_KEY][CALC_USE_AC];
    return master ? calc_master(c, CALC_USE_AC, e) : calc_session(c, CALC_USE_AC, e);
}

static enum tp_err do_arpc_1(struct calc *c, struct tp_error *e)
{
    uint8_t y[EMV_BLOCK_MAX] = {0}, all[10];
    const struct secret *key = NULL;
    enum tp_err r = calc_need(&c->ac, 8, 8, "--ac", calc_from_ac, e);

    if (r == TP_OK)
        r = calc_need(&c->arc, 2, 2, "--arc",
                      "the authorisation response code, 8A of the answer: 3030 is 00", e);
    if (r == TP_OK)
        r = arpc_key(&key, c, e);
    if (r != TP_OK)
        return r;
    memcpy(y, c->ac.p, 8);
    y[0] ^= c->arc.p[0];
    y[1] ^= c->arc.p[1];
    r = calc_put(c, "Y = AC XOR (ARC, zeros)", "Book 2, 8.2.1",
                 span_of(y, emv_cipher_block(c->kind.cipher)));
    if (r == TP_OK)
        r = emv_cipher_arpc_1(all, c->kind.cipher, secret_span(key), c->ac.p, c->arc.p);
    memcpy(all + 8, c->arc.p, 2);
    if (r == TP_OK)
        r = calc_put(c, "issuer authentication data (91)", "Book 2, 8.2.1: ARPC, ARC",
                     SPAN_OF(all));
    return r == TP_OK ? calc_put(c, "ARPC", "Book 2, 8.2.1", span_of(all, 8)) : r;
}

static enum tp_err do_arpc_2(struct calc *c, struct tp_error *e)
{
    uint8_t room[8 + 4 + 8], arpc[4];
    struct buf b = BUF_OF(room);
    const struct secret *key = NULL;
    enum tp_err r = calc_need(&c->ac, 8, 8, "--ac", calc_from_ac, e);

    if (r == TP_OK)
        r = calc_need(&c->csu, 4, 4, "--csu",
                      "the card status update, which the issuer decides: Book 3, C10", e);
    if (r == TP_OK && c->proprietary.given)
        r = calc_need(&c->proprietary, 0, 8, "--proprietary", "", e);
    if (r == TP_OK)
        r = arpc_key(&key, c, e);
    if (r == TP_OK)
        r = buf_put(&b, calc_given(&c->ac));
    if (r == TP_OK)
        r = buf_put(&b, calc_given(&c->csu));
    if (r == TP_OK)
        r = buf_put(&b, calc_given(&c->proprietary));
    if (r == TP_OK)
        r = calc_put(c, "Y = AC, CSU, proprietary authentication data", "Book 2, 8.2.2",
                     buf_span(&b));
    if (r == TP_OK)
        r = emv_cipher_arpc_2(arpc, c->kind.cipher, secret_span(key), c->ac.p, c->csu.p,
                              calc_given(&c->proprietary));
    if (r != TP_OK)
        return r;
    memmove(room + 4, room + 8, b.n - 8);
    memcpy(room, arpc, 4);
    r = calc_put(c, "issuer authentication data (91)", "Book 2, 8.2.2: ARPC, CSU, proprietary",
                 span_of(room, b.n - 4));
    return r == TP_OK
               ? calc_put(c, "ARPC", "Book 2, 8.2.2: leftmost 4 bytes of the MAC", SPAN_OF(arpc))
               : r;
}

/* ---- what is worked out ---- */

static const struct {
    const char *name;
    calc_work *run;
} works[CALC_COUNT] = {
    [CALC_MASTER] = {"master", all_masters},
    [CALC_SESSION] = {"session", all_sessions},
    [CALC_AC] = {"ac", do_ac},
    [CALC_ARPC_1] = {"arpc1", do_arpc_1},
    [CALC_ARPC_2] = {"arpc2", do_arpc_2},
    [CALC_MAC] = {"mac", calc_mac},
    [CALC_COMMAND] = {"command", calc_command},
    [CALC_ENCIPHER] = {"encipher", calc_encipher},
    [CALC_DECIPHER] = {"decipher", calc_decipher},
    [CALC_PIN_BLOCK] = {"pin-block", calc_pin_block},
    [CALC_PIN] = {"pin", calc_pin},
    [CALC_CVC3] = {"cvc3", calc_cvc3},
    [CALC_DCVV] = {"dcvv", calc_dcvv},
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
    uint8_t room[CALC_VALUE_MAX];
    struct buf want = BUF_OF(room);
    const size_t n = strlen(c->check);

    if (c->rows == 0)
        return false;
    const struct calc_row *last = &c->row[c->rows - 1];

    if (last->digits)
        return n <= last->n && (n == last->n || n >= DIGITS_MIN) &&
               secret_eq(span_of(last->value + last->n - n, n), span_str(c->check));
    return hex_decode(&want, c->check) == TP_OK && want.n <= last->n &&
           (want.n == last->n || want.n >= CHECK_MIN) &&
           secret_eq(span_of(last->value, want.n), buf_span(&want));
}

void calc_clear(struct calc *c)
{
    for (unsigned level = 0; level < CALC_LEVELS; level++)
        for (unsigned use = 0; use < CALC_USES; use++)
            secret_free(&c->key[level][use]);
    secret_free(&c->pin_key);
    secret_free(&c->pin_block);
    secret_free(&c->pin);
    secret_free(&c->current_pin);
    secret_wipe(c, sizeof(*c));
}
