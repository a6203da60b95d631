/* The card as a whole: opening, power, dispatch, protocol. */
#include "simcard/card_priv.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- life ---- */

static enum tp_err card_alloc(struct card **out, struct card_profile **profile)
{
    struct card *c = calloc(1, sizeof(*c));

    *out = c;
    if (c == NULL) {
        profile_free(profile);
        return TP_ERR_NO_MEMORY;
    }
    c->profile = *profile;
    *profile = NULL;
    return TP_OK;
}

/* The records as the issuer left them. */
static enum tp_err apply_changes(struct card *c, const char *dir, struct tp_error *e)
{
    struct span in = {c->state.changed, c->state.changed_n}, content;
    uint8_t sfi, number;
    enum tp_err r;

    while ((r = state_changed_next(&in, &sfi, &number, &content)) == TP_OK) {
        struct profile_record *record = profile_record(c->profile, sfi, number);

        if (record == NULL || content.n > sizeof(record->data))
            return tp_fail(
                e, TP_ERR_FORMAT,
                "%s: the issuer changed record %u of file %u, which the card no longer has", dir,
                number, sfi);
        memcpy(record->data, content.p, content.n);
        record->n = content.n;
    }
    if (r != TP_ERR_NOT_FOUND)
        return tp_fail(e, r, "%s: what the issuer changed cannot be read", dir);
    return profile_index(c->profile, e) == TP_OK ? TP_OK : tp_error_prefix(e, "%s", dir);
}

enum tp_err card_open(struct card **out, const char *dir, enum card_keep keep, struct tp_error *e)
{
    struct card_profile *profile;
    enum tp_err r;

    *out = NULL;
    r = profile_load(&profile, dir, e);
    if (r != TP_OK)
        return r;
    r = card_alloc(out, &profile);
    if (r != TP_OK)
        return tp_fail(e, r, "out of memory");
    if (keep == CARD_DURABLE)
        r = state_open(&(*out)->store, &(*out)->state, dir, e);
    else
        r = state_peek(&(*out)->state, dir, e);
    if (r == TP_OK)
        r = apply_changes(*out, dir, e);
    if (r != TP_OK)
        card_close(out);
    return r;
}

enum tp_err card_new(struct card **out, struct card_profile **profile)
{
    const enum tp_err r = card_alloc(out, profile);

    if (r != TP_OK)
        return r;
    state_fresh(&(*out)->state, (*out)->profile);
    return TP_OK;
}

void card_close(struct card **c)
{
    if (*c == NULL)
        return;
    profile_free(&(*c)->profile);
    ode_end(&(*c)->ode);
    state_close(&(*c)->store);
    secret_wipe(*c, sizeof(**c));
    free(*c);
    *c = NULL;
}

enum tp_err card_state_write(struct card *c, enum state_when when)
{
    return c->store == NULL ? TP_OK : state_write(c->store, &c->state, when);
}

const uint8_t *card_aip(const struct card *c)
{
    return c->session.xda ? c->profile->xda.aip : c->profile->aip;
}

bool card_blocked(const struct card *c)
{
    return (c->state.flags & (STATE_APP_BLOCKED | STATE_CARD_BLOCKED | card_blocked_bit(c))) != 0;
}

uint16_t card_blocked_bit(const struct card *c)
{
    return (uint16_t)(STATE_ONE_BLOCKED << c->session.app);
}

struct state_limits card_limits(const struct card *c)
{
    const struct card_profile *p = c->profile;

    if ((c->state.flags & STATE_LIMITS_SET) != 0)
        return c->state.limits;
    return (struct state_limits){p->amount_limit, p->amount_maximum, p->offline_limit,
                                 p->offline_maximum};
}

struct span card_pin_block(const struct card *c)
{
    return (c->state.flags & STATE_PIN_CHANGED) != 0 ? SPAN_OF(c->state.pin_block)
                                                     : secret_span(&c->profile->pin_block);
}

uint8_t card_tries_shown(const struct card *c)
{
    return fault_tries(&c->faults, c->state.pin_tries);
}

bool card_gone(const struct card *c)
{
    return c->gone;
}

enum tp_err card_add_fault(struct card *c, const char *spec, struct tp_error *e)
{
    enum fault which;
    const enum tp_err r = fault_parse(&c->faults, &which, spec, e);

