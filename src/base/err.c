#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const texts[TP_ERR_COUNT] = {
    [TP_OK] = "done",
    [TP_ERR_USAGE] = "wrong usage",
    [TP_ERR_FORMAT] = "malformed data",
    [TP_ERR_RANGE] = "out of range",
    [TP_ERR_NOT_FOUND] = "not found",
    [TP_ERR_EXISTS] = "exists already",
    [TP_ERR_STATE] = "not allowed in this state",
    [TP_ERR_CANCELLED] = "cancelled",
    [TP_ERR_NO_READER] = "no reader",
    [TP_ERR_NO_CARD] = "no card",
    [TP_ERR_CARD] = "card fault",
    [TP_ERR_PEER] = "the other side cannot be reached or answered nonsense",
    [TP_ERR_TIMEOUT] = "no answer in time",
    [TP_ERR_SECURITY] = "refused for security",
    [TP_ERR_IO] = "input or output failed",
    [TP_ERR_UNKNOWN] = "not known whether it was kept",
    [TP_ERR_AGAIN] = "another was in the way",
    [TP_ERR_NO_MEMORY] = "out of memory",
    [TP_ERR_INTERNAL] = "internal fault",
};

enum tp_err tp_fail(struct tp_error *e, enum tp_err code, const char *format, ...)
{
    va_list ap;

    if (e == NULL)
        return code;
    e->code = code;
    va_start(ap, format);
    vsnprintf(e->text, sizeof(e->text), format, ap);
    va_end(ap);
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
    vsnprintf(e->text, sizeof(e->text), format, ap);
    va_end(ap);
    n = strlen(e->text);
    snprintf(e->text + n, sizeof(e->text) - n, ": %s", rest);
    return e->code;
}

const char *tp_err_text(enum tp_err code)
{
    return (unsigned)code < TP_ERR_COUNT ? texts[code] : "unknown error";
}
