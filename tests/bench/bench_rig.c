#include "bench_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void rig_must(enum tp_err r, const char *what, const struct tp_error *e)
{
    if (r == TP_OK)
        return;
    fprintf(stderr, "bench: %s: %s\n", what, e == NULL ? tp_err_text(r) : e->text);
    exit(1);
}

double rig_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void rig_start(struct rig *r)
{
    struct scheme_params p;
    struct tp_error e;
    char path[] = "/tmp/bench-XXXXXX";
    const int fd = mkstemp(path);

    if (fd < 0)
        rig_must(TP_ERR_IO, path, NULL);
    close(fd);
    unlink(path);
    scheme_defaults(&p);
    rig_must(scheme_new(&r->scheme, &p, &e), "scheme", &e);
    rig_must(scheme_save_authority(r->scheme, path, &e), "authority", &e);
    rig_must(capk_store_new(&r->store), "store", NULL);
    rig_must(capk_store_load(r->store, path, &e), "authority", &e);
    unlink(path);
    r->config = (struct terminal_config){.type = 0x35,
                                         .capabilities = {0x20, 0x98, 0xC8},
                                         .additional = {0x60, 0x00, 0xF0, 0xA0, 0x01},
                                         .country = 250,
                                         .terminal_id = "00000001",
                                         .merchant_id = "000000000000123",
                                         .merchant_name = "Bench",
                                         .ifd_serial = "TP000001",
                                         .mcc = 5942,
                                         .applications_n = 1,
                                         .authorities = r->store};
    r->config.applications[0] =
        (struct terminal_application){.aid = {0xF0, 0, 0, 0, 0x14, 0x10, 0x10},
                                      .aid_n = 7,
                                      .version = {0, 1},
                                      .floor_limit = 5000};
}

void rig_end(struct rig *r)
{
    scheme_free(&r->scheme);
    capk_store_free(&r->store);
}

void rig_params(struct perso_params *p)
{
    perso_defaults(p);
    p->pan = RIG_PAN;
    p->pin = span_str("1234");
    p->expiry = 20301231;
    p->effective = 20200101;
}

struct card *rig_card(const struct rig *r, struct perso_params *p)
{
    struct card_profile *profile;
    struct card *card;
    struct tp_error e;

    rig_must(perso_make(&profile, r->scheme, p, &e), "card", &e);
    rig_must(card_new(&card, &profile), "card", NULL);
    return card;
}

struct transaction_request rig_request(struct rig *r, int64_t amount)
{
    r->counter++;
    return (struct transaction_request){
        .amount = amount,
        .currency = 978,
        .currency_exponent = 2,
        .date = RIG_DATE,
        .time = 120000,
        .counter = r->counter,
        .un = {1, 2, (uint8_t)(r->counter >> 8), (uint8_t)r->counter}};
}

static enum tp_err pin(void *ctx, unsigned tries_left, bool wrong_before, struct secret *out)
{
    (void)ctx;
    (void)tries_left;
    (void)wrong_before;
    return secret_copy(out, span_str("1234"));
}

struct kernel_person rig_person(void)
{
    return (struct kernel_person){.pin = pin, .tries_untold = true};
}
