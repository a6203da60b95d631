/* The commands that collect, of an acquirer and of a purse: their words, and how they run. */
#ifndef TP_COLLECT_COMMAND_H
#define TP_COLLECT_COMMAND_H

#include <argp.h>

#include "base/text.h"
#include "collect/run.h"

struct collect_words {
    const char *dir, *contract;
    int remise, attempts, pause, timeout;
    bool json, now;
};

/* The argp parser of these words, whose input is a struct collect_words. */
error_t collect_parse(int key, char *arg, struct argp_state *state);

#define COLLECT_JSON                                                                               \
    {                                                                                              \
        "json", 'j', NULL, 0, N_("print the tickets as JSON"), 91                                  \
    }
#define COLLECT_CONTRACT                                                                           \
    {                                                                                              \
        "contract", 'c', "CONTRACT", 0, N_("only this contract"), 0                                \
    }
#define COLLECT_ATTEMPTS                                                                           \
    {                                                                                              \
        "attempts", 'a', "N", 0, N_("try each remise at most N times"), 1                          \
    }
#define COLLECT_PAUSE                                                                              \
    {                                                                                              \
        "pause", 'p', "SECONDS", 0,                                                                \
            N_("pause before the second try, doubled for each further one [5]"), 1                 \
    }
#define COLLECT_TIMEOUT                                                                            \
    {                                                                                              \
        "timeout", 't', "SECONDS", 0,                                                              \
            N_("give a try up when the centre is silent for so long [60]"), 1                      \
    }

struct collect_program { /* whose command it is */
    /* The folder that --dir names, or the program's own choice; out has PATH_MAX bytes. */
    enum tp_err (*dir)(char *out, const char *given, struct tp_error *e);
    enum tp_err (*open)(struct collector *out, const char *dir, struct tp_error *e);
    /* Closes what is to be closed first; NULL: nothing. */
    enum tp_err (*close_due)(struct collector *c, const char *contract, bool now,
                             struct tp_error *e);
    const char *nothing; /* what is said when there is no remise to submit */
};

/* Returns the exit code. */
int collect_command(const struct collect_words *w, const struct collect_program *program);

#endif
