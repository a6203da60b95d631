#include "base/text.h"

#include <locale.h>
#include <stdlib.h>
#include <strings.h>

#include "config.h"

void text_start(void)
{
    const char *dir = secure_getenv("TELEPAY_LOCALEDIR");

    /* What people are told, and no more: each category is a file to read. What is written is UTF-8
     * in every locale, as JSON and HTTP want it, and letters are those of ASCII. */
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        setlocale(LC_CTYPE, "");
    setlocale(LC_MESSAGES, "");
    bindtextdomain(PACKAGE, dir != NULL && *dir != '\0' ? dir : TP_LOCALEDIR);
    bind_textdomain_codeset(PACKAGE, "UTF-8");
    textdomain(PACKAGE);
}

void text_english(void)
{
    setlocale(LC_MESSAGES, "C");
}

bool text_says_yes(const char *word)
{
    return strcasecmp(word, _("y")) == 0 || strcasecmp(word, _("yes")) == 0;
}