    if (r == TP_OK)
        fault_profile(which, c->faults.number[which], c->profile);
    return r;
}

/* ---- power ---- */

enum tp_err card_atr(struct card *c, struct buf *atr)
{
    /* EMV 4.3 Book 1, 8.2 and 8.3: the basic ATRs. TB1 = 00 (no Vpp), TC1 = 00; T=1: TD1 = 81, TD2
     * = 31, TA3 = FE (IFSC 254), TB3 = 45. */
    static const uint8_t t1[] = {0x3B, 0xE7, 0x00, 0x00, 0x81, 0x31, 0xFE, 0x45,
                                 'T',  'E',  'L',  'E',  'P',  'A',  'Y'};
    static const uint8_t t0[] = {0x3B, 0x67, 0x00, 0x00, 'T', 'E', 'L', 'E', 'P', 'A', 'Y'};
    uint8_t raw[33], tck = 0;
    struct buf whole = BUF_OF(raw);
    enum tp_err r = buf_put(&whole, c->profile->t0 ? SPAN_OF(t0) : SPAN_OF(t1));

    if (!c->profile->t0) { /* TCK: ISO/IEC 7816-3, 8.2.5: all bytes after TS, and it, XOR to zero */
        for (size_t i = 1; i < whole.n; i++)
            tck ^= raw[i];
        if (r == TP_OK)
            r = buf_u8(&whole, tck);
    }
    if (r != TP_OK)
        return r;
    fault_atr(&c->faults, &whole);
    return buf_put(atr, buf_span(&whole));
}

enum tp_err card_power_on(struct card *c, struct buf *atr)
{
    c->gone = false;
    c->session = (struct card_session){.phase = PHASE_NOTHING};
    ode_end(&c->ode);
    c->waiting_n = 0;
    return card_atr(c, atr);
}

void card_power_off(struct card *c)
{
    secret_wipe(&c->session, sizeof(c->session));
    ode_end(&c->ode);
    c->session.phase = PHASE_OFF;
    c->waiting_n = 0;
}

/* ---- commands ---- */

static const struct command {
    uint8_t cla, ins;
    uint16_t (*run)(struct card *c, const struct capdu *in, struct buf *out);
} commands[] = {
    {0x00, INS_SELECT, card_select},
    {0x00, INS_READ_RECORD, card_read_record},
    {0x80, INS_GET_PROCESSING_OPTIONS, card_get_processing_options},
    {0x80, INS_GENERATE_AC, card_generate_ac},
    {0x80, INS_GET_DATA, card_get_data},
    {0x00, INS_VERIFY, card_verify},
    {0x00, INS_GET_CHALLENGE, card_get_challenge},
    {0x00, INS_INTERNAL_AUTHENTICATE, card_internal_authenticate},
    {0x00, INS_EXTERNAL_AUTHENTICATE, card_external_authenticate},
};

/* Issuer scripts, always under secure messaging: CLA 84 or 8C; those of ISO/IEC 7816-4 alone 04 or
 * 0C too. */
static const struct script_command {
    uint8_t ins;
    bool inter_industry;
} scripts[] = {
    {INS_APPLICATION_BLOCK, false}, {INS_APPLICATION_UNBLOCK, false},
    {INS_CARD_BLOCK, false},        {INS_PIN_CHANGE_UNBLOCK, false},
    {INS_PUT_DATA, true},           {INS_UPDATE_RECORD, true},
};

static bool is_class(const struct script_command *s, uint8_t cla)
{
    return cla == 0x84 || cla == 0x8C || (s->inter_industry && (cla == 0x04 || cla == 0x0C));
}

static uint16_t dispatch(struct card *c, const struct capdu *in, struct buf *out)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (commands[i].ins != in->ins)
            continue;
        return commands[i].cla == in->cla ? commands[i].run(c, in, out) : SW_CLA_NOT_SUPPORTED;
    }
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
        if (scripts[i].ins == in->ins && is_class(&scripts[i], in->cla))
            return card_script(c, in, out);
    return in->cla == 0x00 || in->cla == 0x80 ? SW_INS_NOT_SUPPORTED : SW_CLA_NOT_SUPPORTED;
}

