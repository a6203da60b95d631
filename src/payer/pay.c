#include "payer/pay.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/tlv.h"
#include "base/date.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/secret.h"
#include "crypto/payee.h"
#include "drivers/readers.h"
#include "payer/deliver.h"
#include "payer/memory.h"
#include "payer/trace.h"

#define AID_MIN             5    /* bytes: an application provider's part at least */
#define CAP2_ENCIPHERED_PIN 0x10 /* 9F33, byte 2: Book 4, Annex A2 */
#define CVM_CODE            0x3F /* of a rule: Book 3, Annex C3 */
#define CVM_ENCIPHERED_PIN  0x04
#define LABEL_MAX           16  /* characters of 50 and 9F12 */
#define WAIT_SLICE_MS       200 /* how long a Ctrl-C may go unseen while waiting for a card */

enum pay_stage {
    PAY_PREPARE,       /* nothing is asked of anybody yet */
    PAY_GREET,         /* the acquirer is reached, and what lies from before delivered */
    PAY_WAIT_CARD,     /* a reader, a card in it */
    PAY_CARD,          /* the card and the terminal decide */
    PAY_ASKED,         /* a question to the issuer may have left; nothing is known of its answer */
    PAY_UNREACHED,     /* the acquirer could not ask the issuer (91): it keeps nothing, and takes
                          back what it asked */
    PAY_REFUSED,       /* acquirer or issuer said no */
    PAY_APPROVED,      /* the issuer said yes: the card has yet to have its last word */
    PAY_ALONE,         /* the card has had its last word, and nobody beside it was asked */
    PAY_DENIED,        /* so has it, after a no that the journal knows */
    PAY_TO_REVERSE,    /* so has it, or has left, after a question that is to be taken back */
    PAY_REVERSED,      /* and that is */
    PAY_REVERSAL_KEPT, /* or is kept to be, by a later run */
    PAY_SIGNED,        /* the card has signed what pays */
    PAY_KEPT,          /* that is in the journal; whether the acquirer has it, nobody knows */
    PAY_SETTLED,       /* the acquirer has said what it thinks of it: in journal and receipt */
    PAY_END
};

struct payment { /* all that a payment holds while it lasts */
    const struct pay_options *options;
    struct pay_result *result;
    struct terminal *terminal;
    struct journal *journal;
    struct memory *memory;
    struct deliverer *deliverer;
    struct person *person;
    struct reader *reader;
    struct trace *trace;
    struct transaction_request request;
    enum pay_stage stage;
    uint8_t aid[16]; /* of --application, to which request points */
    char what[96];   /* is paid, and to whom */
    unsigned stan;
    bool by_keypad;            /* the reader's own takes the PIN */
    struct tp_error card;      /* why the card came to no end; code TP_OK: it did */
    int64_t asked;             /* the question's row in the journal; 0: nobody was asked */
    int64_t after;             /* that row when it is being reversed: what the card then signs is
                                  delivered behind it; 0: none */
    int64_t kept;              /* the row of what the card signed */
    struct wire_answer online; /* the answer to the question; code "" when there was none */
    uint8_t undo[512];         /* the 0400 that takes the question back */
    size_t undo_n;
    uint8_t message[MESSAGE_MAX]; /* the 0200 of what the card signed */
    size_t message_n;
};

static void go_on(struct payment *p, enum pay_stage next);

static struct span get(const void *tx, uint32_t tag)
{
    return transaction_get(tx, tag);
}

enum tp_err pay_amount(int64_t *minor, const struct currency *contract, const char *amount,
                       const char *currency, struct tp_error *e)
{
    const struct currency *c = currency == NULL ? contract : currency_by_alpha(currency);

    if (c == NULL)
        return tp_fail(e, TP_ERR_USAGE,
                       "\"%s\" is not a currency of ISO 4217: write three letters, such as EUR",
                       currency);
    if (c != contract)
        return tp_fail(e, TP_ERR_USAGE, "the contract is in %s: it cannot take %s", contract->alpha,
                       c->alpha);
    if (amount == NULL)
        return tp_fail(e, TP_ERR_USAGE, "say how much: --amount 12.50");
    return money_parse(minor, c, amount, e);
}

