#include "payer/lesson.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/apdu.h"
#include "apdu/emvbits.h"
#include "base/bcd.h"
#include "base/hex.h"
#include "base/money.h"
#include "base/word.h"
#include "decode/decode.h"
#include "payer/lesson_priv.h"
#include "payer/rerun.h"

/* ---- items ---- */

static void append(struct making *m, json_t *list, json_t *item)
{
    if (json_array_append_new(list, item) != 0)
        m->failed = true;
}

static void set(struct making *m, json_t *of, const char *member, json_t *value)
{
    if (json_object_set_new(of, member, value) != 0)
        m->failed = true;
}

/* A member that is a text; NULL or "": left out. */
static void set_text(struct making *m, json_t *of, const char *member, const char *text)
{
    if (text != NULL && text[0] != '\0')
        set(m, of, member, json_string(text));
}

static json_t *item(struct making *m, const char *kind)
{
    json_t *o = json_pack("{s:s}", "kind", kind);

    append(m, m->items, o);
    return o;
}

static json_t *sentence(const char *format, va_list args)
{
    char text[SENTENCE_MAX];

    vsnprintf(text, sizeof(text), gettext(format), args);
    word_make_shown(text); /* names of card and trace are among it */
    return json_string(text);
}

json_t *lesson_says(struct making *m, const char *clause, const char *format, ...)
{
    json_t *o = item(m, "says");
    va_list args;

    va_start(args, format);
    set(m, o, "text", sentence(format, args));
    va_end(args);
    set_text(m, o, "clause", clause != NULL ? gettext(clause) : NULL);
    return o;
}

/* One more sentence of that list. */
void lesson_line(struct making *m, json_t *of, const char *member, const char *format, ...)
{
    va_list args;

    if (json_object_get(of, member) == NULL)
        set(m, of, member, json_array());
    va_start(args, format);
    append(m, json_object_get(of, member), sentence(format, args));
    va_end(args);
}

void lesson_message(struct making *m, const char *from, const char *to, const char *format, ...)
{
    json_t *o = item(m, "message");
    va_list args;

    set(m, o, "from", json_string(from));
    set(m, o, "to", json_string(to));
    va_start(args, format);
    set(m, o, "text", sentence(format, args));
    va_end(args);
}

void lesson_begin(struct making *m, const char *title, const char *clause, const char *purpose)
{
    json_t *o = json_pack("{s:s, s:s, s:[]}", "title", gettext(title), "purpose", gettext(purpose),
                          "items");

    append(m, m->steps, o);
    set_text(m, o, "clause", clause);
    m->items = json_object_get(o, "items");
}

/* Data of the transaction, decoded. */
void lesson_data(struct making *m, const uint32_t *tags, size_t n)
{
    json_t *all = json_array(), *objects, *o;

    for (size_t i = 0; i < n; i++) {
        const struct span v = transaction_get(m->tx, tags[i]);

        if (v.n == 0)
            continue;
        if (decode_value(&objects, &m->d, tags[i], v, NULL) == TP_ERR_NO_MEMORY ||
            json_array_extend(all, objects) != 0)
            m->failed = true;
        json_decref(objects);
    }
    if (json_array_size(all) == 0) {
        json_decref(all);
        return;
    }
    o = item(m, "data");
    set(m, o, "objects", all);
}

/* ---- commands ---- */

/* Words about a value of which half is not known would be about another. */
static void silence_masked(json_t *objects)
{
    json_t *o;
    size_t i;

    json_array_foreach(objects, i, o)
    {
        const char *tag = lesson_text(o, "tag");

        if (strcmp(tag, "C-APDU") != 0 && strcmp(tag, "R-APDU") != 0 &&
            strchr(lesson_text(o, "value"), '*') != NULL) {
            json_object_del(o, "meaning");
            json_object_del(o, "objects");
        }
        silence_masked(json_object_get(o, "objects"));
    }
}

