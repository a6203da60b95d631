#include "teller.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "base/date.h"
#include "base/file.h"
#include "crypto/pki.h"

const uint8_t teller_arpc[8] = {0xB4, 0x4B, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06};

struct teller_late { /* an answer that leaves later */
    struct teller_late *next;
    struct link_peer *peer;
    int64_t at;
    size_t n;
    uint8_t bytes[1024];
};

/* ---- memory ---- */

static struct teller_record *find(struct teller *b, const char *rrn)
{
    for (size_t i = b->records; i-- > 0;)
        if (strcmp(b->record[i].rrn, rrn) == 0)
            return &b->record[i];
    return NULL;
}

static struct teller_record *find_or_add(struct teller *b, const char *rrn)
{
    struct teller_record *r = find(b, rrn);

    if (r != NULL)
        return r;
    if (b->records == b->room) {
        b->room = b->room * 2 + 256;
        b->record = realloc(b->record, b->room * sizeof(*b->record));
        if (b->record == NULL)
            abort();
    }
    r = &b->record[b->records++];
    *r = (struct teller_record){.asked = 0};
    snprintf(r->rrn, sizeof(r->rrn), "%s", rrn);
    return r;
}

/* ---- answers ---- */

static void start(struct iso8583 *a, const struct iso8583 *m, unsigned mti)
{
    static const unsigned echoed[] = {2, 3, 4, 7, 11, 12, 13, 32, 37, 41, 42, 49, 70};

    iso8583_start(a, mti);
    for (size_t i = 0; i < sizeof(echoed) / sizeof(echoed[0]); i++)
        a->field[echoed[i]] = m->field[echoed[i]];
}

static void leave(struct teller *b, struct link_peer *peer, const struct iso8583 *a,
                  unsigned after_ms)
{
    struct teller_late *l = calloc(1, sizeof(*l));
    struct buf out = {l != NULL ? l->bytes : NULL, 0, sizeof(l->bytes)};

    if (l == NULL || iso8583_pack(&out, a, NULL) != TP_OK)
        abort();
    if (after_ms == 0) {
        link_send(peer, buf_span(&out));
        free(l);
        return;
    }
    l->peer = link_peer_ref(peer);
    l->n = out.n;
    l->at = time_monotonic_ms() + after_ms;
    l->next = b->late;
    b->late = l;
}

static void put_data(struct iso8583 *a, struct buf *de55, const char *code)
{
    if (tlv_put(de55, TAG_ARC, span_str(code)) != TP_OK ||
        tlv_put(de55, TAG_ISSUER_AUTH_DATA, SPAN_OF(teller_arpc)) != TP_OK)
        abort();
    a->field[55] = buf_span(de55);
}

static void decide(struct teller *b, struct teller_record *r)
{
    static const char *const codes[TELLER_MOODS] = {
        [TELLER_APPROVES] = "00", [TELLER_REFUSES] = "51",  [TELLER_SLOW] = "00",
        [TELLER_MUTE] = "00",     [TELLER_GARBAGE] = "00",  [TELLER_OTHER] = "00",
        [TELLER_CUT] = "00",      [TELLER_NO_CODE] = "00",  [TELLER_SICK] = "96",
        [TELLER_PARTLY] = "10",   [TELLER_OWN_CODES] = "Y1"};

    r->mood = b->mood;
    if (b->seed != NULL && rand_r(b->seed) % 10 < 4)
        r->mood = (enum teller_mood)(rand_r(b->seed) % TELLER_MOODS);
    if (r->released) { /* its reversal came before it */
        snprintf(r->answer_code, sizeof(r->answer_code), "05");
        return;
    }
    snprintf(r->answer_code, sizeof(r->answer_code), "%s", codes[r->mood]);
    r->reserved = r->mood != TELLER_REFUSES && r->mood != TELLER_SICK;
    if (r->reserved)
        snprintf(r->approval, sizeof(r->approval), "A%05zu", b->records % 100000);
}