static void tell_delivered(void *ctx, const struct receipt *r)
{
    (void)ctx;
    log_note("payment %06u of before: %s%s%s", r->stan, payment_state_name(r->state),
             r->reason[0] != '\0' ? ", " : ", reference ",
             r->reason[0] != '\0' ? r->reason : r->rrn);
}

/* A payment before this one may have been cut off between its question and the card's last word. */
static enum tp_err recover(struct payment *p, struct tp_error *e)
{
    size_t n = 0;
    const enum tp_err r = journal_recover(p->journal, &n, e);

    if (n > 0)
        log_note("%zu %s cut off while its issuer was asked: to be reversed", n,
                 n == 1 ? "payment of before was" : "payments of before were");
    return r;
}

/* Before a card is asked for anything: the way to the acquirer, over which what an earlier payment
 * left is delivered first. An acquirer who is not the right one, or who takes nothing from this
 * terminal, ends it here; one who cannot be reached does not, because a card can sign without (Book
 * 4, 6.3: terminal type 35 is online with offline). */
static enum tp_err reach_acquirer(struct payment *p, struct tp_error *e)
{
    struct tp_error why = {0};
    enum tp_err r = deliverer_new(&p->deliverer, p->terminal, person_stays, p->person, e);

    if (r != TP_OK)
        return r;
    r = recover(p, e);
    if (r != TP_OK)
        return r;
    r = deliverer_greet(p->deliverer, &why);
    if (r == TP_OK)
        r = deliver_pending(p->deliverer, p->journal, tell_delivered, NULL, &why);
    if (r == TP_ERR_SECURITY || r == TP_ERR_CANCELLED) {
        *e = why;
        return r;
    }
    if (r != TP_OK)
        log_note("%s; what the card signs will be delivered later", why.text);
    go_on(p, PAY_WAIT_CARD);
    return TP_OK;
}

static enum tp_err wait_card(struct payment *p, struct tp_error *e)
{
    const int64_t until = time_monotonic_ms() + p->options->wait_ms;
    bool prompted = false;
    enum tp_err r = reader_wait_card(p->reader, 0, e);

    while ((r == TP_ERR_NO_CARD || r == TP_ERR_NO_READER) && time_monotonic_ms() < until) {
        if (!prompted)
            person_status(p->person, "%s: %s", p->what,
                          r == TP_ERR_NO_CARD ? "insert your card" : "connect a card reader");
        prompted = true;
        if (!person_stays(p->person, 0)) {
            r = tp_fail(e, TP_ERR_CANCELLED,
                        "given up before a card was inserted: nothing was paid");
            break;
        }
        r = reader_wait_card(p->reader, WAIT_SLICE_MS, e);
    }
    person_status_end(p->person);
    return r;
}

/* A reader with a keypad takes the PIN itself, unless it was said to ask here. It can send it in
 * plaintext only, so enciphered PIN is none of this terminal's capabilities then. */
static void choose_pinpad(struct payment *p)
{
    if (p->options->no_pinpad || p->options->person.pin_fd >= 0 ||
        !reader_features(p->reader).pin_verify)
        return;
    p->by_keypad = true;
    person_use_keypad(p->person);
    p->terminal->kernel.capabilities[1] &= (uint8_t)~CAP2_ENCIPHERED_PIN;
}

static enum tp_err reach_card(struct payment *p, struct tp_error *e)
{
    enum tp_err r;

    if ((r = readers_open(&p->reader, p->options->reader, e)) != TP_OK ||
        (r = wait_card(p, e)) != TP_OK || (r = reader_connect(p->reader, e)) != TP_OK)
        return readers_usable(r);
    choose_pinpad(p);
    reader_set_goes_on(p->reader, person_reads, p->person);
    if (p->options->trace != NULL) {
        r = trace_open(&p->trace, p->options->trace, p->options->trace_unmasked, e);
        if (r == TP_OK)
            reader_set_trace(p->reader, trace_exchange, p->trace);
        trace_reader(p->trace, p->reader);
    }
    if (r == TP_OK)
        go_on(p, PAY_CARD);
    return r;
}

