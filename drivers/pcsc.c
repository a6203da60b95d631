#include "drivers/pcsc_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SHARING_TRIES                                                                              \
    10 /* a program that only looks who is there holds a card for a moment: ten times a tenth of a \
          second */
#define SHARING_PAUSE 100000000L
#define LEAVING_LOOKS 3   /* at what the service knows, then at changes */
#define LEAVING_MS    600 /* the service polls a reader every 400 ms */
#define COMING_TIMES  10  /* looks at a service that hangs up … */
#define COMING_MS     50  /* … with this between them */

const char *pcsc_socket_path(void)
{
    const char *path = getenv("PCSCLITE_CSOCK_NAME");

    return path != NULL && path[0] != '\0' ? path : "/run/pcscd/pcscd.comm";
}

int pcsc_socket_try(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int code = 0;

    memcpy(at.sun_path, pcsc_socket_path(), strnlen(pcsc_socket_path(), sizeof(at.sun_path) - 1));
    if (fd < 0 || connect(fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
        code = errno;
    if (fd >= 0)
        close(fd);
    return code;
}

/* A service to which polkit refuses this user hangs up. When it does so before libpcsclite has sent
 * its first word, that takes it for none. One that is just starting, or going, does so too, but not
 * for long. */
static LONG establish(struct pcsc *p)
{
    const struct timespec pause = {0, COMING_MS * 1000000L};
    LONG code = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &p->context);

    for (int i = 0;
         i < COMING_TIMES && (code == SCARD_E_NO_SERVICE || code == SCARD_W_SECURITY_VIOLATION);
         i++) {
        if (pcsc_socket_try() != 0)
            return SCARD_E_NO_SERVICE;
        nanosleep(&pause, NULL);
        code = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &p->context);
    }
    return code == SCARD_E_NO_SERVICE ? SCARD_W_SECURITY_VIOLATION : code;
}

enum tp_err pcsc_context(struct pcsc *p, struct tp_error *e)
{
    LONG code;

    if (p->have_context)
        return TP_OK;
    code = establish(p);
    if (code == SCARD_E_NO_SERVICE && pcsc_socket_try() == EACCES) /* to pcsc-lite the same */
        return tp_fail(
            e, TP_ERR_STATE,
            "this user may not use the smart card service (pcscd): the socket's "
            "rights keep this user out: sudo systemctl restart pcscd.socket makes it anew, "
            "open to all");
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

/* An error of the connected card, or of the service below it. pcsc-lite first says "not transacted"
 * when a card leaves in the middle of a command, and "invalid value" when the reader does, and
 * learns a moment later what left: tell that from a card that is mute. */
static enum tp_err card_fail(struct pcsc *p, LONG code, struct tp_error *e)
{
    SCARD_READERSTATE state = {.szReader = p->name, .dwCurrentState = SCARD_STATE_UNAWARE};

    for (int i = 0;
         (code == SCARD_E_NOT_TRANSACTED || code == SCARD_E_INVALID_VALUE) && i < LEAVING_LOOKS;
         i++) {
        const LONG seen = SCardGetStatusChange(p->context, i == 0 ? 0 : LEAVING_MS, &state, 1);

        if (seen == SCARD_E_UNKNOWN_READER ||
            (seen == SCARD_S_SUCCESS &&
             (state.dwEventState & (SCARD_STATE_UNKNOWN | SCARD_STATE_UNAVAILABLE)) != 0))
            code = SCARD_E_READER_UNAVAILABLE;
        else if (seen != SCARD_S_SUCCESS)
            break;
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
    return SCardConnect(p->context, p->name, SCARD_SHARE_EXCLUSIVE,
                        SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &p->card, &p->protocol);
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
    if (pcsc_service_lost(code)) { /* it was started anew since the card was seen: once more, with a
                                      context of the new one */
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

static enum tp_err pcsc_transmit(void *self, struct span command, struct buf *response,
                                 struct tp_error *e)
{
    struct pcsc *p = self;
    const SCARD_IO_REQUEST *pci = p->protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1;
    DWORD n = (DWORD)(response->cap - response->n);
    const LONG code = SCardTransmit(p->card, pci, command.p, (DWORD)command.n, NULL,
                                    response->p + response->n, &n);

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
    LONG code =
        SCardReconnect(p->card, SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
                       SCARD_RESET_CARD, &p->protocol);

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

static struct reader_features pcsc_features(void *self)
{
    struct pcsc *p = self;
    struct pinpad_features f;
    struct pinpad_properties properties;

    if (!p->connected)
        return (struct reader_features){false, false};
    pcsc_pinpad_look(&f, &properties, p->card);
    return (struct reader_features){pinpad_can_verify(&f), properties.lines > 0};
}

static enum tp_err pcsc_verify_pin(void *self, const struct reader_pin *ask,
                                   enum reader_pin_end *end, uint16_t *sw, struct tp_error *e)
{
    struct pcsc *p = self;
    const LONG code = pcsc_pinpad_verify(end, sw, p->card, ask);

    return code == SCARD_S_SUCCESS ? TP_OK : card_fail(p, code, e);
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
    .verify_pin = pcsc_verify_pin,
};

enum tp_err pcsc_open(struct reader **out, const char *wanted, bool whole, struct tp_error *e)
{
    struct pcsc *p = calloc(1, sizeof(*p));
    enum tp_err rc;

    if (p == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    p->whole = whole;
    if (wanted != NULL && wanted[0] != '\0') {
        p->wanted = strdup(wanted);
        rc = p->wanted == NULL ? tp_fail(e, TP_ERR_NO_MEMORY, "out of memory") : pcsc_context(p, e);
    } else {
        rc = pcsc_context(p, e);
    }
    if (rc == TP_OK && (rc = reader_new(&p->reader, &pcsc_driver, p,
                                        wanted != NULL ? wanted : "any reader")) != TP_OK)
        tp_fail(e, rc, "out of memory");
    if (rc == TP_OK)
        *out = p->reader;
    else
        pcsc_close(p);
    return rc;
}