static void on_question(struct teller *b, struct link_peer *peer, const struct iso8583 *m)
{
    static struct iso8583 a;
    static const uint8_t nonsense[] = {0x01, 0x10, 0xFF, 0xFF, 0xFF};
    uint8_t room[64];
    struct buf de55 = BUF_OF(room);
    char rrn[13];
    uint64_t amount = 0;
    struct teller_record *r;

    if (iso8583_text(m, 37, rrn, sizeof(rrn)) != TP_OK || iso8583_number(m, 4, &amount) != TP_OK ||
        !iso8583_has(m, 55) || !iso8583_has(m, 14))
        abort();
    r = find_or_add(b, rrn);
    if (r->asked++ == 0) {
        r->amount = (int64_t)amount;
        decide(b, r);
    }
    start(&a, m, MTI_AUTHORISATION_RESPONSE);
    iso8583_set_text(&a, 39, r->answer_code);
    if (r->approval[0] != '\0' && r->mood != TELLER_NO_CODE)
        iso8583_set_text(&a, 38, r->approval);
    put_data(&a, &de55, r->answer_code);
    if (r->mood == TELLER_MUTE)
        return;
    if (r->mood == TELLER_GARBAGE) {
        link_send(peer, SPAN_OF(nonsense));
        return;
    }
    if (r->mood == TELLER_CUT && r->asked == 1) {
        link_peer_close(peer);
        return;
    }
    if (r->mood == TELLER_OTHER)
        iso8583_set_number(&a, 4, amount + 1);
    leave(b, peer, &a, r->mood == TELLER_SLOW ? b->slow_ms : 0);
}

static void on_reversal(struct teller *b, struct link_peer *peer, const struct iso8583 *m)
{
    static struct iso8583 a;
    char rrn[13], original[43];
    struct teller_record *r;

    if (iso8583_text(m, 37, rrn, sizeof(rrn)) != TP_OK ||
        iso8583_text(m, 90, original, sizeof(original)) != TP_OK ||
        strncmp(original, "0100", 4) != 0 || strncmp(original + 4, rrn + 6, 6) != 0)
        abort();
    r = find_or_add(b, rrn);
    r->told_back++;
    if (r->reserved && !r->released)
        r->releases++;
    r->released = true;
    if (b->deaf > 0) {
        b->deaf--;
        return;
    }
    start(&a, m, MTI_REVERSAL_RESPONSE);
    iso8583_set_text(&a, 39, "00");
    leave(b, peer, &a, 0);
}

static void on_message(void *ctx, struct link_peer *peer, void *user, struct span raw)
{
    struct teller *b = ctx;
    static struct iso8583 m, a;

    (void)user;
    if (iso8583_unpack(&m, raw, NULL) != TP_OK)
        abort();
    pthread_mutex_lock(&b->lock);
    if (m.mti == MTI_AUTHORISATION)
        on_question(b, peer, &m);
    else if (m.mti / 10 == 40)
        on_reversal(b, peer, &m);
    else if (m.mti == MTI_NETWORK) {
        b->echoes++;
        start(&a, &m, MTI_NETWORK_RESPONSE);
        iso8583_set_text(&a, 39, "00");
        leave(b, peer, &a, 0);
    }
    pthread_mutex_unlock(&b->lock);
}

static enum tp_err on_opened(void *ctx, struct link_peer *peer, const char *organisation,
                             const char *common_name, void **user)
{
    (void)ctx;
    (void)peer;
    (void)organisation;
    *user = NULL;
    return strcmp(common_name, "00000000042") == 0 ? TP_OK : TP_ERR_SECURITY;
}

static void on_closed(void *ctx, void *user)
{
    (void)ctx;
    (void)user;
}

/* ---- begin and end ---- */

static void *run_clock(void *ctx)
{
    struct teller *b = ctx;
    bool stop = false;

    while (!stop) {
        struct teller_late **at;

        usleep(2000);
        pthread_mutex_lock(&b->lock);
        stop = b->stop;
        for (at = &b->late; *at != NULL;) {
            struct teller_late *l = *at;

            if (!stop && l->at > time_monotonic_ms()) {
                at = &l->next;
                continue;
            }
            link_send(l->peer, span_of(l->bytes, l->n));
            link_peer_unref(l->peer);
            *at = l->next;
            free(l);
        }
        pthread_mutex_unlock(&b->lock);
    }
    return NULL;
}

static void *run_server(void *ctx)
{
    struct tp_error e = {TP_OK, ""};

    office_must(link_server_run(((struct teller *)ctx)->server, &e), &e, "link_server_run",
                __FILE__, __LINE__);
    return NULL;
}

