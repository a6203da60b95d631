#include "office.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acquirer/state.h"
#include "base/file.h"
#include "crypto/pki.h"
#include "ledger/audit.h"
#include "postgres.h"
#include "store/db.h"

struct tp_error office_error;

void office_must(enum tp_err r, const struct tp_error *e, const char *call, const char *file,
                 int line)
{
    if (r == TP_OK)
        return;
    fprintf(stderr, "%s:%d: %s: %s (%s)\n", file, line, call, tp_err_text(r),
            e->code == r ? e->text : "");
    abort();
}

static char *in_dir(const struct office *o, const char *name)
{
    static __thread char paths[8][128];
    static __thread unsigned next;
    char *out = paths[next++ % 8];

    snprintf(out, sizeof(paths[0]), "%s/%s", o->dir, name);
    return out;
}

static void make_books(struct office *o)
{
    char where[DB_WHERE_MAX];

    if (postgres_wanted()) {
        postgres_database(where, sizeof(where));
        MUST(db_where_set(o->dir, where, &office_error));
    }
    MUST(db_where(where, o->dir, ACQUIRER_BOOKS, &office_error));
    MUST(ledger_make(where, &office_error));
}

void office_make(struct office *o, const char *base, unsigned keys)
{
    const struct pki_subject server = {NULL, "telepay-acquirer", "localhost,127.0.0.1"};

    memset(o, 0, sizeof(*o));
    snprintf(o->dir, sizeof(o->dir), "%s/office.XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(o->dir) == NULL) {
        perror(o->dir);
        abort();
    }
    MUST(signer_make(&o->signer, keys, &office_error));
    MUST(file_make_dir(in_dir(o, "authorities"), 0700, &office_error));
    MUST(scheme_save_authority(o->signer.scheme, in_dir(o, "authorities/01.json"), &office_error));
    MUST(pki_server_make(o->dir, "Test acquirer", &server, 30, &office_error));
    MUST(seal_key_file_make(in_dir(o, "seal.key"), &office_error));
    make_books(o);
    office_contract(o, OFFICE_CONTRACT, OFFICE_TERMINAL);
}

void office_remove(struct office *o)
{
    char command[96];

    signer_clear(&o->signer);
    snprintf(command, sizeof(command), "rm -rf '%s'", o->dir);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", o->dir);
}

void office_contract(struct office *o, const char *contract, const char *terminal)
{
    struct ledger *l = NULL;
    struct contract c = {.name = "Librairie du Port",
                         .mcc = OFFICE_MCC,
                         .currency = 978,
                         .country = 250,
                         .floor = OFFICE_FLOOR,
                         .ceiling = OFFICE_CEILING,
                         .no_cvm = OFFICE_NO_CVM,
                         .credit_day = OFFICE_CREDITS,
                         .refund_alone = true,
                         .close_hour = 2200,
                         .open = true};

    snprintf(c.id, sizeof(c.id), "%s", contract);
    MUST(acquirer_open_ledger(&l, o->dir, &office_error));
    MUST(ledger_contract_add(l, &c, &office_error));
    ledger_close(&l);
    office_terminal(o, contract, terminal);
}

void office_terminal(struct office *o, const char *contract, const char *terminal)
{
    struct ledger *l = NULL;
    struct terminal t = {.capabilities = {0x20, 0x98, 0xC8}, .open = true};

    snprintf(t.contract, sizeof(t.contract), "%s", contract);
    snprintf(t.id, sizeof(t.id), "%s", terminal);
    place_serial(t.serial, contract, terminal);
    MUST(acquirer_open_ledger(&l, o->dir, &office_error));
    MUST(ledger_terminal_add(l, &t, &office_error));
    ledger_close(&l);
}

/* ---- the server ---- */

static void *run(void *ctx)
{
    struct tp_error e;

    office_must(link_server_run(acquirer_server_link(ctx), &e), &e, "link_server_run", __FILE__,
                __LINE__);
    return NULL;
}

void office_start(struct office *o, unsigned threads)
{
    MUST(acquirer_server_new(&o->server, o->dir, "127.0.0.1", "0", threads, &office_error));
    snprintf(o->port, sizeof(o->port), "%u", link_server_port(acquirer_server_link(o->server)));
    if (pthread_create(&o->thread, NULL, run, o->server) != 0)
        abort();
}

void office_stop(struct office *o)
{
    link_server_stop(acquirer_server_link(o->server));
    pthread_join(o->thread, NULL);
    acquirer_server_free(&o->server);
}

static void become_server(const struct office *o, int out, unsigned threads)
{
    const char *top = getenv("TESTS_BUILDDIR");
    char program[512], count[8];
    const int null = open("/dev/null", O_WRONLY);

    snprintf(program, sizeof(program), "%s/telepay-acquirer", top != NULL ? top : ".");
    snprintf(count, sizeof(count), "%u", threads);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that aborts leaves nothing behind */
    dup2(out, STDOUT_FILENO);
    if (getenv("OFFICE_LOG") == NULL)
        dup2(null, STDERR_FILENO);
    execl(program, program, "serve", "--dir", o->dir, "--listen", "127.0.0.1:0", "--threads", count,
          (char *)NULL);
    _exit(127);
}

