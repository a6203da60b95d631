/* `telepay get URL`: client of the web and payer in one, with curl's habits. */
#ifndef TP_PAYER_GET_H
#define TP_PAYER_GET_H

#include <stdio.h>

#include "payer/checkout.h"

#define GET_HEADERS_MAX   64
#define GET_REDIRECTS_MAX 50

struct get_options {
    const char *url;
    const char *output;                       /* a file; NULL: standard output */
    FILE *to;                                 /* instead of standard output; NULL: that */
    bool remote_name;                         /* the file is called as the address ends */
    const char *headers[GET_HEADERS_MAX + 1]; /* "Name: value", ended by NULL */
    size_t headers_n;
    const char *method; /* NULL: GET, or POST with a body */
    bool has_body;
    struct span body;
    bool location; /* goes where a redirect leads */
    bool fail;     /* a status of 400 or more writes nothing, and is a fault */
    bool identify; /* who asks is said unasked … */
    bool by_card;  /* … by a bank card, where a key would do, too */
    bool silent;   /* tells no fault of an exchange, and not what was paid */
    struct fetch_options fetch;
    struct checkout_options checkout;
    struct pay_options pay;
};

struct get_result {
    int exit;              /* of enum cli_exit, or as curl exits where it is from 6 on */
    bool of_payment;       /* the error concerns money: it is told however silent one is */
    struct tp_error error; /* code TP_OK: nothing to say */
};

void get_run(struct get_result *result, const struct get_options *options);

/* The file name that an address ends with (free()); NULL: none. */
char *get_remote_name(const char *url);

/* The fields that may go to another origin than the one that was named: all but those that prove
 * who asks. Ended by NULL. */
void get_drop_credentials(const char **headers);

#endif
