#include "base/document.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/date.h"
#include "base/money.h"

static bool asked, begun; /* of the one command that this process runs */

json_t *document_time(int64_t t)
{
    char text[TIME_TEXT_MAX];

    return t == 0 ? json_null() : json_string(time_format_utc(text, (time_t)t));
}

json_t *document_local_time(int64_t t)
{
    return json_sprintf("%04d-%02d-%02dT%02d:%02d:%02d", (int)(t / 10000000000 % 10000),
                        (int)(t / 100000000 % 100), (int)(t / 1000000 % 100),
                        (int)(t / 10000 % 100), (int)(t / 100 % 100), (int)(t % 100));
}

json_t *document_date(int date)
{
    char text[DATE_TEXT_MAX];

    return date == 0 ? json_null() : json_string(date_format(text, date));
}

json_t *document_amount(int64_t minor, unsigned currency)
{
    char text[MONEY_TEXT_MAX];

    return json_string(money_shown(text, minor, currency));
}

static bool is_empty(const json_t *value)
{
    return json_is_string(value) && json_string_length(value) == 0;
}

void document_absent(json_t *document)
{
    const char *name;
    json_t *value;
    size_t i;

    json_object_foreach(document, name, value)
    {
        if (is_empty(value))
            (void)json_object_set_new(document, name, json_null());
        else
            document_absent(value);
    }
    json_array_foreach(document, i, value)
    {
        document_absent(value);
    }
}

enum tp_err document_print(json_t *document, bool line)
{
    const size_t flags = line ? JSON_COMPACT : JSON_INDENT(2);
    bool done;

    if (document == NULL)
        return TP_ERR_NO_MEMORY;
    document_begun();
    document_absent(document);
    done = json_dumpf(document, stdout, flags) == 0 || ferror(stdout) != 0;
    putchar('\n');
    if (line)
        fflush(stdout);
    json_decref(document);
    return done ? TP_OK : TP_ERR_NO_MEMORY;
}

void document_asked(void)
{
    asked = true;
}

void document_begun(void)
{
    begun = true;
}

/* Words for programs, which stay as they are in all languages. */
static const char *code_of(enum tp_err code)
{
    static const char *const names[TP_ERR_COUNT] = {
        [TP_ERR_USAGE] = "usage",         [TP_ERR_FORMAT] = "format",
        [TP_ERR_RANGE] = "range",         [TP_ERR_NOT_FOUND] = "not_found",
        [TP_ERR_EXISTS] = "exists",       [TP_ERR_STATE] = "state",
        [TP_ERR_CANCELLED] = "cancelled", [TP_ERR_NO_READER] = "no_reader",
        [TP_ERR_NO_CARD] = "no_card",     [TP_ERR_CARD] = "card",
        [TP_ERR_PEER] = "peer",           [TP_ERR_TIMEOUT] = "timeout",
        [TP_ERR_SECURITY] = "security",   [TP_ERR_IO] = "io",
        [TP_ERR_UNKNOWN] = "unknown",     [TP_ERR_AGAIN] = "again",
        [TP_ERR_NO_MEMORY] = "no_memory", [TP_ERR_INTERNAL] = "internal",
    };

    return (unsigned)code < TP_ERR_COUNT && names[code] != NULL ? names[code] : "internal";
}

json_t *document_error_of(const struct tp_error *e)
{
    return json_pack("{s:s, s:s}", "code", code_of(e->code), "text",
                     e->text[0] != '\0' ? e->text : tp_err_text(e->code));
}

void document_error(const struct tp_error *e)
{
    if (asked && !begun)
        (void)!document_print(json_pack("{s:o}", "error", document_error_of(e)), false);
}
