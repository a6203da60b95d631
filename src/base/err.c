#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/word.h"

static const char *const texts[TP_ERR_COUNT] = {
    [TP_OK] = N_("done"),
    [TP_ERR_USAGE] = N_("wrong usage"),
    [TP_ERR_FORMAT] = N_("malformed data"),
    [TP_ERR_RANGE] = N_("out of range"),
    [TP_ERR_NOT_FOUND] = N_("not found"),
    [TP_ERR_EXISTS] = N_("exists already"),
    [TP_ERR_STATE] = N_("not allowed in this state"),
    [TP_ERR_CANCELLED] = N_("cancelled"),
    [TP_ERR_NO_READER] = N_("no reader"),
    [TP_ERR_NO_CARD] = N_("no card"),
    [TP_ERR_CARD] = N_("card fault"),
    [TP_ERR_PEER] = N_("the other side cannot be reached or answered nonsense"),
    [TP_ERR_TIMEOUT] = N_("no answer in time"),
    [TP_ERR_SECURITY] = N_("refused for security"),
    [TP_ERR_IO] = N_("input or output failed"),
    [TP_ERR_UNKNOWN] = N_("not known whether it was kept"),
    [TP_ERR_AGAIN] = N_("another was in the way"),
    [TP_ERR_NO_MEMORY] = N_("out of memory"),
    [TP_ERR_INTERNAL] = N_("internal fault"),
};

enum tp_err tp_fail(struct tp_error *e, enum tp_err code, const char *format, ...)
{
    va_list ap;

    if (e == NULL)
        return code;
    e->code = code;
    va_start(ap, format);
    vsnprintf(e->text, sizeof(e->text), gettext(format), ap);
    va_end(ap);
    word_make_shown(e->text); /* what others sent may be in it, or be cut within a letter */
    return code;
}

enum tp_err tp_error_prefix(struct tp_error *e, const char *format, ...)
{
    char rest[sizeof(e->text)];
    va_list ap;
    size_t n;

    if (e == NULL)
        return TP_ERR_INTERNAL;
    memcpy(rest, e->text, sizeof(rest));
    va_start(ap, format);
    vsnprintf(e->text, sizeof(e->text), gettext(format), ap);
    va_end(ap);
    n = strlen(e->text);
    snprintf(e->text + n, sizeof(e->text) - n, ": %s", rest);
    word_make_shown(e->text);
    return e->code;
}

const char *tp_err_text(enum tp_err code)
{
    return gettext((unsigned)code < TP_ERR_COUNT ? texts[code] : N_("unknown error"));
}