static char *in_dir(const struct teller *b, const char *name)
{
    static __thread char paths[8][160];
    static __thread unsigned next;
    char *out = paths[next++ % 8];

    snprintf(out, sizeof(paths[0]), "%s/%s", b->office->dir, name);
    return out;
}

void teller_make(struct teller *b, const struct office *o)
{
    const struct pki_subject server = {NULL, "teller", "localhost,127.0.0.1"},
                             acquirer = {"acquirer", "00000000042", NULL};

    memset(b, 0, sizeof(*b));
    b->office = o;
    b->slow_ms = 100;
    snprintf(b->port, sizeof(b->port), "0");
    pthread_mutex_init(&b->lock, NULL);
    MUST(file_make_dir(in_dir(b, "teller"), 0700, &office_error));
    MUST(file_make_dir(in_dir(b, "issuers/teller"), 0700, &office_error));
    MUST(pki_authority_make(in_dir(b, "teller"), "Test bank", &office_error));
    MUST(pki_certificate_make(in_dir(b, "teller"), PKI_SERVER, &server, 30,
                              in_dir(b, "teller/server.pem"), in_dir(b, "teller/server.key"),
                              &office_error));
    MUST(pki_certificate_make(in_dir(b, "teller"), PKI_CLIENT, &acquirer, 30,
                              in_dir(b, "issuers/teller/acquirer.pem"),
                              in_dir(b, "issuers/teller/acquirer.key"), &office_error));
}

void teller_open(struct teller *b)
{
    const struct link_events events = {
        .ctx = b, .opened = on_opened, .message = on_message, .closed = on_closed};
    SSL_CTX *tls = NULL;
    char conf[512];

    MUST(pki_tls_context(&tls, PKI_SERVER, in_dir(b, "teller/ca.pem"),
                         in_dir(b, "teller/server.pem"), in_dir(b, "teller/server.key"),
                         &office_error));
    MUST(link_server_new(&b->server, "127.0.0.1", b->port, tls, 1, &events, &office_error));
    SSL_CTX_free(tls);
    link_server_limits(b->server)->drain_ms = 50;
    snprintf(b->port, sizeof(b->port), "%u", link_server_port(b->server));
    snprintf(conf, sizeof(conf),
             "[issuer]\nname = teller\nhost = 127.0.0.1\nport = %s\nacquirer = 00000000042\niins = "
             "4999 999014\nca = ../../teller/ca.pem\n"
             "certificate = acquirer.pem\nkey = acquirer.key\n",
             b->port);
    MUST(
        file_replace(in_dir(b, "issuers/teller/issuer.conf"), span_str(conf), 0600, &office_error));
    b->stop = false;
    if (pthread_create(&b->thread, NULL, run_server, b) != 0 ||
        pthread_create(&b->clock, NULL, run_clock, b) != 0)
        abort();
}

void teller_shut(struct teller *b)
{
    pthread_mutex_lock(&b->lock);
    b->stop = true;
    pthread_mutex_unlock(&b->lock);
    link_server_stop(b->server);
    pthread_join(b->thread, NULL);
    pthread_join(b->clock, NULL);
    link_server_free(&b->server);
}

void teller_clear(struct teller *b)
{
    pthread_mutex_destroy(&b->lock);
    free(b->record);
}

/* ---- looking ---- */

void teller_set(struct teller *b, enum teller_mood mood)
{
    pthread_mutex_lock(&b->lock);
    b->mood = mood;
    pthread_mutex_unlock(&b->lock);
}

bool teller_find(struct teller *b, const char *rrn, struct teller_record *out)
{
    struct teller_record *r;

    pthread_mutex_lock(&b->lock);
    r = find(b, rrn);
    if (r != NULL)
        *out = *r;
    pthread_mutex_unlock(&b->lock);
    return r != NULL;
}

size_t teller_count(struct teller *b)
{
    size_t n;

    pthread_mutex_lock(&b->lock);
    n = b->records;
    pthread_mutex_unlock(&b->lock);
    return n;
}

int64_t teller_reserved(struct teller *b)
{
    int64_t sum = 0;

    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < b->records; i++)
        if (b->record[i].reserved && !b->record[i].released)
            sum += b->record[i].amount;
    pthread_mutex_unlock(&b->lock);
    return sum;
}