/* What the card signs of whom it pays: fixed before its first cryptogram, as are number, day and
 * time. */
static enum tp_err name_payee(struct payment *p, struct tp_error *e)
{
    const struct terminal_config *k = &p->terminal->kernel;
    const struct payee payee = {.acquirer = p->terminal->acquirer,
                                .contract = k->merchant_id,
                                .terminal = k->terminal_id,
                                .counter = p->request.counter,
                                .date = p->request.date,
                                .time = p->request.time};
    const enum tp_err r = payee_at_counter(p->request.payee, &payee);

    return r == TP_OK ? r : tp_fail(e, r, "the payee cannot be named: %s", tp_err_text(r));
}

static enum tp_err fill_request(struct payment *p, struct tp_error *e)
{
    struct transaction_request *rq = &p->request;
    struct tm now;
    time_t t;
    enum tp_err r;

    date_now(&now, &t);
    rq->currency = p->terminal->currency->numeric;
    rq->currency_exponent = p->terminal->currency->exponent;
    rq->date = date_of(t);
    rq->time = now.tm_hour * 10000 + now.tm_min * 100 + now.tm_sec;
    if (RAND_bytes(rq->un, sizeof(rq->un)) != 1)
        return tp_fail(e, TP_ERR_INTERNAL, "the system gives no random numbers");
    r = journal_next_stan(p->journal, rq->date, &p->stan, e);
    rq->counter = p->stan;
    return r == TP_OK ? name_payee(p, e) : r;
}

/* An answer that decides nothing leaves the question where it was. */
static enum pay_stage stage_of(const struct wire_answer *a)
{
    if (wire_answer_is_yes(a))
        return PAY_APPROVED;
    if (strcmp(a->code, "91") == 0)
        return PAY_UNREACHED;
    return answer_is_final(a) ? PAY_REFUSED : PAY_ASKED;
}

static enum cli_exit exit_of_refusal(const struct receipt *r)
{
    return strcmp(r->answer, "63") == 0 ? CLI_SECURITY : CLI_DECLINED;
}

/* What the issuer says to the card, as the kernel takes it. Scripts that are longer than a terminal
 * must take (EMV 4.4 Book 3, 10.10: 128 bytes) and than this one does are left out: the card then
 * shows the issuer that they did not come. */
static void read_answer(struct kernel_issuer_answer *out, const struct wire_answer *a)
{
    struct span rest = span_of(a->data, a->data_n);
    struct tlv t;

    out->reached = answer_is_final(a);
    memcpy(out->arc, a->code, 2);
    memcpy(out->approval, a->approval, sizeof(out->approval));
    while (tlv_next(&rest, &t) == TP_OK) {
        if (t.tag == TAG_ISSUER_AUTH_DATA && t.value.n >= 8 &&
            t.value.n <= sizeof(out->authentication.p)) {
            memcpy(out->authentication.p, t.value.p, t.value.n);
            out->authentication.n = t.value.n;
        } else if ((t.tag == TAG_SCRIPT_71 || t.tag == TAG_SCRIPT_72) &&
                   t.raw.n <= sizeof(out->scripts.p) - out->scripts.n) {
            memcpy(out->scripts.p + out->scripts.n, t.raw.p, t.raw.n);
            out->scripts.n += t.raw.n;
        } else if (t.tag != TAG_ARC) {
            log_note("the issuer's answer holds %02X of %zu bytes: left out", t.tag, t.value.n);
        }
    }
}

static void fill_receipt(struct payment *p, const struct transaction *tx);

/* The question is in the journal, with what takes it back, before it leaves. */
static enum tp_err keep_question(struct payment *p, const struct transaction *tx,
                                 struct span message, struct tp_error *e)
{
    struct buf undo = BUF_OF(p->undo);
    unsigned stan = 0;
    enum tp_err r = journal_next_stan(p->journal, p->request.date, &stan, e);