void office_spawn(struct office *o, unsigned threads)
{
    int ends[2];
    char line[128];
    FILE *f;
    const char *colon;

    if (pipe2(ends, O_CLOEXEC) != 0)
        abort();
    o->pid = fork();
    if (o->pid == 0)
        become_server(o, ends[1], threads);
    close(ends[1]);
    f = fdopen(ends[0], "r");
    if (f == NULL || fgets(line, sizeof(line), f) == NULL || (colon = strrchr(line, ':')) == NULL) {
        fprintf(stderr, "telepay-acquirer serve does not start\n");
        abort();
    }
    snprintf(o->port, sizeof(o->port), "%d", atoi(colon + 1));
    fclose(f);
}

void office_kill(struct office *o, int number)
{
    int status;

    kill(o->pid, number);
    waitpid(o->pid, &status, 0);
    o->pid = 0;
}

/* ---- terminals ---- */

SSL_CTX *office_tls(const struct office *o, const char *contract, const char *terminal)
{
    const struct pki_subject subject = {contract, terminal, NULL};
    char cert[128], key[128];
    SSL_CTX *tls = NULL;

    snprintf(cert, sizeof(cert), "%s/%s-%s.pem", o->dir, contract, terminal);
    snprintf(key, sizeof(key), "%s/%s-%s.key", o->dir, contract, terminal);
    if (access(cert, R_OK) != 0)
        MUST(pki_certificate_make(in_dir(o, "pki"), PKI_CLIENT, &subject, 30, cert, key,
                                  &office_error));
    MUST(pki_tls_context(&tls, PKI_CLIENT, in_dir(o, "pki/ca.pem"), cert, key, &office_error));
    return tls;
}

struct link_client *office_connect(const struct office *o, const char *contract,
                                   const char *terminal)
{
    SSL_CTX *tls = office_tls(o, contract, terminal);
    struct link_client *c = NULL;

    MUST(link_connect(&c, "127.0.0.1", o->port, tls, 10000, &office_error));
    SSL_CTX_free(tls);
    return c;
}

enum tp_err office_send(struct office_answer *a, struct link_client *c, const struct iso8583 *m,
                        struct tp_error *e)
{
    uint8_t room[LINK_MESSAGE_MAX];
    struct buf out = BUF_OF(room), in = BUF_OF(a->raw);
    struct iso8583 answer;
    enum tp_err r;

    memset(a, 0, sizeof(*a));
    r = iso8583_pack(&out, m, e);
    if (r == TP_OK)
        r = link_exchange(c, buf_span(&out), &in, 10000, e);
    if (r != TP_OK)
        return r;
    a->n = in.n;
    MUST(iso8583_unpack(&answer, buf_span(&in), &office_error));
    a->mti = answer.mti;
    if (iso8583_has(&answer, 39))
        MUST(iso8583_text(&answer, 39, a->code, sizeof(a->code)));
    if (iso8583_has(&answer, 44))
        MUST(iso8583_text(&answer, 44, a->reason, sizeof(a->reason)));
    if (iso8583_has(&answer, 37))
        MUST(iso8583_text(&answer, 37, a->rrn, sizeof(a->rrn)));
    return TP_OK;
}

enum tp_err office_exchange(struct office_answer *a, struct link_client *c, struct made *m,
                            unsigned mti, struct tp_error *e)
{
    if (mti != 0)
        m->message.mti = mti;
    return office_send(a, c, &m->message, e);
}

/* ---- the books ---- */

static enum tp_err count(void *ctx, uint32_t sequence, const struct tx_record *tx,
                         struct tp_error *e)
{
    struct office_books *b = ctx;

    (void)sequence;
    (void)tx;
    (void)e;
    b->transactions++;
    return TP_OK;
}

void office_books(const struct office *o, struct office_books *b)
{
    const struct tx_filter all = {OFFICE_CONTRACT, -1, -1};
    struct ledger *l = NULL;
    struct remise r;

    memset(b, 0, sizeof(*b));
    MUST(acquirer_open_ledger(&l, o->dir, &office_error));
    MUST(ledger_tx_each(l, &all, count, b, &office_error));
    MUST(ledger_remise_running(l, OFFICE_CONTRACT, &r, &office_error));
    b->totals = r.totals;
    ledger_close(&l);
}

static enum tp_err no_finding(void *ctx, const struct audit_finding *f, struct tp_error *e)
{
    (void)ctx;
    (void)e;
    fprintf(stderr, "audit: %s %s: %s\n", f->check, f->rrn, f->text);
    abort();
}

static enum tp_err any_remise(void *ctx, const struct audit_remise *r, struct tp_error *e)
{
    (void)ctx;
    (void)r;
    (void)e;
    return TP_OK;
}

void office_audit(const struct office *o)
{
    static const struct audit_watch watch = {NULL, no_finding, any_remise};
    struct ledger *l = NULL;
    struct audit_sums sums;

    MUST(acquirer_open_ledger(&l, o->dir, &office_error));
    MUST(acquirer_audit_books(l, o->dir, &watch, &sums, &office_error));
    ledger_close(&l);
}
