#include "payer/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apdu/emvbits.h"
#include "apdu/sw.h"
#include "apdu/tlv.h"
#include "base/bcd.h"
#include "base/date.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "config.h"
#include "drivers/transcript.h"
#include "apdu/shown.h"

struct trace {
    FILE *file;
    char path[256]; /* for messages */
    struct shown shown;
    bool unmasked; /* asked for */
    bool told;     /* that it cannot be */
    struct kernel_person person;
    struct kernel_online online;
    const struct kernel_memory *memory;
    struct kernel_memory noting;
};

static void write_head(const struct trace *t)
{
    static const char masked[] =
        "# Masked: a * stands for half a byte that is not told. All but the first six and last "
        "four digits of the card number, track data, the "
        "cardholder's\n"
        "# name, IBAN, what the card number can be worked out from (9F46, 9F2D, 93), and all that "
        "the EMV dictionary does not know. A PIN is in it "
        "in no form, neither is an enciphered one.\n";
    static const char unmasked[] =
        "# NOT MASKED (--trace-unmasked): all data of a card of the test scheme. But a PIN is in "
        "it in no form, neither is an enciphered one.\n";
    char now[TIME_TEXT_MAX];

    fprintf(t->file,
            "# telepay trace of %s: what passed between terminal and card. > command, < answer, in "
            "hex; name: value.\n"
            "%s"
            "# Run it again: telepay pay --replay FILE --dry-run (the terminal), telepay-simcard "
            "--replay FILE (the card).\n"
            "format: %d\n"
            "telepay: %s\n",
            time_format(now, time(NULL)), t->unmasked ? unmasked : masked, TRANSCRIPT_FORMAT,
            PACKAGE_VERSION);
}

enum tp_err trace_open(struct trace **out, const char *path, bool unmasked, struct tp_error *e)
{
    struct trace *t = calloc(1, sizeof(*t));
    const int fd =
        t == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    enum tp_err r = TP_OK;