    if (r == TP_OK)
        r = message_reversal(&undo, message, stan, time(NULL), e);
    p->undo_n = undo.n;
    if (r != TP_OK)
        return r;
    fill_receipt(p, tx);
    p->result->has_receipt = false; /* not yet one to show */
    return journal_ask(p->journal, &p->result->receipt, buf_span(&undo), &p->asked, e);
}

/* Once; and once more on a new connection when the first broke, since the acquirer answers a repeat
 * as the first. Time that ran out is not spent again. */
static enum tp_err ask_acquirer(struct payment *p, struct buf *message, struct tp_error *e)
{
    enum tp_err r = deliver_once(p->deliverer, buf_span(message), &p->online, e);

    if (r != TP_ERR_PEER)
        return r;
    message_make_repeat(message);
    return deliver_once(p->deliverer, buf_span(message), &p->online, e);
}

/* Among what is delivered of before, this very payment may be. */
static void take_delivered(void *ctx, const struct receipt *r)
{
    struct payment *p = ctx;

    if (p->stage != PAY_KEPT || r->stan != p->stan || r->date != p->request.date) {
        tell_delivered(NULL, r);
        return;
    }
    p->result->receipt = *r;
    go_on(p, PAY_SETTLED);
}

/* What must be delivered before the payment id, is: the reversal of a question above all, without
 * which the card's TC of the same counter is refused for good. */
static enum tp_err deliver_first(struct payment *p, int64_t id, struct tp_error *e)
{
    bool waits = false;
    enum tp_err r = journal_waits(p->journal, id, &waits, e);

    if (r != TP_OK || !waits)
        return r;
    r = deliver_pending(p->deliverer, p->journal, take_delivered, p, e);
    if (r == TP_OK)
        r = journal_waits(p->journal, id, &waits, e);
    return r == TP_OK && waits
               ? tp_fail(e, TP_ERR_PEER,
                         "an earlier payment with this card must be delivered first")
               : r;
}

/* A cryptogram that asks for the issuer: the acquirer is asked, and asks the issuer. */
static enum tp_err authorise(void *ctx, const struct transaction *tx,
                             struct kernel_issuer_answer *out)
{
    struct payment *p = ctx;
    uint8_t room[MESSAGE_MAX];
    struct buf message = BUF_OF(room);
    const int64_t start = time_monotonic_ms();
    struct tp_error why = {0};
    enum tp_err r = deliverer_connect(p->deliverer, &why);

    if (r == TP_OK)
        r = message_build(&message, p->terminal, &p->request, p->stan, time(NULL), get, tx, &why);
    if (r == TP_OK)
        r = keep_question(p, tx, buf_span(&message), &why);
    if (r == TP_OK) {
        go_on(p, PAY_ASKED);
        r = deliver_first(p, p->asked, &why);
        if (r == TP_OK)
            r = ask_acquirer(p, &message, &why);
    }
    secret_wipe(room, sizeof(room));
    p->result->acquirer_ms += time_monotonic_ms() - start;
    if (r != TP_OK) {
        p->online = (struct wire_answer){.code = ""};
        log_note("the card asks for its issuer, who is not reached: %s", why.text);
        return TP_OK;
    }
    go_on(p, stage_of(&p->online));
    read_answer(out, &p->online);
    return TP_OK;
}

/* *e says why there is no transaction. */
static enum tp_err run_kernel(struct payment *p, struct tp_error *e)
{
    const struct kernel_person asked = person_kernel(p->person),
                               person = trace_person(p->trace, &asked);
    const struct kernel_online way = {.ctx = p, .authorise = authorise},
                               online = trace_online(p->trace, &way);
    const struct kernel_memory memory = memory_kernel(p->memory, p->request.date);
    const int64_t start = time_monotonic_ms();
    enum tp_err r;

