/* The subcommands of telepay-perso. */
#ifndef TP_SIMCARD_PERSO_COMMANDS_H
#define TP_SIMCARD_PERSO_COMMANDS_H

#include <argp.h>

int perso_init(int argc, char **argv);
int perso_card(int argc, char **argv);
int perso_cards(int argc, char **argv);
int perso_inspect(int argc, char **argv);

/* A whole number between min and max, or argp_error naming the option. */
unsigned perso_number(struct argp_state *state, const char *option, const char *text, unsigned min,
                      unsigned max);

#endif
