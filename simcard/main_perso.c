/* telepay-perso: its commands. */
#include "base/cli.h"
#include "base/text.h"
#include "simcard/perso_commands.h"

#include <stdlib.h>

unsigned perso_number(struct argp_state *state, const char *option, const char *text, unsigned min,
                      unsigned max)
{
    char *end;
    const unsigned long v = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || v < min || v > max)
        argp_error(state, _("--%s takes a number from %u to %u, not \"%s\""), option, min, max,
                   text);
    return (unsigned)v;
}

static const struct cli_command commands[] = {
    {"init", N_("make a test scheme: authority, issuer, master keys"), perso_init, false},
    {"card", N_("make a card of a scheme"), perso_card, false},
    {"cards", N_("make many cards, with all cores"), perso_cards, false},
    {"inspect", N_("show a card: applications, records, counters"), perso_inspect, true},
    {NULL, NULL, NULL, false},
};

static const struct cli_program program = {
    "telepay-perso", N_("Makes EMV test cards: the scheme they belong to, and the cards."),
    commands};

int main(int argc, char **argv)
{
    return cli_main(&program, argc, argv);
}
