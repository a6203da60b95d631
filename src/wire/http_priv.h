/* What the files of the door share: a call from within. */
#ifndef TP_WIRE_HTTP_PRIV_H
#define TP_WIRE_HTTP_PRIV_H

#include "wire/guests.h"
#include "wire/http_door.h"

struct http_call {
    struct http_door *door;
    struct MHD_Connection *connection;
    struct guests *guests;
    struct guest *guest;
    char *target;              /* as it came */
    const char *method, *path; /* the connection's */
    bool begun;                /* its head is there */
    void *own;
    uint8_t *body; /* NULL: none kept */
    size_t body_n, body_cap;
    bool later;      /* its daemon said so */
    unsigned status; /* 0: not yet answered */
    struct MHD_Response *response;
    uint64_t answer_size;
};

#endif