/* The kind of cryptogram that an answer holds; NULL: none. */
static const char *given(const json_t *objects)
{
    const char *found = NULL;
    const json_t *o;
    size_t i;

    json_array_foreach(objects, i, o)
    {
        if (strcmp(lesson_text(o, "tag"), "9F27") == 0)
            found = lesson_cryptogram((uint8_t)strtoul(lesson_text(o, "value"), NULL, 16));
        if (found == NULL)
            found = given(json_object_get(o, "objects"));
    }
    return found;
}

static void command(struct making *m, const struct transcript_exchange *x)
{
    const struct span sent = masked_filled(&x->command), got = masked_filled(&x->answer);
    json_t *objects = NULL, *o = item(m, "command");
    char status[5] = "";

    if (decode_exchange(&objects, &m->d, sent, got.n > 0 ? got : span_of(NULL, 0), NULL) ==
        TP_ERR_NO_MEMORY) {
        m->failed = true;
        return;
    }
    silence_masked(objects);
    if (got.n >= 2)
        snprintf(status, sizeof(status), "%02X%02X", got.p[got.n - 2], got.p[got.n - 1]);
    set_text(m, o, "name", lesson_text(json_array_get(objects, 0), "name"));
    set_text(m, o, "clause", lesson_text(json_array_get(objects, 0), "clause"));
    set_text(m, o, "purpose", lesson_purpose(m->step, sent));
    set_text(m, o, "status", status);
    if (x->command.value[1] == INS_GENERATE_AC)
        set_text(m, o, "wanted", lesson_cryptogram(x->command.value[2]));
    set_text(m, o, "given", given(objects));
    set(m, o, "line", json_integer(x->line));
    set(m, o, "objects", objects);
    m->line = x->line;
}

/* ---- steps ---- */

static void end_select(struct making *m)
{
    const struct candidate *c = transaction_candidate_at(m->tx, 0);
    char aid[33];
    json_t *o;

    if (c == NULL) {
        lesson_says(m, "EMV 4.4 Book 1, 12.4", "There is no application that both have.");
        return;
    }
    o = lesson_says(m, "EMV 4.4 Book 1, 12.4",
                    "Both have these, in the order of the issuer's priority:");
    for (size_t i = 0; (c = transaction_candidate_at(m->tx, i)) != NULL; i++)
        lesson_line(m, o, "lines",
                    (c->priority & 0x80) != 0
                        ? N_("%s %s, priority %u, only with the cardholder's confirmation")
                        : N_("%s %s, priority %u"),
                    hex_encode(aid, span_of(c->aid, c->aid_n)), c->label, c->priority & 0x0F);
}

static void end_choose(struct making *m)
{
    const struct candidate *c = transaction_application(m->tx);
    char aid[33];

    if (c != NULL)
        lesson_says(m, "EMV 4.4 Book 1, 12.4", "The application %s %s is selected.",
                    hex_encode(aid, span_of(c->aid, c->aid_n)), c->label);
}

static void begin_verify(struct making *m)
{
    const struct span aip = transaction_get(m->tx, TAG_AIP);

    if (aip.n == 2 && (aip.p[0] & AIP_CVM) == 0)
        lesson_says(
            m, "EMV 4.4 Book 3, 10.5",
            "The card does no cardholder verification (AIP byte 1 bit 5 is 0): nothing is done.");
}

/* Before anything else is told. */
static void tell_pending(struct making *m)
{
    if (m->lost)
        return;
    lesson_rules(m);
    if (m->step == KERNEL_AUTHENTICATE)
        lesson_method(m);
}

/* The last words of the step that is over. */
static void leave(struct making *m)
{
    static const uint32_t cvm[] = {TAG_CVM_RESULTS}, scripts[] = {TAG_SCRIPT_RESULTS};

    tell_pending(m);
    if (m->lost || m->tx == NULL)
        return;
    switch (m->step) {
    case KERNEL_SELECT:
        end_select(m);
        break;
    case KERNEL_CHOOSE:
        end_choose(m);
        break;
    case KERNEL_AUTHENTICATE:
        lesson_certificates(m);
        if (!m->lost && transaction_authentication(m->tx)->method == KERNEL_METHOD_SDA)
            lesson_static(m);
        if (!m->lost && transaction_authentication(m->tx)->method == KERNEL_METHOD_DDA)
            lesson_signature(m, "EMV 4.4 Book 2, 6.5.2");
        break;
    case KERNEL_RESTRICT:
        lesson_restrictions_end(m);
        break;
    case KERNEL_VERIFY:
        lesson_data(m, cvm, 1);
        break;
    case KERNEL_RISK:
        lesson_risk_ends(m);
        break;
    case KERNEL_SIGN:
    case KERNEL_COMPLETE:
        lesson_cryptogram_given(m);
        break;
    case KERNEL_SCRIPT:
        lesson_data(m, scripts, 1);
        break;
    default:
        break;
    }
}