    trace_payment(p->trace, &p->terminal->kernel, &p->request);
    p->terminal->kernel.memory = trace_memory(p->trace, &memory);
    r = kernel_run(&p->result->tx, p->reader, &p->terminal->kernel, &p->request, &person, &online,
                   e);
    p->terminal->kernel.memory = NULL;
    person_status_end(p->person);
    p->result->card_ms = time_monotonic_ms() - start - p->result->acquirer_ms;
    p->result->counts = reader_counts(p->reader);
    reader_disconnect(p->reader);
    if (r == TP_ERR_CANCELLED)
        (void)tp_fail(e, r, "given up before the card was asked to sign: nothing was paid");
    if (person_ended(p->person, NULL) != TP_OK)
        r = person_ended(p->person, e);
    trace_outcome(p->trace, &p->terminal->kernel, p->result->tx, r != TP_OK ? e : NULL);
    return r;
}

static void fill_receipt(struct payment *p, const struct transaction *tx)
{
    struct receipt *r = &p->result->receipt;
    const struct candidate *c = transaction_application(tx);
    const struct kernel_authentication *a = transaction_authentication(tx);

    receipt_fill(r, p->terminal, &p->request, get, tx);
    r->stan = p->stan;
    if (c != NULL)
        memcpy(r->label, c->label, sizeof(r->label));
    if (a != NULL && a->ok)
        snprintf(r->method, sizeof(r->method), "%s", kernel_method_name(a->method));
    p->result->has_receipt = true;
}

/* What a person can do about a PIN that may be why it did not go well: one that was wrong too
 * often; a card that takes it enciphered only, which no keypad does. */
static void hint_pin(const struct payment *p)
{
    const struct kernel_cvm *rule;

    if (transaction_pin_tries(p->result->tx) == 0)
        log_note("the PIN was wrong too often, and the card takes none any more: its issuer can "
                 "unblock it");
    for (size_t i = 0; p->by_keypad && (rule = transaction_cvm_at(p->result->tx, i)) != NULL; i++)
        if ((rule->code & CVM_CODE) == CVM_ENCIPHERED_PIN && /* not of this terminal, or only asked
                                                                for "if the terminal supports it" */
            (rule->result == KERNEL_CVM_UNSUPPORTED || rule->result == KERNEL_CVM_CONDITION)) {
            log_note("this card can take its PIN enciphered, which the reader's keypad cannot do: "
                     "--no-pinpad asks for it here");
            return;
        }
}

/* The card's part, with whoever it asks. */
static enum tp_err run_card(struct payment *p, struct tp_error *e)
{
    enum tp_err r = fill_request(p, e);

    if (r != TP_OK)
        return r;
    r = run_kernel(p, &p->card);
    p->card.code = r;
    if (r == TP_OK)
        fill_receipt(p, p->result->tx);
    if (p->stage == PAY_CARD)
        go_on(p, PAY_ALONE);
    return TP_OK;
}

static bool card_approved(const struct payment *p)
{
    return p->card.code == TP_OK && transaction_outcome(p->result->tx) == KERNEL_APPROVED;
}

/* What became of the question to the issuer, now that the card has had its last word or has left:
 * the journal knows. What it cannot be told stays there as asked, and the next run reverses it. */
static enum tp_err conclude(struct payment *p, enum pay_stage next, struct tp_error *e)
{
    struct receipt concluded = p->result->receipt;
    enum tp_err r;

    receipt_settle(&concluded, &p->online);
    r = journal_conclude(p->journal, p->asked, &concluded, e);
    if (r != TP_OK)
        return r;
    if (next == PAY_SETTLED)
        p->result->receipt = concluded;
    go_on(p, next);
    return TP_OK;
}

/* Without an answer nobody knows what the acquirer did: that is taken back, as is a yes of which
 * the card made no TC (Book 4, 6.3.8; ISO 8583 0400). */
static enum tp_err settle_question(struct payment *p, struct tp_error *e)
{
    const bool yes = p->stage == PAY_APPROVED;
    enum tp_err r;

    if (yes && card_approved(p))
        return conclude(p, PAY_SETTLED, e);
    if (p->stage == PAY_UNREACHED)
        return conclude(p, PAY_ALONE, e);
    if (p->stage == PAY_REFUSED)
        return conclude(p, PAY_DENIED, e);
    r = journal_reverse(p->journal, p->asked, p->online.rrn,
                        yes ? "approved, but the card then gave no TC"
                            : "the question to the issuer was not answered",
                        e);
    if (r == TP_OK)
        go_on(p, PAY_TO_REVERSE);
    return r;
}

