/* Inside the PC/SC driver. */
#ifndef TP_DRIVERS_PCSC_PRIV_H
#define TP_DRIVERS_PCSC_PRIV_H

#include <winscard.h>

#include "drivers/pcsc.h"
#include "drivers/pinpad.h"

#define PCSC_NAMES_MAX ((PCSCLITE_MAX_READERS_CONTEXTS + 1) * MAX_READERNAME)

/* What a PC/SC code means to the house and to a person. The words go after "reader "…": ". */
struct pcsc_error {
    uint32_t code;
    enum tp_err err;
    const char *words;
};

/* Never NULL: an unknown code has the words for an internal fault. */
const struct pcsc_error *pcsc_error_find(LONG code);
size_t pcsc_error_count(void);
const struct pcsc_error *pcsc_error_at(size_t i); /* in order of codes */

/* Fills *e with the sentence for the code, about the reader (NULL: the service as such), and
 * returns its tp_err. */
enum tp_err pcsc_fail(struct tp_error *e, LONG code, const char *reader);

/* The service went away under us: a new context is needed (doc/design.md, pcscd and vpcd). */
bool pcsc_service_lost(LONG code);

struct pcsc {
    SCARDCONTEXT context;
    bool have_context;
    SCARDHANDLE card;
    bool connected;
    DWORD protocol;
    uint8_t atr[READER_ATR_MAX];
    size_t atr_n;
    char *wanted; /* as reader_wanted has it */
    bool whole;
    char name[MAX_READERNAME]; /* the one chosen by wait_card; empty before */
    struct reader *reader;     /* what this is the inside of */
};

#define PCSC_KEEPS_OUT                                                                             \
    "the socket's rights keep this user out: sudo systemctl restart pcscd.socket makes it anew, "  \
    "open to all"

/* Where the service listens: pcsc-lite's own variable says so (pcsclite(7)). */
const char *pcsc_socket_path(void);
/* Tries it: 0, or the errno of connect(2). */
int pcsc_socket_try(void);

/* A context, if there is none. TP_ERR_NO_READER, TP_ERR_STATE (the socket's rights, polkit). */
TP_MUST_CHECK enum tp_err pcsc_context(struct pcsc *p, struct tp_error *e);
void pcsc_context_drop(struct pcsc *p);

/* The names of all readers as a multi-string in names (PCSC_NAMES_MAX bytes); no reader is an empty
 * list, not an error. */
LONG pcsc_names(SCARDCONTEXT context, char *names);

/* What the reader behind a connection (direct ones too) says of its keypad; all zero when it says
 * nothing. */
void pcsc_pinpad_look(struct pinpad_features *f, struct pinpad_properties *p, SCARDHANDLE card);

/* As reader_verify_pin, on a connected card; an error is PC/SC's. */
TP_MUST_CHECK LONG pcsc_pinpad_verify(enum reader_pin_end *end, uint16_t *sw, SCARDHANDLE card,
                                      const struct reader_pin *ask);

/* Chooses p->name: EMV's "card in the reader", among the readers that match p->wanted. See
 * reader.h. */
TP_MUST_CHECK enum tp_err pcsc_wait(struct pcsc *p, int timeout_ms, struct tp_error *e);

#endif
