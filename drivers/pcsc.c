#include "drivers/pcsc_priv.h"

#include <arpa/inet.h>
#include <reader.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SHARING_TRIES 10 /* a program that only looks who is there holds a card for a moment: ten times a tenth of a second */
#define SHARING_PAUSE 100000000L
#define LEAVING_LOOKS 3   /* at what the service knows, then at changes */
#define LEAVING_MS    600 /* the service polls a reader every 400 ms */

enum tp_err pcsc_context(struct pcsc *p, struct tp_error *e)
{
    LONG code;

    if (p->have_context)
        return TP_OK;
    code = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &p->context);
    if (code != SCARD_S_SUCCESS)
        return pcsc_fail(e, code, NULL);
    p->have_context = true;
    return TP_OK;
}

void pcsc_context_drop(struct pcsc *p)
{
    if (p->have_context)
        (void)SCardReleaseContext(p->context);
    p->have_context = false;
}

/* An error of the connected card, or of the service below it. pcsc-lite first says "not transacted" when a card leaves in the middle of a command,
 * and learns a moment later that it left: tell that from a card that is mute. */
static enum tp_err card_fail(struct pcsc *p, LONG code, struct tp_error *e)
{
    SCARD_READERSTATE state = {.szReader = p->name, .dwCurrentState = SCARD_STATE_UNAWARE};

    for (int i = 0; code == SCARD_E_NOT_TRANSACTED && i < LEAVING_LOOKS; i++) {
        if (SCardGetStatusChange(p->context, i == 0 ? 0 : LEAVING_MS, &state, 1) != SCARD_S_SUCCESS)
            break;
        if ((state.dwEventState & (SCARD_STATE_UNKNOWN | SCARD_STATE_UNAVAILABLE)) != 0)
            code = SCARD_E_READER_UNAVAILABLE;
        else if ((state.dwEventState & SCARD_STATE_EMPTY) != 0)
            code = SCARD_W_REMOVED_CARD;
        state.dwCurrentState = state.dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
    }
    return pcsc_fail(e, code, p->name);
}

static enum tp_err pcsc_wait_card(void *self, int timeout_ms, struct tp_error *e)
{
    return pcsc_wait(self, timeout_ms, e);
}

static LONG read_atr(struct pcsc *p)
{
    DWORD state = 0, protocol = 0, n = sizeof(p->atr), names = 0;
    const LONG code = SCardStatus(p->card, NULL, &names, &state, &protocol, p->atr, &n);

    p->atr_n = code == SCARD_S_SUCCESS ? n : 0;
    return code;
}

static void pcsc_disconnect(void *self)
{
    struct pcsc *p = self;

    if (!p->connected)
        return;
    p->connected = false;
    p->atr_n = 0;
    (void)SCardEndTransaction(p->card, SCARD_LEAVE_CARD);
    (void)SCardDisconnect(p->card, SCARD_UNPOWER_CARD);
}

static LONG connect_once(struct pcsc *p)
{
    return SCardConnect(p->context, p->name, SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &p->card, &p->protocol);
}

static enum tp_err pcsc_connect(void *self, struct tp_error *e)
{
    const struct timespec pause = {0, SHARING_PAUSE};
    struct pcsc *p = self;
    LONG code;
    enum tp_err rc = TP_OK;

    if (p->name[0] == '\0')
        rc = pcsc_wait(p, 0, e);
    if (rc != TP_OK)
        return rc;
    code = connect_once(p);
    for (int i = 0; i < SHARING_TRIES && code == SCARD_E_SHARING_VIOLATION; i++) {
        nanosleep(&pause, NULL);
        code = connect_once(p);
    }
    if (pcsc_service_lost(code)) { /* it was started anew since the card was seen: once more, with a context of the new one */
        pcsc_context_drop(p);
        rc = pcsc_context(p, e);
        code = rc == TP_OK ? connect_once(p) : code;
    }
    if (rc != TP_OK)
        return rc;
    if (code != SCARD_S_SUCCESS)
        return pcsc_fail(e, code, p->name);
    p->connected = true;
    code = SCardBeginTransaction(p->card);
    if (code == SCARD_S_SUCCESS)
        code = read_atr(p);
    if (code == SCARD_S_SUCCESS)
        return TP_OK;
    rc = card_fail(p, code, e);
    pcsc_disconnect(p);
    return rc;
}

static enum tp_err pcsc_transmit(void *self, struct span command, struct buf *response, struct tp_error *e)
{
    struct pcsc *p = self;
    const SCARD_IO_REQUEST *pci = p->protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1;
    DWORD n = (DWORD)(response->cap - response->n);
    const LONG code = SCardTransmit(p->card, pci, command.p, (DWORD)command.n, NULL, response->p + response->n, &n);

    if (code != SCARD_S_SUCCESS)
        return card_fail(p, code, e);
    if (n == 0) /* some drivers say so when the card left in the middle */
        return card_fail(p, SCARD_E_NOT_TRANSACTED, e);
    response->n += n;
    return TP_OK;
}

static enum tp_err pcsc_reset(void *self, struct tp_error *e)
{
    struct pcsc *p = self;
    LONG code = SCardReconnect(p->card, SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, SCARD_RESET_CARD, &p->protocol);

    if (code == SCARD_S_SUCCESS)
        code = read_atr(p);
    return code == SCARD_S_SUCCESS ? TP_OK : card_fail(p, code, e);
}

