#include "payer/cardholder.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

/* UTF-8. What is no break in French is none here: U+00A0. */
static const struct cardholder_words spoken[] = {
    {"en", "PIN", "Wrong PIN.", "A PIN has 4 to 12 digits.", "last try", "tries left", ": ",
     "enter the PIN on the reader", "wrong PIN; "},
    {"fr", "Code confidentiel", "Code faux.", "Un code confidentiel a de 4 à 12 chiffres.",
     "dernier essai", "essais restants", "\u00A0: ", "tapez le code confidentiel sur le lecteur",
     "code faux\u00A0; "},
};

static const struct cardholder_words *find(const char language[2])
{
    for (size_t i = 0; i < sizeof(spoken) / sizeof(spoken[0]); i++)
        if (tolower((unsigned char)language[0]) == spoken[i].language[0] &&
            tolower((unsigned char)language[1]) == spoken[i].language[1])
            return &spoken[i];
    return NULL;
}

const struct cardholder_words *cardholder_words(struct span languages)
{
    const struct cardholder_words *w = NULL;

    for (size_t i = 0; i + 2 <= languages.n && w == NULL; i += 2)
        w = find((const char *)languages.p + i);
    if (w == NULL)
        w = find(_("en")); /* the language of this catalogue, by ISO 639-1 */
    return w != NULL ? w : &spoken[0];
}