/* At once, if it can be. */
static enum tp_err take_back(struct payment *p, struct tp_error *e)
{
    struct buf undo = {p->undo, p->undo_n, sizeof(p->undo)};
    struct tp_error why = {0};
    struct wire_answer a;
    const enum tp_err r = deliver_try(p->deliverer, p->journal, p->asked, &undo, &a, &why);

    (void)e;
    p->after = p->asked;
    if (r != TP_OK)
        log_note("the reversal of %06u is kept, and not delivered yet: %s", p->stan, why.text);
    go_on(p, r == TP_OK ? PAY_REVERSED : PAY_REVERSAL_KEPT);
    return TP_OK;
}

/* The acquirer, the card or the terminal said no: who said it first gives the reason. A failed
 * signature is a matter of security (DESIGN 4). */
static void declined(struct payment *p)
{
    const struct kernel_authentication *a = transaction_authentication(p->result->tx);
    struct receipt *r = &p->result->receipt;

    r->state = PAYMENT_DECLINED;
    snprintf(r->reason, sizeof(r->reason), "%s", transaction_reason(p->result->tx));
    p->result->exit = a != NULL && a->failed_at != NULL ? CLI_SECURITY : CLI_DECLINED;
    if (p->stage == PAY_DENIED) {
        receipt_settle(r, &p->online);
        p->result->exit = exit_of_refusal(r);
    }
    if (p->stage == PAY_REVERSED)
        snprintf(r->reason + strlen(r->reason), sizeof(r->reason) - strlen(r->reason),
                 "; what was asked is reversed");
    if (p->stage == PAY_REVERSAL_KEPT)
        (void)tp_fail(&p->result->error, TP_ERR_STATE,
                      "nothing is paid. What was asked is to be reversed, and the acquirer does "
                      "not know yet: the reversal is kept, and the next "
                      "`telepay pay`, or `telepay journal send`, delivers it");
    hint_pin(p);
}

/* The card has had its last word, or has left. */
static enum tp_err last_word(struct payment *p, struct tp_error *e)
{
    const bool approved = card_approved(p);

    (void)e;
    if (p->card.code == TP_OK && !approved)
        declined(p);
    go_on(p, approved ? PAY_SIGNED : PAY_END);
    return TP_OK;
}

/* Keeps what the card signed. The cryptogram that asked had its number, answered or not: the one
 * that pays takes its own. */
static enum tp_err keep_signed(struct payment *p, struct tp_error *e)
{
    struct receipt *receipt = &p->result->receipt;
    struct buf message = BUF_OF(p->message);
    enum tp_err r =
        p->asked != 0 ? journal_next_stan(p->journal, p->request.date, &p->stan, e) : TP_OK;

    receipt->stan = p->stan;
    receipt->state = PAYMENT_SIGNED;
    if (r == TP_OK)
        r = message_build(&message, p->terminal, &p->request, p->stan, time(NULL), get,
                          p->result->tx, e);
    p->message_n = message.n;
    if (r == TP_OK)
        r = journal_add(p->journal, receipt, buf_span(&message), p->after, &p->kept, e);
    if (r == TP_OK)
        go_on(p, PAY_KEPT);
    return r;
}

/* Brings it to the acquirer. What goes first may take it along: a fault of others is then none of
 * this payment. */
static enum tp_err deliver_kept(struct payment *p, struct tp_error *e)
{
    struct buf message = {p->message, p->message_n, sizeof(p->message)};
    const int64_t start = time_monotonic_ms();
    struct wire_answer a;
    enum tp_err r = deliver_first(p, p->kept, e);

    if (r == TP_OK && p->stage == PAY_KEPT) {
        r = deliver(p->deliverer, p->journal, p->kept, &message, false, &a, e);
        if (r == TP_OK) {
            receipt_settle(&p->result->receipt, &a);
            go_on(p, PAY_SETTLED);
        }
    }
    p->result->acquirer_ms += time_monotonic_ms() - start;
    return p->stage == PAY_SETTLED ? TP_OK : r;
}

