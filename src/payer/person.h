/* The person at the terminal: prompts, one status line, the PIN, the choice of an application, and
 * Ctrl-C.
 *
 * From person_new to person_free the signals that end a program (SIGINT, SIGTERM, SIGHUP, SIGQUIT
 * …) and SIGTSTP are held back and looked at only where it is safe to leave, so that the echo of
 * the terminal is restored, and a payment that the card has signed is in the journal and its
 * receipt printed first. One that was held back to the end is forgotten: the program is at its end
 * then, too. */
#ifndef TP_PAYER_PERSON_H
#define TP_PAYER_PERSON_H

#include <jansson.h>

#include "kernel/kernel.h"

struct person;

struct person_options {
    int pin_fd; /* lines with the PIN; -1: ask on the terminal */
    const char
        *application; /* AID in hex, name, or number in the list; NULL: ask, or the card's first */
    const char *dialog; /* the pinentry that asks in place of the terminal; NULL: none */
    bool events;        /* JSON lines on stdout: doc/till.md */
    bool verbose;       /* a line for each step instead of the status line */
};

TP_MUST_CHECK enum tp_err person_new(struct person **out, const struct person_options *options,
                                     struct tp_error *e);
void person_free(struct person **p);

/* A payment begins: of `what`, as "12.50 EUR to Librairie du Port", which stands wherever the
 * person is asked for a PIN or a choice. The terminal does not echo any more, so that nothing typed
 * ahead is seen, and what was is thrown away: until person_free. */
void person_pays(struct person *p, const char *what);

/* All is done and told: a signal that comes from now on ends nothing any more. */
void person_is_done(void);

/* Shows the text and asks for a yes. TP_ERR_USAGE when there is no terminal to ask on,
 * TP_ERR_CANCELLED when the person leaves. */
TP_MUST_CHECK enum tp_err person_agrees(struct person *p, const char *text, bool *yes,
                                        struct tp_error *e);

/* The callbacks of the kernel, for as long as the person. */
struct kernel_person person_kernel(struct person *p);

/* From now on the PIN is entered on the reader's own keypad: it never comes here, and person_kernel
 * says so. */
void person_use_keypad(struct person *p);

/* Says an event, where events are wanted (payer/report.h); more is taken. */
void person_event(struct person *p, const char *event, json_t *more);
/* The kernel's transaction, for the event that says which application it is: as long as it runs. */
void person_watches(struct person *p, struct transaction *const *tx);

/* Shows what is being done: on the status line of a terminal, as a line when verbose, else not at
 * all. */
void person_status(struct person *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
void person_status_end(struct person *p);

/* Waits; false as soon as a signal says that the person leaves. 0: has none come? The deliverer's
 * pause (payer/deliver.h). */
bool person_stays(void *person, int ms);

/* For reader_set_goes_on: false once the person left, while the card has not been asked to sign. */
bool person_reads(void *person);

/* Why a run of the kernel ended when one of the callbacks ended it, as an error with a sentence;
 * TP_OK when none did. */
enum tp_err person_ended(const struct person *p, struct tp_error *e);

#endif
