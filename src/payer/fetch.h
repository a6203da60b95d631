/* HTTP requests and their answers, over libcurl: https with the server's certificate checked, and
 * http. Redirects are not followed here: whoever asked decides what may go along. */
#ifndef TP_PAYER_FETCH_H
#define TP_PAYER_FETCH_H

#include "base/span.h"

#define FETCH_KEPT_MAX 524288 /* bytes of a body that is kept */
#define FETCH_URL_MAX  8192

struct fetch;

struct fetch_options {
    const char *cacert; /* PEM: whose certificates are taken instead of the system's; NULL: those */
    int seconds;        /* for a whole exchange; 0: as long as it takes */
    bool verbose;       /* the lines of both heads on stderr, no credential among them */
};

struct fetch_request {
    const char *url;
    const char *method;         /* NULL: GET, or POST where there is a body */
    const char *const *headers; /* "Name: value", ended by NULL; NULL: none */
    const char *credential;     /* a line as those, never shown; NULL: none */
    bool has_body;
    struct span body;
    int seconds; /* for this exchange; 0: what the options say */
    /* Takes the body piece by piece, where it says so at the first of it, the status known; false
     * from take ends the exchange. Taken or not, so much is kept as there is room for.
     * NULL: all of it is kept. */
    bool (*takes)(void *ctx, long status);
    bool (*take)(void *ctx, struct span piece);
    void (*tick)(void *ctx); /* some times a second while it lasts; NULL: nothing */
    void *ctx;
};

/* TP_ERR_NO_MEMORY. options is copied; what it points to outlives the fetch. */
TP_MUST_CHECK enum tp_err fetch_new(struct fetch **out, const struct fetch_options *options,
                                    struct tp_error *e);
void fetch_free(struct fetch **f);

/* From now on nothing is asked of a private network (address_is_near): TP_ERR_SECURITY. */
void fetch_bar_near(struct fetch *f, bool barred);
bool fetch_met_near(const struct fetch *f); /* that is why the last exchange came to nothing */

/* One exchange. TP_ERR_USAGE (an address that is none, or neither https nor http), TP_ERR_PEER,
 * TP_ERR_TIMEOUT, TP_ERR_SECURITY (the server's certificate), TP_ERR_RANGE (a kept body that is too
 * large), TP_ERR_IO (take said no). */
TP_MUST_CHECK enum tp_err fetch_send(struct fetch *f, const struct fetch_request *request,
                                     struct tp_error *e);

/* Of the last answer; the strings live until the next exchange. */
long fetch_status(const struct fetch *f);                             /* 0: there was none */
const char *fetch_field(struct fetch *f, const char *name, size_t i); /* the ith of it; NULL */
const char *fetch_redirect(const struct fetch *f); /* where a 3xx leads, whole; NULL: nowhere */
struct span fetch_body(const struct fetch *f);     /* what was kept */
int fetch_fault(const struct fetch *f); /* libcurl's number of what failed, as curl exits; 0 */

/* With `verbose`: a line of what is being done, on stderr, as the heads are shown. */
void fetch_say(const struct fetch *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