static void first_words(struct making *m)
{
    switch (m->step) {
    case KERNEL_SELECT:
        m->d.keys = m->result.terminal->authorities;
        lesson_message(m, "cardholder", "terminal", "puts the card in");
        break;
    case KERNEL_INITIATE:
        m->d.rid = span_of(transaction_application(m->tx)->aid, 5);
        break;
    case KERNEL_VERIFY:
        begin_verify(m);
        break;
    case KERNEL_RISK:
        lesson_risk_begins(m);
        break;
    case KERNEL_ONLINE:
        lesson_message(m, "terminal", "acquirer", "asks, with the ARQC");
        lesson_message(m, "acquirer", "issuer", "passes it on");
        break;
    case KERNEL_ISSUER:
        lesson_issuer(m);
        break;
    case KERNEL_COMPLETE:
        lesson_complete(m);
        break;
    default:
        break;
    }
}

static void on_step(void *ctx, const struct transaction *tx, enum kernel_step step)
{
    struct making *m = ctx;
    const struct lesson_step *words = lesson_step(step);

    if (words->title == NULL) { /* a PIN, within the list */
        tell_pending(m);
        if (!m->lost)
            lesson_pin(m);
        return;
    }
    if (m->tx != NULL)
        leave(m);
    m->tx = tx;
    if (m->lost)
        return;
    m->step = step;
    lesson_begin(m, words->title, words->clause, words->purpose);
    first_words(m);
}

static void on_bit(void *ctx, const struct transaction *tx, uint32_t tag, unsigned bit)
{
    struct making *m = ctx;
    const bool tvr = tag == TAG_TVR;
    const unsigned byte = bit >> 8;
    char why[LESSON_WHY_MAX], hex[11];
    const char *clause;
    unsigned number_of = 0;
    int64_t spent;
    const char *name;
    json_t *o;

    tell_pending(m);
    if (!m->lost && m->step == KERNEL_AUTHENTICATE && bit != TVR_SDA_SELECTED &&
        bit != TVR_XDA_SELECTED)
        lesson_certificates(m);
    if (m->lost)
        return;
    while ((bit & 0xFF) >> number_of != 0)
        number_of++;
    (void)lesson_number(m, "spent", &spent);
    o = item(m, "bit");
    set(m, o, "of", json_string(tvr ? "TVR" : "TSI"));
    set(m, o, "byte", json_integer(byte + 1));
    set(m, o, "bit", json_integer(number_of));
    name = emv_bit_name(tvr ? EMV_BITMAP_TVR : EMV_BITMAP_TSI, byte + 1, number_of);
    set_text(m, o, "name", name != NULL ? gettext(name) : NULL);
    set_text(m, o, "why", lesson_why(why, &clause, tx, tag, bit, spent));
    set_text(m, o, "clause", clause);
    set(m, o, "value", json_string(hex_encode(hex, transaction_get(tx, tag))));
}

static void on_plays(void *ctx, const struct transcript_exchange *x)
{
    struct making *m = ctx;
    const uint8_t ins = x->command.value[1];

    tell_pending(m);
    if (!m->lost && ins == INS_INTERNAL_AUTHENTICATE)
        lesson_certificates(m);
    if (!m->lost && ins == INS_VERIFY)
        lesson_message(m, "cardholder", "terminal", "enters a PIN");
    command(m, x);
    if (ins == INS_GENERATE_AC) {
        m->wanted = x->command.value[2];
        m->asked = true;
    }
}

/* ---- the whole ---- */

