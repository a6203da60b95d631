#include "base/text.h"

#include <locale.h>
#include <stdlib.h>

#include "config.h"

void text_start(void)
{
    const char *dir = secure_getenv("TELEPAY_LOCALEDIR");

    /* what people are told, and no more: each category is a file to read */
    setlocale(LC_CTYPE, "");
    setlocale(LC_MESSAGES, "");
    bindtextdomain(PACKAGE, dir != NULL && *dir != '\0' ? dir : TP_LOCALEDIR);
    textdomain(PACKAGE);
}
