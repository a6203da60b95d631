/* PC/SC's return codes: which error each is, and the words and advice for a person. */
#include "base/text.h"
#include "drivers/pcsc_priv.h"

/* By code. The words are for the person at the desk: what happened, what to do. */
static const struct pcsc_error table[] = {
    {0x80100001, TP_ERR_INTERNAL, N_("the smart card service reports an internal fault")},
    {0x80100002, TP_ERR_CANCELLED, N_("the wait was cancelled")},
    {0x80100003, TP_ERR_NO_READER,
     N_("the connection to the smart card service is no longer valid: try again")},
    {0x80100004, TP_ERR_INTERNAL, N_("the smart card service does not accept a parameter")},
    {0x80100005, TP_ERR_INTERNAL, N_("the smart card service is not set up rightly")},
    {0x80100006, TP_ERR_NO_MEMORY, N_("the smart card service is out of memory")},
    {0x80100007, TP_ERR_CARD,
     N_("the card took too long to answer: take it out, clean the contacts and try again")},
    {0x80100008, TP_ERR_CARD, N_("the card answered more than it may")},
    {0x80100009, TP_ERR_NO_READER,
     N_("the reader is not plugged in (any more): plug it in and try again")},
    {0x8010000A, TP_ERR_NO_CARD, N_("nothing happened in time: insert the card")},
    {0x8010000B, TP_ERR_STATE,
     N_("held by another program: close what uses the card (a browser, a mail program, gpg) and "
        "try again")},
    {0x8010000C, TP_ERR_NO_CARD, N_("no card: insert it or name another reader with --reader")},
    {0x8010000D, TP_ERR_CARD, N_("the card is not known")},
    {0x8010000E, TP_ERR_CARD, N_("the card cannot be powered off as wanted")},
    {0x8010000F, TP_ERR_CARD, N_("the card and the reader find no common protocol (T=0 or T=1)")},
    {0x80100010, TP_ERR_CARD,
     N_("the reader or the card is not ready: take the card out, insert it again")},
    {0x80100011, TP_ERR_INTERNAL, N_("the smart card service does not accept a value")},
    {0x80100012, TP_ERR_CANCELLED, N_("the system is shutting down")},
    {0x80100013, TP_ERR_NO_READER,
     N_("the smart card service (pcscd) stopped answering: start it again (sudo systemctl start "
        "pcscd) and try again")},
    {0x80100014, TP_ERR_INTERNAL, N_("the smart card service reports an unknown fault")},
    {0x80100015, TP_ERR_CARD,
     N_("the card's answer to reset is not valid: is it a bank card, chip up and forward?")},
    {0x80100016, TP_ERR_CARD, N_("the card stopped answering: was it taken out?")},
    {0x80100017, TP_ERR_NO_READER, N_("the reader was unplugged: plug it in and try again")},
    {0x80100018, TP_ERR_NO_READER, N_("the smart card service is shutting down")},
    {0x80100019, TP_ERR_INTERNAL,
     N_("the smart card service does not accept the size of a buffer")},
    {0x8010001A, TP_ERR_NO_READER,
     N_("the reader's driver is not fit for this: update it (package libccid)")},
    {0x8010001B, TP_ERR_NO_READER, N_("two readers have the same name: unplug one")},
    {0x8010001C, TP_ERR_CARD, N_("the reader does not support this card")},
    {0x8010001D, TP_ERR_NO_READER,
     N_("the smart card service (pcscd) is not running: install it (apt install pcscd) and start "
        "it (sudo systemctl start pcscd.socket)")},
    {0x8010001E, TP_ERR_NO_READER,
     N_("the smart card service (pcscd) was stopped: start it again (sudo systemctl start pcscd) "
        "and try again")},
    {0x8010001F, TP_ERR_CARD,
     N_("the reader or the card does not support this, or answered in an unexpected way")},
    {0x80100020, TP_ERR_INTERNAL, N_("the smart card service is not set up rightly")},
    {0x80100021, TP_ERR_INTERNAL, N_("the smart card service is not set up rightly")},
    {0x80100022, TP_ERR_CARD, N_("the reader or the card does not support this")},
    {0x80100027, TP_ERR_STATE,
     N_("this user may not use card readers: ask the administrator (polkit action "
        "org.debian.pcsc-lite.access_pcsc)")},
    {0x8010002E, TP_ERR_NO_READER, N_("no card reader: plug one in")},
    {0x8010002F, TP_ERR_CARD,
     N_("data between reader and card was lost: take the card out, clean the contacts and try "
        "again")},
    {0x80100031, TP_ERR_STATE,
     N_("the smart card service is too busy: close other programs that use cards and try again")},
    {0x80100065, TP_ERR_CARD, N_("the reader cannot talk to this card: is it a bank card?")},
    {0x80100066, TP_ERR_CARD,
     N_("the card does not answer: is it upside down, or the wrong way round? Take it out and "
        "insert it chip first, chip up")},
    {0x80100067, TP_ERR_CARD,
     N_("the card lost power: was it taken out? Insert it, or take it out and insert it again")},
    {0x80100068, TP_ERR_CARD,
     N_("the card was reset by another program: close what uses the card and try again")},
    {0x80100069, TP_ERR_CARD, N_("the card was taken out: insert it and start again")},
    {0x8010006A, TP_ERR_STATE,
     N_("this user may not use card readers: log in at the machine itself, or ask the "
        "administrator (polkit action org.debian.pcsc-lite.access_pcsc)")},
    {0x8010006E, TP_ERR_CANCELLED, N_("cancelled")},
};

static const struct pcsc_error unknown = {0, TP_ERR_INTERNAL,
                                          "the smart card service reports a fault"};

size_t pcsc_error_count(void)
{
    return sizeof(table) / sizeof(table[0]);
}

const struct pcsc_error *pcsc_error_at(size_t i)
{
    return &table[i];
}

const struct pcsc_error *pcsc_error_find(LONG code)
{
    for (size_t i = 0; i < pcsc_error_count(); i++)
        if (table[i].code == (uint32_t)code)
            return &table[i];
    return &unknown;
}

enum tp_err pcsc_fail(struct tp_error *e, LONG code, const char *reader)
{
    const struct pcsc_error *p = pcsc_error_find(code);
    enum tp_err rc;

    if (p->err == TP_ERR_INTERNAL) /* for the one who looks for the fault, the number helps */
        rc = tp_fail(e, p->err, "%s (PC/SC 0x%08X)", gettext(p->words), (unsigned)(uint32_t)code);
    else
        rc = tp_fail(e, p->err, "%s", gettext(p->words));
    if (reader != NULL && reader[0] != '\0')
        tp_error_prefix(e, "reader \"%s\"", reader);
    return rc;
}

bool pcsc_service_lost(LONG code)
{
    switch ((uint32_t)code) {
    case 0x80100003: /* SCARD_E_INVALID_HANDLE: the context of a service that went */
    case 0x80100013: /* SCARD_F_COMM_ERROR */
    case 0x8010001D: /* SCARD_E_NO_SERVICE */
    case 0x8010001E: /* SCARD_E_SERVICE_STOPPED */
        return true;
    default:
        return false;
    }
}
