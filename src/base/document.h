/* What a command prints as JSON, by the one vocabulary of doc/json.md. */
#ifndef TP_BASE_DOCUMENT_H
#define TP_BASE_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/* New values; NULL: no memory. */
json_t *document_time(int64_t t);                          /* UTC; null for 0 */
json_t *document_local_time(int64_t t);                    /* YYYYMMDDHHMMSS, of no known zone */
json_t *document_date(int date);                           /* null for 0 */
json_t *document_amount(int64_t minor, unsigned currency); /* in major units */

/* Texts that are empty become null, at any depth. */
void document_absent(json_t *document);

/* Prints it on stdout, on one line when so, and takes it; NULL is TP_ERR_NO_MEMORY. Whether stdout
 * takes it, cli_main asks at the end. */
TP_MUST_CHECK enum tp_err document_print(json_t *document, bool line);

/* From now on an error is printed as JSON too: the command was asked for JSON, or has no other
 * form. */
void document_asked(void);
/* The command has begun to print: an error behind it would not be part of what is read. */
void document_begun(void);
/* {"error": …} on stdout, where JSON was asked for and nothing stands there yet. */
void document_error(const struct tp_error *e);
json_t *document_error_of(const struct tp_error *e); /* {code, text} */

#endif
