/* Waiting for a card in any of several readers, while readers come and go and the service may be
 * started anew. */
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "drivers/pcsc_priv.h"

#define PNP "\\\\?PnP?\\Notification" /* PC/SC's name for "a reader came or went" */
#define LOOK_AGAIN_MS                                                                              \
    2000 /* a reader that comes between listing and waiting would else go unseen */
#define SERVICE_BACK_MS 5000 /* how long a service that went may take to come back */
#define RETRY_MS        200

struct look { /* one look at all readers */
    char names[PCSC_NAMES_MAX];
    SCARD_READERSTATE states[PCSCLITE_MAX_READERS_CONTEXTS + 1];
    size_t n;          /* states: the matching readers, then PNP */
    size_t others;     /* readers that do not match */
    const char *ready; /* has a card */
    const char *busy;  /* has a card that another program holds */
    const char *mute;  /* has a card that does not answer */
    const char *first; /* matches, card or not */
};

LONG pcsc_names(SCARDCONTEXT context, char *names)
{
    DWORD n = PCSC_NAMES_MAX;
    LONG rc = SCardListReaders(context, NULL, names, &n);

    if (rc == SCARD_E_NO_READERS_AVAILABLE) {
        names[0] = names[1] = '\0';
        rc = SCARD_S_SUCCESS;
    }
    return rc;
}

static void choose(struct look *l)
{
    l->ready = l->busy = l->mute = NULL;
    for (size_t i = 0; i + 1 < l->n; i++) {
        const DWORD state = l->states[i].dwEventState;
        const char **kind = (state & SCARD_STATE_MUTE) != 0        ? &l->mute
                            : (state & SCARD_STATE_EXCLUSIVE) != 0 ? &l->busy
                                                                   : &l->ready;

        if ((state & SCARD_STATE_PRESENT) != 0 && *kind == NULL)
            *kind = l->states[i].szReader;
        l->states[i].dwCurrentState = state & ~(DWORD)SCARD_STATE_CHANGED;
    }
}

/* Lists the readers and asks for their states, without waiting. */
static LONG look(struct pcsc *p, struct look *l)
{
    LONG rc;

    memset(l, 0, sizeof(*l));
    rc = pcsc_names(p->context, l->names);
    if (rc != SCARD_S_SUCCESS)
        return rc;
    for (const char *name = l->names; *name != '\0'; name += strlen(name) + 1) {
        if (!reader_wanted(name, p->wanted, p->whole))
            l->others++;
        else if (l->n < PCSCLITE_MAX_READERS_CONTEXTS)
            l->states[l->n++].szReader = name;
    }
    l->first = l->n > 0 ? l->states[0].szReader : NULL;
    if (l->n > 0) {
        rc = SCardGetStatusChange(p->context, 0, l->states, (DWORD)l->n);
        if (rc != SCARD_S_SUCCESS && rc != SCARD_E_TIMEOUT)
            return rc;
    }
    l->states[l->n++].szReader = PNP;
    choose(l);
    return SCARD_S_SUCCESS;
}

static enum tp_err nothing(const struct pcsc *p, const struct look *l, struct tp_error *e)
{
    if (l->first == NULL && p->wanted != NULL && l->others > 0)
        return tp_fail(e, TP_ERR_NO_READER,
                       "no reader has a name with \"%s\" in it: see `telepay readers`", p->wanted);
    if (l->first == NULL)
        return pcsc_fail(e, SCARD_E_NO_READERS_AVAILABLE, NULL);
    return pcsc_fail(e, SCARD_E_NO_SMARTCARD, l->n > 2 ? NULL : l->first);
}

/* The service went: a new context, from a service that may need a moment to be back, and while it
 * starts may refuse for no good reason. */
static enum tp_err again(struct pcsc *p, int64_t until, struct tp_error *e)
{
    const int64_t back = time_monotonic_ms() + SERVICE_BACK_MS;
    const struct timespec pause = {0, RETRY_MS * 1000000L};
    enum tp_err rc;

    pcsc_context_drop(p);
    while ((rc = pcsc_context(p, e)) != TP_OK &&
           time_monotonic_ms() < (back < until ? back : until))
        nanosleep(&pause, NULL);
    return rc;
}

static enum tp_err take(struct pcsc *p, const struct look *l, struct tp_error *e)
{
    const char *name = l->ready != NULL ? l->ready : l->busy;

    if (name == NULL)
        return pcsc_fail(e, SCARD_W_UNRESPONSIVE_CARD, l->mute);
    memcpy(p->name, name, strnlen(name, sizeof(p->name) - 1) + 1);
    reader_rename(p->reader, p->name);
    return TP_OK;
}

enum tp_err pcsc_wait(struct pcsc *p, int timeout_ms, struct tp_error *e)
{
    const int64_t until = timeout_ms < 0 ? INT64_MAX : time_monotonic_ms() + timeout_ms;
    enum tp_err rc = pcsc_context(p, e);
    struct look l;

    while (rc == TP_OK) {
        LONG code = look(p, &l);
        const int64_t left = until - time_monotonic_ms();

        if (code == SCARD_S_SUCCESS && (l.ready != NULL || l.busy != NULL || l.mute != NULL))
            return take(p, &l, e);
        if (code == SCARD_S_SUCCESS && left <= 0)
            return nothing(p, &l, e);
        if (code == SCARD_S_SUCCESS)
            code = SCardGetStatusChange(p->context,
                                        (DWORD)(left < LOOK_AGAIN_MS ? left : LOOK_AGAIN_MS),
                                        l.states, (DWORD)l.n);
        if (pcsc_service_lost(code))
            rc = again(p, until, e);
        else if (code != SCARD_S_SUCCESS && code != SCARD_E_TIMEOUT &&
                 code != SCARD_E_UNKNOWN_READER && code != SCARD_E_READER_UNAVAILABLE)
            rc = pcsc_fail(e, code, l.first);
    }
    return rc;
}