static enum tp_err settled(struct payment *p, struct tp_error *e)
{
    const struct receipt *r = &p->result->receipt;

    (void)e;
    p->result->exit = r->state == PAYMENT_ACKNOWLEDGED ? CLI_DONE : exit_of_refusal(r);
    go_on(p, PAY_END);
    return TP_OK;
}

/* --application AID or NAME: others are not even looked for, so that a card's only application is
 * not taken for the one that was named. */
static enum tp_err narrow(struct payment *p, struct tp_error *e)
{
    const char *wanted = p->options->person.application;
    struct buf aid = BUF_OF(p->aid);

    if (wanted == NULL || (strlen(wanted) <= 2 && strspn(wanted, "0123456789") == strlen(wanted) &&
                           wanted[0] != '\0')) /* a number in the list */
        return TP_OK;
    if (hex_decode(&aid, wanted) == TP_OK && aid.n >= AID_MIN) {
        p->request.application = buf_span(&aid);
        return terminal_only(p->terminal, buf_span(&aid), e);
    }
    if (wanted[0] == '\0' || strlen(wanted) > LABEL_MAX)
        return tp_fail(e, TP_ERR_USAGE,
                       "--application takes an AID of 10 to 32 hexadecimal digits, a name of up to "
                       "16 characters, or a number in the list, not \"%s\"",
                       wanted);
    p->request.label = wanted;
    return TP_OK;
}

static enum tp_err prepare(struct payment *p, struct tp_error *e)
{
    const struct pay_options *o = p->options;
    char amount[MONEY_TEXT_MAX];
    enum tp_err r;

    if ((r = terminal_load(&p->terminal, o->config, e)) != TP_OK ||
        (r = terminal_names_payee(p->terminal, e)) != TP_OK ||
        (r = pay_amount(&p->request.amount, p->terminal->currency, o->amount, o->currency, e)) !=
            TP_OK ||
        (r = narrow(p, e)) != TP_OK ||
        (r = journal_open(&p->journal, p->terminal->journal, e)) != TP_OK ||
        (r = memory_new(&p->memory, p->journal, p->terminal->exceptions, e)) != TP_OK ||
        (r = person_new(&p->person, &o->person, e)) != TP_OK)
        return r;
    snprintf(p->what, sizeof(p->what), "%s %s to %s",
             money_format(amount, p->request.amount, p->terminal->currency),
             p->terminal->currency->alpha, p->terminal->kernel.merchant_name);
    person_pays(p->person, p->what);
    p->terminal->kernel.allow_live_card = o->allow_live_card;
    go_on(p, PAY_GREET);
    return TP_OK;
}

#define TO(stage) (1U << (stage))