/* Commands that the run did not come to. */
static void rest(struct making *m)
{
    const struct transcript_exchange *x;

    for (size_t i = 0; (x = transcript_at(m->t, i)) != NULL; i++) {
        if (x->line <= m->line)
            continue;
        if (m->tx == NULL && m->items == NULL)
            lesson_begin(m, N_("What terminal and card said"), "",
                         N_("The trace does not say of what payment, so that only its commands can "
                            "be explained."));
        else if (m->tx != NULL && !m->lost)
            lesson_lose(m, N_("The terminal of today would not send these commands: they are "
                              "explained one by one."));
        command(m, x);
    }
}

static const char *ending(char out[SENTENCE_MAX], const struct rerun_word *then)
{
    const bool why = then->reason[0] != '\0' && strcmp(then->reason, then->outcome) != 0;

    if (why)
        snprintf(out, SENTENCE_MAX, _("It ended: %s: %s."), gettext(then->outcome), then->reason);
    else
        snprintf(out, SENTENCE_MAX, _("It ended: %s."), gettext(then->outcome));
    return out;
}

static void last_words(struct making *m)
{
    static const uint32_t tags[] = {TAG_TVR, TAG_TSI, TAG_CVM_RESULTS,
                                    TAG_ARC, TAG_CID, TAG_SCRIPT_RESULTS};
    const struct rerun_word *then = &m->rerun.then;
    const bool cut = then->outcome[0] == '\0';
    char text[SENTENCE_MAX];

    if (m->tx == NULL)
        return;
    lesson_begin(m, cut ? N_("Where the trace ends") : N_("What it came to"),
                 cut ? "" : "EMV 4.4 Book 3, 10.11",
                 cut ? N_("The trace was cut off before the payment ended.")
                     : N_("What terminal and card noted, and what became of the payment."));
    if (!m->lost)
        lesson_data(m, tags,
                    cut ? 2 : sizeof(tags) / sizeof(tags[0])); /* the first two always stand */
    if (cut) {
        lesson_says(m, NULL, "The trace ends with line %u: what came then is not known.",
                    transcript_lines(m->t));
        return;
    }
    lesson_says(m, NULL, "%s", ending(text, then));
    if (m->result.error.code == TP_OK && transaction_reversal_needed(m->tx))
        lesson_says(
            m, "EMV 4.4 Book 4, 6.3.8",
            "The issuer approved and the card did not sign: the issuer is told that nothing was "
            "paid (reversal).");
    lesson_message(m, "terminal", "cardholder", "%s", gettext(then->outcome));
}

static bool fact_number(const struct making *m, const char *name, uint64_t *out)
{
    uint8_t raw[8];
    struct buf b = BUF_OF(raw);

    return transcript_bytes(&b, m->t, name, NULL) == TP_OK && b.n > 0 &&
           bcd_get(buf_span(&b), out) == TP_OK;
}

static void sum_of_all(struct making *m, json_t *root)
{
    const char *merchant =
        m->result.terminal != NULL ? m->result.terminal->kernel.merchant_name : "";
    uint64_t amount, currency;
    char text[MONEY_TEXT_MAX];

    if (!fact_number(m, "9F02", &amount) || amount > MONEY_MAX ||
        !fact_number(m, "5F2A", &currency))
        return;
    money_shown(text, (int64_t)amount, (unsigned)currency);
    if (merchant[0] != '\0')
        lesson_line(m, root, "summary", "A payment of %s %s to %s.", text,
                    currency_shown((unsigned)currency), merchant);
    else
        lesson_line(m, root, "summary", "A payment of %s %s.", text,
                    currency_shown((unsigned)currency));
}

