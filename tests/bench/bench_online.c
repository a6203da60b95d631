/* The whole of a payment in process (make bench): CDA twice, enciphered PIN, an issuer who answers
 * the ARQC with an ARPC; its commands against the fewest that the Books allow, its time against
 * that of its RSA operations alone. Then what a card factory does: keys and cards a second. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/tlv.h"
#include "bench.h"
#include "bench_rig.h"
#include "crypto/cryptogram.h"
#include "simcard/inproc.h"

#define PAYMENTS   200
#define OVER_FLOOR 6000

/* ---- the issuer ---- */

/* Book 2, 8.2.2: ARPC method 2 of a card of CVN 18, with a card status update that approves. */
static enum tp_err authorise(void *ctx, const struct transaction *tx,
                             struct kernel_issuer_answer *out)
{
    static const uint8_t csu[4] = {0x00, EMV_CSU_APPROVES, 0x00, 0x00};
    const struct rig *r = ctx;
    struct secret key = {NULL, 0}, session = {NULL, 0};

    rig_must(emv_master_key_derive(&key, EMV_CVN_18, secret_span(&r->scheme->ac_key), RIG_PAN,
                                   transaction_get(tx, TAG_PAN_SEQUENCE).p[0]),
             "key", NULL);
    rig_must(
        emv_session_key_ac(&session, EMV_CVN_18, secret_span(&key), transaction_get(tx, TAG_ATC).p),
        "session key", NULL);
    rig_must(emv_arpc_2(out->authentication.p, EMV_CVN_18, secret_span(&session),
                        transaction_get(tx, TAG_AC).p, csu, (struct span){NULL, 0}),
             "ARPC", NULL);
    memcpy(out->authentication.p + 4, csu, sizeof(csu));
    out->authentication.n = 8;
    out->reached = true;
    memcpy(out->arc, "00", 2);
    memcpy(out->approval, "A00042", 7);
    secret_free(&key);
    secret_free(&session);
    return TP_OK;
}

/* ---- the fewest commands ---- */

struct seen {           /* of one payment */
    unsigned directory; /* records of the PSE's directory that the card has */
    unsigned records;   /* that its AFL names */
    bool external;      /* the AIP asks for EXTERNAL AUTHENTICATE */
    bool in_application;
};

static unsigned count_afl(struct span afl)
{
    struct span entry;
    unsigned n = 0;

    while (span_take(&afl, 4, &entry) == TP_OK)
        n += (unsigned)(entry.p[2] - entry.p[1] + 1);
    return n;
}

/* What the card said of itself; nothing of how the terminal read it. */
static void look(void *ctx, struct span command, struct span response)
{
    struct seen *s = ctx;
    struct tlv o;

    if (command.n < 4 || response.n < 2 || response.p[response.n - 2] != 0x90)
        return;
    response.n -= 2;
    if (command.p[1] == INS_READ_RECORD && !s->in_application)
        s->directory++;
    if (command.p[1] != INS_GET_PROCESSING_OPTIONS)
        return;
    s->in_application = true;
    if (tlv_find_deep(response, TAG_AFL, &o) == TP_OK)
        s->records = count_afl(o.value);
    if (tlv_find_deep(response, TAG_AIP, &o) == TP_OK && o.value.n == 2)
        s->external = (o.value.p[0] & 0x04) != 0;
}

/* Book 1, 12.3.2: SELECT of the PSE, its records up to the one that is missing; 12.4: SELECT. Book
 * 3, 10.1: GET PROCESSING OPTIONS; 10.2: each record of the AFL once; 10.5.1 and Book 2, 7: GET
 * CHALLENGE and VERIFY; 10.9: EXTERNAL AUTHENTICATE if the AIP wants it; two GENERATE AC. */
static unsigned fewest(const struct seen *s)
{
    return 1 + (s->directory + 1) + 1 + 1 + s->records + 2 + (s->external ? 1 : 0) + 2;
}

/* ---- payments ---- */

static void pay(struct rig *r, struct reader *reader)
{
    const struct kernel_person person = rig_person();
    const struct kernel_online online = {r, authorise};
    const struct transaction_request request = rig_request(r, OVER_FLOOR);
    struct transaction *tx;
    struct tp_error e;

    rig_must(reader_connect(reader, &e), "connect", &e);
    rig_must(kernel_run(&tx, reader, &r->config, &request, &person, &online, &e), "payment", &e);
    const struct span tsi = transaction_get(tx, TAG_TSI),
                      cvm = transaction_get(tx, TAG_CVM_RESULTS),
                      arc = transaction_get(tx, TAG_ARC);

    /* approved, signed, PIN enciphered and right (04), the issuer's 00 and its ARPC taken: else it
     * is not that which is measured */
    if (transaction_outcome(tx) != KERNEL_APPROVED || !transaction_authentication(tx)->ok ||
        tsi.n != 2 || cvm.n != 3 || (cvm.p[0] & 0x3F) != 0x04 || cvm.p[2] != 0x02 || arc.n != 2 ||
        memcmp(arc.p, "00", 2) != 0) {
        fprintf(stderr, "bench_online: not the payment that was wanted: %s\n",
                transaction_reason(tx));
        exit(1);
    }
    transaction_free(&tx);
    reader_disconnect(reader);
}