static const struct stage {
    enum tp_err (*act)(struct payment *p, struct tp_error *e); /* ends in going on, or in a fault */
    unsigned next;                                             /* where it may go on to */
    const char *told;        /* to the person, as long as it lasts; NULL: nothing, or by itself */
    enum payment_state left; /* what the payment is when a fault ends it here */
    const char *fault;       /* goes before the words of that; NULL: nothing is signed that pays */
} stages[] = {
    [PAY_PREPARE] = {prepare, TO(PAY_GREET), NULL, PAYMENT_DECLINED, NULL},
    [PAY_GREET] = {reach_acquirer, TO(PAY_WAIT_CARD), "connecting to the acquirer",
                   PAYMENT_DECLINED, NULL},
    [PAY_WAIT_CARD] = {reach_card, TO(PAY_CARD), NULL, PAYMENT_DECLINED, NULL},
    [PAY_CARD] = {run_card, TO(PAY_ASKED) | TO(PAY_ALONE), NULL, PAYMENT_DECLINED, NULL},
    [PAY_ASKED] = {settle_question,
                   TO(PAY_ASKED) | TO(PAY_UNREACHED) | TO(PAY_REFUSED) | TO(PAY_APPROVED) |
                       TO(PAY_TO_REVERSE),
                   NULL, PAYMENT_DECLINED, NULL},
    [PAY_UNREACHED] = {settle_question, TO(PAY_ALONE), NULL, PAYMENT_DECLINED, NULL},
    [PAY_REFUSED] = {settle_question, TO(PAY_DENIED), NULL, PAYMENT_DECLINED, NULL},
    [PAY_APPROVED] = {settle_question, TO(PAY_SETTLED) | TO(PAY_TO_REVERSE), NULL, PAYMENT_DECLINED,
                      NULL},
    [PAY_ALONE] = {last_word, TO(PAY_SIGNED) | TO(PAY_END), NULL, PAYMENT_DECLINED, NULL},
    [PAY_DENIED] = {last_word, TO(PAY_SIGNED) | TO(PAY_END), NULL, PAYMENT_DECLINED, NULL},
    [PAY_TO_REVERSE] = {take_back, TO(PAY_REVERSED) | TO(PAY_REVERSAL_KEPT), NULL, PAYMENT_DECLINED,
                        NULL},
    [PAY_REVERSED] = {last_word, TO(PAY_SIGNED) | TO(PAY_END), NULL, PAYMENT_DECLINED, NULL},
    [PAY_REVERSAL_KEPT] = {last_word, TO(PAY_SIGNED) | TO(PAY_END), NULL, PAYMENT_DECLINED, NULL},
    [PAY_SIGNED] = {keep_signed, TO(PAY_KEPT), NULL, PAYMENT_DECLINED,
                    "the card has signed, but the payment could not be kept and was not sent, so "
                    "nothing is paid"},
    [PAY_KEPT] = {deliver_kept, TO(PAY_SETTLED), "delivering to the acquirer", PAYMENT_SIGNED,
                  "THE CARD HAS SIGNED: do not pay again. The acquirer has not acknowledged yet; "
                  "the payment is kept, and the next `telepay pay`, or `telepay journal send`, "
                  "delivers it"},
    [PAY_SETTLED] = {settled, TO(PAY_END), NULL, PAYMENT_DECLINED, NULL},
    [PAY_END] = {NULL, 0, NULL, PAYMENT_DECLINED, NULL},
};

/* The one place where a payment goes from stage to stage. */
static void go_on(struct payment *p, enum pay_stage next)
{
    assert((stages[p->stage].next & TO(next)) != 0);
    p->stage = next;
}

static enum tp_err run(struct payment *p, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    while (r == TP_OK && p->stage != PAY_END) {
        const struct stage *now = &stages[p->stage];

        if (now->told != NULL)
            person_status(p->person, "%s", now->told);
        r = now->act(p, e);
        if (now->told != NULL)
            person_status_end(p->person);
    }
    if (p->card.code != TP_OK) { /* the first fault, whatever came of the question */
        r = p->card.code;
        *e = p->card;
    }
    if (r != TP_OK) {
        p->result->receipt.state = stages[p->stage].left;
        if (stages[p->stage].fault != NULL)
            tp_error_prefix(e, "%s", stages[p->stage].fault);
    }
    return r;
}

void pay_run(struct pay_result *result, const struct pay_options *options)
{
    struct payment p = {.options = options, .result = result, .stage = PAY_PREPARE};
    struct tp_error trace_error = {0};
    enum tp_err r;

    memset(result, 0, sizeof(*result));
    r = run(&p, &result->error);
    if (r != TP_OK) {
        result->error.code = r;
        result->exit = (enum cli_exit)cli_exit_of(r);
    }
    reader_close(&p.reader);
    if (trace_close(&p.trace, &trace_error) != TP_OK)
        log_error("%s", trace_error.text);
    result->person = p.person;
    deliverer_free(&p.deliverer);
    memory_free(&p.memory);
    journal_close(&p.journal);
    secret_wipe(p.undo, sizeof(p.undo));
    secret_wipe(p.message, sizeof(p.message));
    result->terminal = p.terminal;
}

void pay_result_free(struct pay_result *result)
{
    person_free(&result->person);
    transaction_free(&result->tx);
    terminal_free(&result->terminal);
}