static struct span pcsc_atr(void *self)
{
    const struct pcsc *p = self;

    return span_of(p->atr, p->atr_n);
}

static bool pcsc_is_t0(void *self)
{
    const struct pcsc *p = self;

    return p->protocol == SCARD_PROTOCOL_T0;
}

/* The display line of FEATURE_IFD_PIN_PROPERTIES: PC/SC part 10, 2.6.8, wLcdLayout (0: none). */
static bool has_display(SCARDHANDLE card, uint32_t control)
{
    uint8_t raw[64];
    DWORD n = 0;

    return SCardControl(card, control, NULL, 0, raw, sizeof(raw), &n) == SCARD_S_SUCCESS && n >= 2 && (raw[0] != 0 || raw[1] != 0);
}

/* PC/SC part 10, 2.2: what a reader can do comes as a list of tag, length 4, control code (big-endian). */
static struct reader_features pcsc_features(void *self)
{
    struct pcsc *p = self;
    struct reader_features f = {false, false};
    uint8_t raw[256];
    DWORD n = 0;
    struct span in, value;
    uint8_t tag, length;

    if (!p->connected || SCardControl(p->card, CM_IOCTL_GET_FEATURE_REQUEST, NULL, 0, raw, sizeof(raw), &n) != SCARD_S_SUCCESS || n > sizeof(raw))
        return f;
    in = span_of(raw, n);
    while (span_u8(&in, &tag) == TP_OK && span_u8(&in, &length) == TP_OK && span_take(&in, length, &value) == TP_OK) {
        uint32_t control;

        if (span_be32(&value, &control) != TP_OK)
            continue;
        if (tag == FEATURE_VERIFY_PIN_DIRECT)
            f.pin_verify = true;
        else if (tag == FEATURE_IFD_PIN_PROPERTIES)
            f.display = has_display(p->card, control);
    }
    return f;
}

static void pcsc_close(void *self)
{
    struct pcsc *p = self;

    pcsc_context_drop(p);
    free(p->wanted);
    free(p);
}

static const struct reader_driver pcsc_driver = {
    .name = "pcsc",
    .wait_card = pcsc_wait_card,
    .connect = pcsc_connect,
    .transmit = pcsc_transmit,
    .reset = pcsc_reset,
    .disconnect = pcsc_disconnect,
    .atr = pcsc_atr,
    .features = pcsc_features,
    .close = pcsc_close,
    .is_t0 = pcsc_is_t0,
};

enum tp_err pcsc_open(struct reader **out, const char *wanted, struct tp_error *e)
{
    struct pcsc *p = calloc(1, sizeof(*p));
    enum tp_err rc;

    if (p == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    if (wanted != NULL && wanted[0] != '\0') {
        p->wanted = strdup(wanted);
        rc = p->wanted == NULL ? tp_fail(e, TP_ERR_NO_MEMORY, "out of memory") : pcsc_context(p, e);
    } else {
        rc = pcsc_context(p, e);
    }
    if (rc == TP_OK && (rc = reader_new(&p->reader, &pcsc_driver, p, wanted != NULL ? wanted : "any reader")) != TP_OK)
        tp_fail(e, rc, "out of memory");
    if (rc == TP_OK)
        *out = p->reader;
    else
        pcsc_close(p);
    return rc;
}

static void describe(struct reader_info *info, const SCARD_READERSTATE *state)
{
    memcpy(info->name, state->szReader, strnlen(state->szReader, sizeof(info->name) - 1));
    info->card_present = (state->dwEventState & SCARD_STATE_PRESENT) != 0;
    info->in_use = (state->dwEventState & SCARD_STATE_EXCLUSIVE) != 0;
    info->atr_n = info->card_present && state->cbAtr <= sizeof(info->atr) ? state->cbAtr : 0;
    memcpy(info->atr, state->rgbAtr, info->atr_n);
}

static LONG list(SCARDCONTEXT context, SCARD_READERSTATE *states, char *names, size_t *n)
{
    LONG code = pcsc_names(context, names);

    *n = 0;
    if (code != SCARD_S_SUCCESS)
        return code;
    for (const char *name = names; *name != '\0' && *n < PCSCLITE_MAX_READERS_CONTEXTS; name += strlen(name) + 1)
        states[(*n)++].szReader = name;
    if (*n == 0)
        return SCARD_E_NO_READERS_AVAILABLE;
    code = SCardGetStatusChange(context, 0, states, (DWORD)*n);
    return code == SCARD_E_TIMEOUT ? SCARD_S_SUCCESS : code;
}

enum tp_err pcsc_list(struct reader_info **out, size_t *n, struct tp_error *e)
{
    SCARD_READERSTATE states[PCSCLITE_MAX_READERS_CONTEXTS] = {{0}};
    char names[PCSC_NAMES_MAX];
    struct pcsc p = {0};
    struct reader_info *infos;
    enum tp_err rc = pcsc_context(&p, e);
    LONG code;

    if (rc != TP_OK)
        return rc;
    code = list(p.context, states, names, n);
    pcsc_context_drop(&p);
    if (code != SCARD_S_SUCCESS)
        return pcsc_fail(e, code, NULL);
    infos = calloc(*n, sizeof(*infos));
    if (infos == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < *n; i++)
        describe(&infos[i], &states[i]);
    *out = infos;
    return TP_OK;
}