    *out = NULL;
    if (t == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a trace");
    if (fd >= 0)
        t->file = fdopen(fd, "w");
    if (t->file == NULL) {
        r = tp_fail(e, TP_ERR_USAGE, "cannot write the trace %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        goto out;
    }
    snprintf(t->path, sizeof(t->path), "%s", path);
    t->unmasked = unmasked;
    write_head(t);
    *out = t;
    t = NULL;
out:
    free(t);
    return r;
}

enum tp_err trace_open_memory(struct trace **out, char **text, size_t *n, struct tp_error *e)
{
    struct trace *t = calloc(1, sizeof(*t));

    *out = NULL;
    if (t != NULL)
        t->file = open_memstream(text, n);
    if (t == NULL || t->file == NULL) {
        free(t);
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a trace");
    }
    snprintf(t->path, sizeof(t->path), "in memory");
    write_head(t);
    *out = t;
    return TP_OK;
}

/* ---- exchanges ---- */

/* Only what belongs to the test scheme goes unmasked. */
static void look_at_selection(struct trace *t, struct span command, struct span response)
{
    if (!t->unmasked || !shown_selection(&t->shown.all, command, response))
        return;
    if (t->shown.all || t->told)
        return;
    t->told = true;
    fprintf(t->file, "# This is not a card of the test scheme: MASKED, though --trace-unmasked was "
                     "asked for.\n");
    log_note("the card is not of the test scheme: its trace is masked");
}

void trace_exchange(void *ctx, struct span command, struct span response)
{
    struct trace *t = ctx;
    const size_t n = SHOWN_APDU_MAX(command.n > response.n ? command.n : response.n);
    char *text = malloc(n);
    const bool random = command.n >= 2 && command.p[1] == INS_GET_CHALLENGE;
    struct rapdu r;

    if (text == NULL) {
        fprintf(t->file, "# no memory to show an exchange\n");
        return;
    }
    look_at_selection(t, command, response);
    fprintf(t->file, "> %s\n", shown_command(text, &t->shown, command));
    if (response.n == 0)
        fprintf(t->file, "< (no answer)\n");
    else
        fprintf(t->file, "< %s  %s\n", shown_response(text, &t->shown, response, random),
                rapdu_parse(&r, response) == TP_OK ? sw_text(r.sw) : "");
    secret_wipe(text, n);
    free(text);
}

/* ---- facts ---- */

/* On one line, whatever is in it. */
static void fact(const struct trace *t, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void fact(const struct trace *t, const char *name, const char *format, ...)
{
    char text[640];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20)
            *c = '?';
    fprintf(t->file, "%s: %s\n", name, text);
}

static void tag_fact(const struct trace *t, uint32_t tag, struct span value)
{
    const struct emv_tag *known = emv_tag_find(tag);
    char hex[2 * 64 + 1];

    if (value.n > 0 && value.n <= 64)
        fprintf(t->file, "%02X: %s  %s\n", tag, hex_encode(hex, value),
                known != NULL ? known->name : "");
}

static void number_fact(const struct trace *t, uint32_t tag, uint64_t value, unsigned digits)
{
    uint8_t raw[6];
    struct buf b = BUF_OF(raw);

    if (bcd_put(&b, value, digits) == TP_OK)
        tag_fact(t, tag, buf_span(&b));
}

static void hex_field(const struct trace *t, const char *name, struct span value)
{
    fprintf(t->file, " %s=", name);
    for (size_t i = 0; i < value.n; i++)
        fprintf(t->file, "%02X", value.p[i]);
}

void trace_reader(struct trace *t, struct reader *reader)
{
    char atr[2 * READER_ATR_MAX + 1];

    if (t == NULL)
        return;
    fact(t, "reader", "%s", reader_name(reader));
    fact(t, "atr", "%s", hex_encode(atr, reader_atr(reader)));
    fact(t, "protocol", "%s", reader_is_t0(reader) ? "T=0" : "T=1");
    fact(t, "keypad", "%s", reader_features(reader).pin_verify ? "yes" : "no");
}

static void application(const struct trace *t, const struct terminal_application *a)
{
    char aid[33];

    fprintf(t->file, "application: %s partial=%s", hex_encode(aid, span_of(a->aid, a->aid_n)),
            a->partial ? "yes" : "no");
    hex_field(t, "version", SPAN_OF(a->version));
    hex_field(t, "tac_denial", SPAN_OF(a->tac_denial));
    hex_field(t, "tac_online", SPAN_OF(a->tac_online));
    hex_field(t, "tac_default", SPAN_OF(a->tac_default));
    fprintf(t->file, " floor=%" PRIu32 " threshold=%" PRIu32 " target=%u target_max=%u",
            a->floor_limit, a->threshold, a->random_target, a->random_target_max);
    hex_field(t, "ddol", a->default_ddol);
    fputc('\n', t->file);
}

void trace_payment(struct trace *t, const struct terminal_config *c,
                   const struct transaction_request *q)
{
    uint8_t date[3];
    char only[33];

    if (t == NULL)
        return;
    date_to_yymmdd(date, q->date);
    number_fact(t, TAG_AMOUNT, (uint64_t)q->amount, 12);
    number_fact(t, TAG_TX_CURRENCY, q->currency, 4);
    number_fact(t, TAG_TX_CURRENCY_EXPONENT, q->currency_exponent, 2);
    tag_fact(t, TAG_TX_TYPE, span_of(&q->type, 1));
    tag_fact(t, TAG_TX_DATE, SPAN_OF(date));
    number_fact(t, TAG_TX_TIME, (uint64_t)q->time, 6);
    number_fact(t, TAG_TX_COUNTER, q->counter % 100000000U, 8);
    tag_fact(t, TAG_UN, SPAN_OF(q->un));
    tag_fact(t, TAG_MERCHANT_CUSTOM, SPAN_OF(q->payee));
    tag_fact(t, TAG_TERMINAL_TYPE, span_of(&c->type, 1));
    tag_fact(t, TAG_TERMINAL_CAPABILITIES, SPAN_OF(c->capabilities));
    tag_fact(t, TAG_ADDITIONAL_CAPABILITIES, SPAN_OF(c->additional));
    number_fact(t, TAG_TERMINAL_COUNTRY, c->country, 4);
    number_fact(t, TAG_MCC, c->mcc, 4);
    tag_fact(t, TAG_TERMINAL_ID, span_str(c->terminal_id));
    tag_fact(t, TAG_MERCHANT_ID, span_str(c->merchant_id));
    tag_fact(t, TAG_MERCHANT_NAME, span_str(c->merchant_name));
    tag_fact(t, TAG_IFD_SERIAL, span_str(c->ifd_serial));
    if (q->application.n > 0 && q->application.n <= sizeof(only) / 2)
        fact(t, "only", "%s", hex_encode(only, q->application));
    if (q->label != NULL)
        fact(t, "only-label", "%s", q->label);
    fact(t, "allow-live", "%s", c->allow_live_card ? "yes" : "no");
    for (size_t i = 0; i < c->applications_n; i++)
        application(t, &c->applications[i]);
}

/* ---- what the person and the acquirer say ---- */

static int choose(void *ctx, const struct candidate *list, size_t n)
{
    struct trace *t = ctx;
    const int choice = t->person.choose(t->person.ctx, list, n);

    fact(t, "choice", "%d", choice);
    return choice;
}

static enum tp_err pin(void *ctx, unsigned tries_left, bool wrong_before, struct secret *out)
{
    struct trace *t = ctx;
    const enum tp_err r = t->person.pin(t->person.ctx, tries_left, wrong_before, out);

    const char *what = out->n >= 4 && out->n <= 12 ? "entered" : "no PIN";

    if (r != TP_OK)
        what = r == TP_ERR_CANCELLED ? "bypassed" : r == TP_ERR_NOT_FOUND ? "no pad" : "left";
    fact(t, "pin", "%s", what);
    return r;
}

static void step(void *ctx, enum kernel_step step)
{
    struct trace *t = ctx;

    t->person.step(t->person.ctx, step);
}

/* At the reader's own keypad: in the same words. */
static enum tp_err keypad(void *ctx, unsigned tries_left, enum kernel_keypad what)
{
    struct trace *t = ctx;
    const enum tp_err r = t->person.keypad(t->person.ctx, tries_left, what);

    if (r != TP_OK && r != TP_ERR_CANCELLED)
        fact(t, "pin", "left");
    else if (what == KERNEL_KEYPAD_SENT)
        fact(t, "pin", "entered");
    else if (what == KERNEL_KEYPAD_LENGTH || what == KERNEL_KEYPAD_MISMATCH)
        fact(t, "pin", "no PIN");
    else if (what != KERNEL_KEYPAD_ENTER && what != KERNEL_KEYPAD_WRONG)
        fact(t, "pin", "bypassed");
    return r;
}

struct kernel_person trace_person(struct trace *t, const struct kernel_person *person)
{
    if (t == NULL)
        return *person;
    t->person = *person;
    return (struct kernel_person){.ctx = t,
                                  .choose = person->choose != NULL ? choose : NULL,
                                  .choose_one = person->choose_one,
                                  .pin = person->pin != NULL ? pin : NULL,
                                  .tries_untold = person->tries_untold,
                                  .step = person->step != NULL ? step : NULL,
                                  .keypad = person->keypad != NULL ? keypad : NULL};
}

/* A script may bring a new PIN (INS 24), or data of the cardholder: what such commands carry is not
 * told, as in the commands themselves. Their lengths stay, so that it is the same script. */
static void hide_script_data(const struct trace *t, struct span scripts, unsigned depth)
{
    struct tlv o;
    struct capdu c;

    while (depth < 3 && tlv_next(&scripts, &o) == TP_OK) {
        if (tlv_constructed(o.tag))
            hide_script_data(t, o.value, depth + 1);
        else if (o.tag == TAG_SCRIPT_COMMAND && capdu_parse(&c, o.value) == TP_OK &&
                 !shown_command_plain(&t->shown, c.ins))
            memset((uint8_t *)(uintptr_t)c.data.p, 0, c.data.n);
    }
}

static enum tp_err authorise(void *ctx, const struct transaction *tx,
                             struct kernel_issuer_answer *out)
{
    struct trace *t = ctx;
    const enum tp_err r = t->online.authorise(t->online.ctx, tx, out);
    uint8_t scripts[KERNEL_SCRIPTS_MAX];

    if (r != TP_OK || !out->reached) {
        fact(t, "online", "%s", r != TP_OK ? "failed" : "not reached");
        return r;
    }
    memcpy(scripts, out->scripts.p, out->scripts.n);
    hide_script_data(t, span_of(scripts, out->scripts.n), 0);
    fprintf(t->file, "online:");
    hex_field(t, "arc", SPAN_OF(out->arc));
    hex_field(t, "approval", span_str(out->approval));
    hex_field(t, "91", span_of(out->authentication.p, out->authentication.n));
    hex_field(t, "scripts", span_of(scripts, out->scripts.n));
    fputc('\n', t->file);
    return r;
}

struct kernel_online trace_online(struct trace *t, const struct kernel_online *online)
{
    if (t == NULL || online->authorise == NULL)
        return *online;
    t->online = *online;
    return (struct kernel_online){.ctx = t, .authorise = authorise};
}

static enum tp_err spent(void *ctx, const char *pan, int psn, uint16_t currency, int64_t *amount)
{
    struct trace *t = ctx;
    const enum tp_err r = t->memory->spent == NULL
                              ? TP_OK
                              : t->memory->spent(t->memory->ctx, pan, psn, currency, amount);

    if (r == TP_OK)
        fact(t, "spent", "%" PRId64, *amount);
    else
        fact(t, "spent", "failed");
    return r;
}

static enum tp_err on_exception_file(void *ctx, const char *pan, int psn, bool *hit)
{
    struct trace *t = ctx;
    const enum tp_err r = t->memory->on_exception_file == NULL
                              ? TP_OK
                              : t->memory->on_exception_file(t->memory->ctx, pan, psn, hit);

    fact(t, "exception", "%s", r != TP_OK ? "failed" : *hit ? "yes" : "no");
    return r;
}

const struct kernel_memory *trace_memory(struct trace *t, const struct kernel_memory *memory)
{
    if (t == NULL || memory == NULL)
        return memory;
    t->memory = memory;
    t->noting = (struct kernel_memory){t, spent, on_exception_file};
    return &t->noting;
}

/* ---- the end ---- */

const char *trace_outcome_name(enum kernel_outcome outcome)
{
    static const char *const names[] = {
        [KERNEL_APPROVED] = N_("approved"),         [KERNEL_DECLINED] = N_("declined"),
        [KERNEL_NOT_ACCEPTED] = N_("not accepted"), [KERNEL_TERMINATED] = N_("terminated"),
        [KERNEL_READ_ONLY] = N_("read only"),       [KERNEL_PROVED] = N_("proved"),
    };

    return names[outcome];
}

char *trace_result(char out[TRACE_RESULT_MAX], const struct transaction *tx)
{
    static const uint32_t tags[] = {TAG_TVR, TAG_TSI, TAG_CVM_RESULTS, TAG_CID,           TAG_ATC,
                                    TAG_AC,  TAG_IAD, TAG_ARC,         TAG_SCRIPT_RESULTS};
    size_t n = 0;
    char hex[2 * 32 + 1];

    out[0] = '\0';
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        const struct span v = transaction_get(tx, tags[i]);

        if (v.n > 0 && v.n <= 32)
            n += (size_t)snprintf(out + n, TRACE_RESULT_MAX - n, "%s%02X=%s", n > 0 ? " " : "",
                                  tags[i], hex_encode(hex, v));
    }
    return out;
}

static void ec_fields(const struct trace *t, const struct ec_pubkey *key)
{
    hex_field(t, "suite", span_of(&key->suite->signature, 1));
    hex_field(t, "x", ec_pubkey_x(key));
}

static void key_fact(const struct trace *t, const char *name, const struct emv_pubkey *key,
                     const struct ec_pubkey *ec)
{
    fprintf(t->file, "%s:%s", name, key == NULL && ec == NULL ? " none" : "");
    if (ec != NULL)
        ec_fields(t, ec);
    if (key != NULL) {
        hex_field(t, "modulus", emv_pubkey_modulus(key));
        hex_field(t, "exponent", emv_pubkey_exponent(key));
    }
    fputc('\n', t->file);
}

static void authority_fact(const struct trace *t, const struct capk *k)
{
    char rid[11];

    fprintf(t->file, "authority: %s index=%02X expiry=%d live=%s", hex_encode(rid, SPAN_OF(k->rid)),
            k->index, k->expiry, k->live ? "yes" : "no");
    if (k->key != NULL) {
        hex_field(t, "modulus", emv_pubkey_modulus(k->key));
        hex_field(t, "exponent", emv_pubkey_exponent(k->key));
    } else {
        ec_fields(t, &k->ec);
    }
    fputc('\n', t->file);
}

/* The keys that the card's certificate could be under: those of its index, and when there are none,
 * one that says whose scheme it is. */
static void authorities(const struct trace *t, const struct capk_store *store,
                        const struct transaction *tx)
{
    const struct span name = transaction_get(tx, TAG_DF_NAME),
                      index = transaction_get(tx, TAG_CA_INDEX);
    const struct capk *k, *other = NULL;
    bool found = false;

    if (name.n < 5 || store == NULL)
        return;
    for (size_t i = 0; (k = capk_at(store, i)) != NULL; i++) {
        if (memcmp(k->rid, name.p, sizeof(k->rid)) != 0)
            continue;
        other = k;
        if (index.n == 1 && k->index == index.p[0]) {
            found = true;
            authority_fact(t, k);
        }
    }
    if (!found && other != NULL)
        authority_fact(t, other);
}

char *trace_authentication(char out[TRACE_RESULT_MAX], const struct transaction *tx)
{
    const struct kernel_authentication *a = transaction_authentication(tx);

    if (a->failed_at != NULL)
        snprintf(out, TRACE_RESULT_MAX, "method=%s ok=no check=%s failed_at=%s",
                 kernel_method_name(a->method), emv_check_name(a->check), a->failed_at);
    else
        snprintf(out, TRACE_RESULT_MAX, "method=%s ok=%s", kernel_method_name(a->method),
                 a->ok ? "yes" : "no");
    return out;
}

void trace_outcome(struct trace *t, const struct terminal_config *terminal,
                   const struct transaction *tx, const struct tp_error *why)
{
    char text[TRACE_RESULT_MAX];
    struct span tvr;

    if (t == NULL)
        return;
    if (tx != NULL) {
        tvr = transaction_get(tx, TAG_TVR);
        fact(t, "random", "%s",
             tvr.n == 5 && tvr_has(tvr.p, TVR_RANDOM)
                 ? "yes"
                 : "no"); /* Book 3, table 46: selected randomly for online processing */
        authorities(t, terminal->authorities, tx);
        key_fact(t, "icc-key", transaction_card_key(tx), transaction_card_ec(tx));
        key_fact(t, "pin-key", transaction_pin_key(tx), transaction_pin_ec(tx));
        fact(t, "authentication", "%s", trace_authentication(text, tx));
        tag_fact(t, TAG_DATA_AUTH_CODE, transaction_get(tx, TAG_DATA_AUTH_CODE));
        fact(t, "result", "%s", trace_result(text, tx));
    }
    fact(t, "reason", "%s",
         why != NULL || tx == NULL ? (why != NULL ? why->text : "") : transaction_reason(tx));
    fact(t, "outcome", "%s",
         why != NULL || tx == NULL ? N_("error") : trace_outcome_name(transaction_outcome(tx)));
}

enum tp_err trace_close(struct trace **t, struct tp_error *e)
{
    struct trace *mine = *t;
    bool failed;
    enum tp_err r;

    if (mine == NULL)
        return TP_OK;
    *t = NULL;
    failed = ferror(mine->file) != 0;
    failed = fclose(mine->file) != 0 || failed;
    r = failed ? tp_fail(e, TP_ERR_IO, "the trace %s is not whole: %s", mine->path, strerror(errno))
               : TP_OK;
    secret_wipe(mine, sizeof(*mine));
    free(mine);
    return r;
}
