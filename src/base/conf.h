/* INI configuration files, read with libinih. */
#ifndef TP_BASE_CONF_H
#define TP_BASE_CONF_H

#include "base/span.h"

struct conf;

/* TP_ERR_NOT_FOUND; TP_ERR_FORMAT naming file and line; TP_ERR_USAGE naming the value that is no
 * text (base/word.h). */
TP_MUST_CHECK enum tp_err conf_load(struct conf **out, const char *path, struct tp_error *e);

/* The same of a text that stands in no file: name is said instead of its path. */
TP_MUST_CHECK enum tp_err conf_parse(struct conf **out, const char *name, const char *text,
                                     struct tp_error *e);
void conf_free(struct conf **c);

/* The value, or NULL when the file has none; it lives as long as the conf. */
const char *conf_get(const struct conf *c, const char *section, const char *key);

/* The value, or TP_ERR_USAGE naming file, section and key. */
TP_MUST_CHECK enum tp_err conf_need(const char **value, const struct conf *c, const char *section,
                                    const char *key, struct tp_error *e);

/* A file name in the configuration is relative to the folder of the configuration file: resolves it
 * into out. TP_ERR_USAGE as above. */
TP_MUST_CHECK enum tp_err conf_need_path(char *out, size_t cap, const struct conf *c,
                                         const char *section, const char *key, struct tp_error *e);

/* The same for any file name that stands in the configuration. TP_ERR_RANGE. */
TP_MUST_CHECK enum tp_err conf_resolve(char *out, size_t cap, const struct conf *c,
                                       const char *name, struct tp_error *e);

/* The name of the ith different section that has a key, in the order of the file; NULL at the end.
 */
const char *conf_section_at(const struct conf *c, size_t i);

/* The path the configuration was loaded from, for messages. */
const char *conf_path(const struct conf *c);

#endif