static void summary(struct making *m, json_t *root)
{
    const char *protocol = transcript_value(m->t, "protocol");
    char text_of_end[SENTENCE_MAX];

    sum_of_all(m, root);
    if (m->rerun.then.outcome[0] != '\0')
        lesson_line(m, root, "summary", "%s", ending(text_of_end, &m->rerun.then));
    else
        lesson_line(m, root, "summary",
                    "The trace ends with line %u, and does not say how a payment ended.",
                    transcript_lines(m->t));
    if (protocol != NULL)
        lesson_line(m, root, "summary", "Card and reader speak %s.", protocol);
    if (transcript_masked(m->t))
        lesson_line(
            m, root, "summary",
            "The trace is masked: a * stands for half a byte that it does not tell. What hangs on "
            "such bytes is told as it was recorded then.");
    if (m->rerun.differences > 0 && m->rerun.then.outcome[0] != '\0')
        lesson_line(m, root, "summary",
                    ngettext("Run again, the payment does not go as it was recorded: %u command "
                             "is otherwise.",
                             "Run again, the payment does not go as it was recorded: %u commands "
                             "are otherwise.",
                             m->rerun.differences),
                    m->rerun.differences);
}

/* What the data mean hangs on others that may come behind them: keys on certificates, amounts on
 * their currency. */
static void learn(struct making *m)
{
    struct buf b = {m->currency + 3, 0, 2};
    const struct transcript_exchange *x;
    struct rapdu r;

    memcpy(m->currency, "\x5F\x2A\x02", 3);
    if (transcript_bytes(&b, m->t, "5F2A", NULL) == TP_OK && b.n == 2)
        decode_learn(&m->d, SPAN_OF(m->currency));
    for (size_t i = 0; (x = transcript_at(m->t, i)) != NULL; i++)
        if (x->command.value[1] != INS_GET_CHALLENGE &&
            rapdu_parse(&r, masked_filled(&x->answer)) == TP_OK)
            decode_learn(&m->d, r.data);
}

static void make(struct making *m, json_t *root)
{
    const struct rerun_watch watch = {{m, on_step, on_bit, lesson_codes}, on_plays};

    m->d.shown.all = !transcript_masked(m->t);
    m->d.names = m->names;
    learn(m);
    rerun_followed(&m->result, &m->rerun, m->t, &watch);
    if (m->tx != NULL)
        leave(m);
    rest(m);
    last_words(m);
    summary(m, root);
}

/* Without its last line. */
static struct span shortened(struct span text)
{
    do
        text.n--;
    while (text.n > 0 && text.p[text.n - 1] != '\n');
    return text;
}

/* A trace that is cut may end within a line, or between a command and its answer: what is not whole
 * is left out. */
static enum tp_err parse(struct transcript **out, struct span text, const char *name,
                         struct tp_error *e)
{
    struct tp_error ignored;
    struct span whole = text;
    enum tp_err r;

    if (text.n > 0 && text.p[text.n - 1] != '\n') {
        const struct span before = shortened(text);

        if (strchr("<>", before.p[before.n]) != NULL) /* might be shorter than it was */
            whole = before;
    }
    r = transcript_parse(out, whole, name, e);
    for (unsigned i = 0; r == TP_ERR_FORMAT && i < 2 && whole.n > 0; i++) {
        whole = shortened(whole);
        r = transcript_parse(out, whole, name, &ignored);
    }
    if (r == TP_OK && transcript_at(*out, 0) == NULL) {
        transcript_free(out);
        r = tp_fail(e, TP_ERR_FORMAT, "%s has no command to a card: there is nothing to explain",
                    name);
    }
    return r;
}

enum tp_err lesson_make(json_t **out, struct span text, const char *name, struct tp_error *e)
{
    struct making *m = calloc(1, sizeof(*m));
    struct transcript *t = NULL;
    json_t *root = NULL;
    enum tp_err r = m == NULL || names_new(&m->names) != TP_OK
                        ? tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a lesson")
                        : parse(&t, text, name, e);

    *out = NULL;
    if (r == TP_OK) {
        m->t = t;
        m->steps = json_array();
        root = json_pack("{s:s, s:[], s:o}", "title", _("A lesson of a payment"), "summary",
                         "steps", m->steps);
        m->failed = root == NULL;
        if (root != NULL)
            make(m, root);
        if (m->failed)
            r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a lesson");
    }
    if (r == TP_OK)
        *out = root;
    else
        json_decref(root);
    if (m != NULL) {
        pay_result_free(&m->result);
        names_free(&m->names);
    }
    transcript_free(&t);
    free(m);
    return r;
}