static uint16_t run(struct card *c, const struct capdu *in, struct buf *out)
{
    const uint16_t sw = dispatch(c, in, out);

    if (in->ins != INS_GET_CHALLENGE ||
        sw != SW_OK) { /* a challenge is good for one command: Book 3, 6.5.6.1 */
        c->session.challenge_live = false;
        secret_wipe(c->session.challenge, sizeof(c->session.challenge));
    }
    return sw;
}

/* Data that the terminal has no room for: 6Cxx names the right Le (EMV 4.3 Book 1, 9.3.1.2). No Le
 * at all is taken as "all there is". */
static void shorten(const struct capdu *in, struct buf *answer)
{
    const size_t n = answer->n - 2;

    if (n == 0 || in->le == APDU_LE_NONE || n <= in->le)
        return;
    answer->p[0] = SW_WRONG_LE >> 8;
    answer->p[1] = (uint8_t)n;
    answer->n = 2;
}

/* T=0: an answer to a command that brought data waits for GET RESPONSE; one that did not needs the
 * exact Le (EMV 4.3 Book 1, 9.2.3). */
static void answer_t0(struct card *c, const struct capdu *in, struct buf *answer)
{
    const size_t n = answer->n - 2;

    if (n == 0 || n > 256 || (in->data.n == 0 && in->le == n))
        return;
    if (in->data.n == 0) {
        answer->p[0] = SW_WRONG_LE >> 8;
    } else {
        memcpy(c->waiting, answer->p, answer->n);
        c->waiting_n = answer->n;
        answer->p[0] = SW_MORE_DATA >> 8;
    }
    answer->p[1] = (uint8_t)n;
    answer->n = 2;
}

static enum tp_err get_response(struct card *c, const struct capdu *in, struct buf *answer)
{
    const size_t n = c->waiting_n - 2;

    if (in->le != n)
        return buf_be16(answer, (uint16_t)(SW_WRONG_LE | (n & 0xFF)));
    c->waiting_n = 0;
    return buf_put(answer, span_of(c->waiting, n + 2));
}

static enum tp_err answer_command(struct card *c, struct span command, struct capdu *in,
                                  struct buf *answer)
{
    uint16_t sw;

    if (capdu_parse(in, command) != TP_OK) {
        *in = (struct capdu){.le = APDU_LE_NONE};
        return buf_be16(answer, SW_WRONG_LENGTH);
    }
    if (c->profile->t0 && in->cla == 0x00 && in->ins == INS_GET_RESPONSE && c->waiting_n > 0)
        return get_response(c, in, answer);
    c->waiting_n = 0;
    if (!fault_command(&c->faults, card_pin_block(c), in, &sw)) {
        sw = run(c, in, answer);
        if (sw != SW_OK && sw != SW_SELECTED_FILE_INVALIDATED)
            answer->n = 0;
        fault_answer(&c->faults, in, answer, &sw);
    }
    if (buf_be16(answer, sw) != TP_OK)
        return TP_ERR_INTERNAL;
    if (c->profile->t0)
        answer_t0(c, in, answer);
    else
        shorten(in, answer);
    return TP_OK;
}

static void wait_ms(unsigned ms)
{
    struct timespec left = {ms / 1000, (long)(ms % 1000) * 1000000L};

    (void)nanosleep(&left, NULL);
}

enum tp_err card_transmit(struct card *c, struct span command, struct buf *out)
{
    uint8_t raw[FAULT_RESPONSE_MAX];
    struct buf answer = {raw, 0, APDU_SHORT_RESPONSE_MAX};
    struct capdu in;
    enum tp_err r;

    if (c->session.phase == PHASE_OFF)
        return c->gone ? TP_ERR_CARD : TP_ERR_STATE;
    switch (fault_before(&c->faults)) {
    case FATE_GONE:
        c->gone = true;
        card_power_off(c);
        return TP_ERR_CARD;
    case FATE_MUTE:
        return TP_ERR_CARD;
    case FATE_LIVE:
        break;
    }
    if (c->faults.on[FAULT_SLOW])
        wait_ms(c->faults.number[FAULT_SLOW]);
    r = answer_command(c, command, &in, &answer);
    if (r != TP_OK)
        return r;
    answer.cap = sizeof(raw);
    fault_response(&c->faults, &in, &answer);
    return buf_put(out, buf_span(&answer));
}
