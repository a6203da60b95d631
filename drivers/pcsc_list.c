/* What readers PC/SC knows, and what each can do. */
#include <reader.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "drivers/pcsc_priv.h"
#include "drivers/usb_sysfs.h"

#define CHANNEL_USB 0x0020

static void describe(struct reader_info *info, const SCARD_READERSTATE *state)
{
    memcpy(info->name, state->szReader, strnlen(state->szReader, sizeof(info->name) - 1));
    info->driver = "PC/SC";
    info->card_present = (state->dwEventState & SCARD_STATE_PRESENT) != 0;
    info->in_use = (state->dwEventState & SCARD_STATE_EXCLUSIVE) != 0;
    info->mute = (state->dwEventState & SCARD_STATE_MUTE) != 0;
    info->atr_n = info->card_present && state->cbAtr <= sizeof(info->atr) ? state->cbAtr : 0;
    memcpy(info->atr, state->rgbAtr, info->atr_n);
}

static LONG list(SCARDCONTEXT context, SCARD_READERSTATE *states, char *names, size_t *n)
{
    LONG code = pcsc_names(context, names);

    *n = 0;
    if (code != SCARD_S_SUCCESS)
        return code;
    for (const char *name = names; *name != '\0' && *n < PCSCLITE_MAX_READERS_CONTEXTS;
         name += strlen(name) + 1)
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

/* libccid's channel identifier of a USB reader: 0020, bus, address (SCARD_ATTR_CHANNEL_ID). Its
 * class descriptor tells what part 10 does not. */
static void ask_usb(struct reader_info *info, SCARDHANDLE card)
{
    struct reader_abilities *can = &info->can;
    struct ccid_descriptor d;
    uint32_t channel = 0;
    DWORD n = sizeof(channel);

    if (SCardGetAttrib(card, SCARD_ATTR_CHANNEL_ID, (uint8_t *)&channel, &n) != SCARD_S_SUCCESS ||
        n != sizeof(channel) || channel >> 16 != CHANNEL_USB)
        return;
    info->usb_bus = (uint8_t)(channel >> 8);
    info->usb_address = (uint8_t)channel;
    if (usb_sysfs_ccid(&d, USB_SYSFS, info->usb_bus, info->usb_address) != TP_OK)
        return;
    can->t0 = (d.protocols & 1) != 0;
    can->t1 = (d.protocols & 2) != 0;
    can->level = ccid_level_text(d.level);
    can->clock_khz = d.clock_max;
    can->rate_bps = d.rate_max;
}

/* What the reader says of itself, without a card: a direct connection powers nothing. */
static LONG ask_one(struct reader_info *info, SCARDCONTEXT context)
{
    struct reader_abilities *can = &info->can;
    struct pinpad_properties p;
    struct pinpad_features f;
    SCARDHANDLE card;
    DWORD protocol;
    const LONG code = SCardConnect(context, info->name, SCARD_SHARE_DIRECT, 0, &card, &protocol);

    if (code != SCARD_S_SUCCESS)
        return code;
    pcsc_pinpad_look(&f, &p, card);
    can->known = true;
    can->keypad = pinpad_can_verify(&f);
    can->pin_min = p.pin_min;
    can->pin_max = p.pin_max;
    can->display = p.lines > 0;
    can->lines = p.lines;
    can->columns = p.columns;
    ask_usb(info, card);
    (void)SCardDisconnect(card, SCARD_LEAVE_CARD);
    return SCARD_S_SUCCESS;
}

/* Why a reader cannot be used now, and how to mend that: the words of the error that its use would
 * give, "what: remedy". */
static void say_trouble(struct reader_info *info, LONG code)
{
    const char *words = gettext(pcsc_error_find(code)->words), *colon = strstr(words, ": ");

    if (colon == NULL)
        colon = words + strlen(words);
    snprintf(info->trouble, sizeof(info->trouble), "%.*s", (int)(colon - words), words);
    snprintf(info->remedy, sizeof(info->remedy), "%s", *colon != '\0' ? colon + 2 : "");
}

void pcsc_ask(struct reader_info *list, size_t n)
{
    struct pcsc p = {0};

    if (pcsc_context(&p, NULL) != TP_OK)
        return;
    for (size_t i = 0; i < n; i++) {
        const LONG code = ask_one(&list[i], p.context);

        if (list[i].in_use)
            say_trouble(&list[i], SCARD_E_SHARING_VIOLATION);
        else if (list[i].mute)
            say_trouble(&list[i], SCARD_W_UNRESPONSIVE_CARD);
        else if (code != SCARD_S_SUCCESS &&
                 code != SCARD_E_SHARING_VIOLATION) /* others only look: no trouble */
            say_trouble(&list[i], code);
    }
    pcsc_context_drop(&p);
}