/* Seconds of the RSA operations of one payment and no more: the card deciphers the PIN and signs
 * twice; the terminal opens two certificates and two signatures and enciphers the PIN. */
static double rsa_alone(const struct rig *r, struct emv_privkey *card, unsigned n)
{
    struct emv_pubkey *authority = emv_privkey_public(r->scheme->authority),
                      *issuer = emv_privkey_public(r->scheme->issuer),
                      *icc = emv_privkey_public(card);
    uint8_t in[EMV_RSA_MAX] = {0}, out[EMV_RSA_MAX];
    double start;

    in[EMV_RSA_MAX - 1] = in[10] = 2; /* below every modulus */
    start = bench_cpu_seconds();
    for (unsigned i = 0; i < n; i++) {
        for (unsigned k = 0; k < 3; k++)
            rig_must(emv_rsa_sign(card, span_of(in, emv_pubkey_size(icc)), out), "sign", NULL);
        for (unsigned k = 0; k < 3; k++)
            rig_must(emv_rsa_recover(icc, span_of(in, emv_pubkey_size(icc)), out), "recover", NULL);
        rig_must(emv_rsa_recover(issuer, span_of(in, emv_pubkey_size(issuer)), out), "recover",
                 NULL);
        rig_must(emv_rsa_recover(authority, span_of(in, emv_pubkey_size(authority)), out),
                 "recover", NULL);
    }
    return (bench_cpu_seconds() - start) / n;
}

static void payments(struct rig *r)
{
    struct perso_params p;
    struct secret der = {NULL, 0};
    struct emv_privkey *key = NULL;
    struct card *card;
    struct inproc_card inproc;
    struct reader *reader;
    struct seen seen = {0};
    struct reader_counts counts;
    double start, each, alone;

    rig_params(&p);
    p.cvm = "enciphered-pin";
    rig_must(emv_privkey_generate(&key, p.bits, p.exponent), "key", NULL);
    rig_must(emv_privkey_export(&der, key), "key", NULL);
    rig_must(emv_privkey_import(&p.key, secret_span(&der)), "key", NULL);
    card = rig_card(r, &p);
    inproc = card_inproc(card);
    rig_must(inproc_open(&reader, &inproc), "reader", NULL);
    reader_set_trace(reader, look, &seen);
    pay(r, reader);
    counts = reader_counts(reader);
    reader_set_trace(reader, NULL, NULL);
    start = bench_cpu_seconds();
    for (unsigned i = 0; i < PAYMENTS; i++)
        pay(r, reader);
    each = (bench_cpu_seconds() - start) / PAYMENTS;
    alone = rsa_alone(r, key, PAYMENTS);
    printf("{\"name\":\"commands of a payment: CDA, enciphered PIN, "
           "online\",\"value\":%lu,\"unit\":\"max commands\",\"limit\":%u,\"note\":\"the "
           "Books' fewest\"}\n",
           counts.exchanges, fewest(&seen));
    printf("{\"name\":\"the same a second, card, terminal and issuer on one "
           "core\",\"value\":%.6g,\"unit\":\"1/"
           "s\",\"limit\":0.5,\"ratio\":%.4g,\"base_name\":\"its RSA "
           "operations alone (%.0f/s)\"}\n",
           1 / each, alone / each, 1 / alone);
    fflush(stdout);
    reader_close(&reader);
    card_close(&card);
    emv_privkey_free(&key);
    secret_free(&der);
}

/* ---- the factory ---- */

static void keys_and_cards(const struct rig *r)
{
    struct perso_params p;
    struct secret der = {NULL, 0};
    struct emv_privkey *key = NULL;
    double start, seconds;
    unsigned n;

    rig_params(&p);
    start = bench_cpu_seconds();
    for (n = 0; (seconds = bench_cpu_seconds() - start) < 2; n++) {
        emv_privkey_free(&key);
        rig_must(emv_privkey_generate(&key, p.bits, p.exponent), "key", NULL);
    }
    bench_value("card keys made, RSA 1152, one core", n / seconds, "1/s", "");
    start = bench_cpu_seconds();
    for (n = 0; (seconds = bench_cpu_seconds() - start) < 2; n++) {
        struct card *card = rig_card(r, &p); /* with a new key */

        card_close(&card);
    }
    bench_value("cards made, each with a key of its own, one core", n / seconds, "1/s", "");
    rig_must(emv_privkey_export(&der, key), "key", NULL);
    start = bench_cpu_seconds();
    for (n = 0; (seconds = bench_cpu_seconds() - start) < 1; n++) {
        struct card *card;

        rig_must(emv_privkey_import(&p.key, secret_span(&der)), "key", NULL);
        card = rig_card(r, &p);
        card_close(&card);
    }
    bench_value("cards made, with a key that is there already, one core", n / seconds, "1/s",
                "for load tests");
    emv_privkey_free(&key);
    secret_free(&der);
}

int main(void)
{
    struct rig r = {0};

    secret_start();
    rig_start(&r);
    payments(&r);
    keys_and_cards(&r);
    rig_end(&r);
    return 0;
}
