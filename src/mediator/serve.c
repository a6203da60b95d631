#include "mediator/serve.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "mediator/commands.h"
#include "wire/throttle.h"
#include "mediator/stream.h"

#define THREADS      4
#define CONNECTIONS  2048
#define EACH_ADDRESS 512
#define MEMORY       131072 /* a credential may come in a field */
#define OF_SERVICE   64     /* connections to one service */
#define KEY_SIZE     32

static void on_whole(void *ctx, struct http_call *call)
{
    struct mediator *m = ctx;
    struct visit *v = visit_new(m, call);

    http_own_set(call, v);
    if (v == NULL)
        http_answer(call, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, 0);
    else
        visit_begin(v);
}

static void on_done(void *ctx, struct http_call *call)
{
    (void)ctx;
    free(http_own(call));
}

static enum tp_err read_key(struct mediator *m, struct tp_error *e)
{
    char path[PATH_MAX];
    uint8_t *bytes = NULL;
    size_t n = 0;
    enum tp_err r = file_join(path, sizeof(path), m->dir, MEDIATOR_KEY, e);

    if (r == TP_OK)
        r = file_check_private(path, e);
    if (r == TP_OK)
        r = file_read(path, KEY_SIZE, &bytes, &n, e);
    if (r == TP_OK && n != KEY_SIZE)
        r = tp_fail(e, TP_ERR_FORMAT, "%s has not %d bytes: put the one of before back", path,
                    KEY_SIZE);
    if (r == TP_OK)
        r = secret_copy(&m->key, span_of(bytes, n));
    if (bytes != NULL)
        secret_wipe(bytes, n);
    free(bytes);
    return r;
}

static enum tp_err on_acquirer(void *ctx, const struct reg_acquirer *a, struct tp_error *e)
{
    return a->means == MEANS_EMV ? line_open(ctx, a, e) : TP_OK;
}

static void name_it(struct mediator *m, const struct mediator_place *place)
{
    snprintf(m->origin, sizeof(m->origin), "%s", place->origin);
    snprintf(m->realm, sizeof(m->realm), "%.127s", strstr(m->origin, "://") + 3);
    m->issuing = (struct issuing){secret_span(&m->key), m->origin, m->realm, NULL};
}

/* The door blocks the signals before any thread is made; whoever may call back comes after what is
 * called. */
static enum tp_err open_all(struct mediator *m, const struct mediator_place *place,
                            struct tp_error *e)
{
    const struct http_door_options options = {
        .program = "telepay-mediator",
        .dir = place->dir,
        .address = place->address,
        .port = place->port,
        .asks_certificate = false,
        .connections = CONNECTIONS,
        .of_address = EACH_ADDRESS,
        .threads = THREADS,
        .files = 1,
        .memory = MEMORY,
        .body_max = PAYMENT_CREDENTIAL_MAX,
        .ops = {m, NULL, NULL, on_whole, on_done},
    };
    const struct registry_events events = {m, on_acquirer};
    enum tp_err r = file_lock_folder(&m->lock_fd, place->dir, "telepay-mediator", e);

    if (r == TP_OK)
        r = read_key(m, e);
    if (r == TP_OK)
        r = http_door_new(&m->door, &options, e);
    name_it(m, place);
    if (r == TP_OK)
        r = dispute_terms_load(&m->terms, place->dir, e);
    if (r == TP_OK)
        r = mediator_pages_open(&m->pages, e);
    if (r == TP_OK)
        r = shelf_open(m, e);
    if (r == TP_OK)
        r = throttle_new(&m->throttle, e);
    if (r == TP_OK)
        r = http_client_new(&m->client, OF_SERVICE, e);
    if (r == TP_OK)
        r = streams_open(m, e);
    if (r == TP_OK)
        r = purse_way_open(m, e);
    if (r == TP_OK)
        r = session_way_open(m, e);
    if (r == TP_OK)
        r = registry_open(&m->registry, place->dir, &events, e);
    m->issuing.registry = m->registry;
    if (r == TP_OK)
        r = clock_open(m, e);
    if (r == TP_OK)
        r = keeper_open(m, e);
    atomic_store(&m->serving, r == TP_OK);
    return r;
}

/* What is under way ends, and what waits for the books gets there; then nobody waits any more. */
static void close_all(struct mediator *m)
{
    atomic_store(&m->ending, true);
    http_client_stop(m->client);
    streams_stop(m);
    keeper_stop(m);
    clock_close(m);
    visits_end(m);
    http_door_free(&m->door); /* whose threads ask whether a line is up */
    for (size_t i = 0; i < atomic_load(&m->lines); i++)
        line_close(&m->line[i]);
    http_client_free(&m->client);
    streams_close(m);
    purse_way_close(m);
    session_way_close(m);
    keeper_close(m);
    registry_close(&m->registry);
    pages_close(&m->pages);
    shelf_close(m);
    throttle_free(&m->throttle);
    secret_free(&m->key);
    pthread_mutex_destroy(&m->lock);
    if (m->lock_fd >= 0)
        close(m->lock_fd);
}

enum tp_err mediator_serve(const struct mediator_place *place, struct tp_error *e)
{
    struct mediator *m = calloc(1, sizeof(*m));
    enum tp_err r;

    if (m == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    m->dir = place->dir;
    m->lock_fd = -1;
    TAILQ_INIT(&m->waiting);
    pthread_mutex_init(&m->lock, NULL);
    r = open_all(m, place, e);
    if (r == TP_OK)
        r = http_door_run(m->door, e);
    close_all(m);
    free(m);
    return r;
}
