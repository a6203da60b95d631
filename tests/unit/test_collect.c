/* The small parts of the collection: the enciphered spool, the rules of refusal, the hour of a
 * contract. */
#include "../tools/damage.h"
#include "store/schema.h"
#include "unit.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/guests.h"
#include "centre/refuse.h"
#include "acquirer/collecting.h"
#include "wire/spool.h"
#include "centre/store.h"
#include "crypto/seal.h"
#include "store/db.h"

static char dir[] = "/tmp/test_collect.XXXXXX";

static void setup(void)
{
    strcpy(dir, "/tmp/test_collect.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
    rmdir(dir); /* it is empty: a spool leaves no name */
    ck_assert_int_ne(access(dir, F_OK), 0);
}

/* FIPS 180-2, B.3: SHA-256 of a million times "a". */
START_TEST(a_spool_gives_back_what_it_took)
    {
        uint8_t piece[1000], got[70000], hash[SPOOL_HASH];
        struct spool *s;
        struct tp_error e;
        size_t n, all;

        memset(piece, 'a', sizeof(piece));
        ck_ok(spool_new(&s, dir, &e));
        for (unsigned i = 0; i < 1000; i++)
            ck_ok(spool_write(s, SPAN_OF(piece)));
        ck_ok(spool_finish(s, hash));
        ck_hex(SPAN_OF(hash), "CDC76E5C9914FB9281A1C7E284D73E67F1809A48A497200E046D39CCC7112CD0");
        ck_assert_uint_eq(spool_size(s), 1000000);
        for (unsigned turn = 0; turn < 2; turn++) {
            ck_ok(spool_rewind(s));
            for (all = 0;; all += n) {
                ck_ok(spool_read(s, got, turn == 0 ? 777 : sizeof(got), &n));
                if (n == 0)
                    break;
                ck_assert(got[0] == 'a' && memcmp(got, got + 1, n - 1) == 0);
            }
            ck_assert_uint_eq(all, 1000000);
        }
        spool_free(&s);
        ck_assert_ptr_null(s);
    }
END_TEST

START_TEST(a_spool_needs_its_folder)
    {
        struct spool *s;
        struct tp_error e;

        ck_assert_int_eq(spool_new(&s, "/nonexistent/folder", &e), TP_ERR_IO);
        ck_assert_ptr_null(s);
        ck_assert_ptr_nonnull(strstr(e.text, "/nonexistent/folder"));
    }
END_TEST

static enum tp_err rules(struct refuse **r, const char *text, struct tp_error *e)
{
    char path[64];
    FILE *f;
    enum tp_err err;

    snprintf(path, sizeof(path), "%s/rules", dir);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
    err = refuse_load(r, path, e);
    unlink(path);
    return err;
}

START_TEST(refusals_by_order)
    {
        static const char *const bad[] = {"A 1 2\n",
                                          "A 1 2 X Y\n",
                                          "A 0 2 X\n",
                                          "A 1x 2 X\n",
                                          "A 1 -2 X\n",
                                          "word X\n",
                                          "A 1 2 REASON_THAT_IS_LONGER_THAN_35_CHARACTERS_\n"};
        struct caaa_item item = {.sequence = 3, .pan = "9990140000000015"};
        struct refuse *r = NULL;
        struct tp_error e;

        ck_ok(rules(
            &r, "# all\n\nC1 7 3 OPPOSITION # the one\nC2 * 9 CEILING\n476173******0010 STOLEN\n",
            &e));
        ck_assert_str_eq(refuse_item(r, "C1", 7, &item), "OPPOSITION");
        ck_assert_ptr_null(refuse_item(r, "C1", 8, &item));
        ck_assert_ptr_null(refuse_item(r, "C2", 7, &item));
        item.sequence = 9;
        ck_assert_ptr_null(refuse_item(r, "C1", 7, &item));
        ck_assert_str_eq(refuse_item(r, "C2", 123, &item), "CEILING");
        strcpy(item.pan, "4761739001010010");
        ck_assert_str_eq(refuse_item(r, "C9", 1, &item), "STOLEN");
        ck_assert_ptr_null(refuse_item(NULL, "C9", 1, &item));
        refuse_free(&r);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            ck_assert_msg(rules(&r, bad[i], &e) == TP_ERR_FORMAT, "%s is taken", bad[i]);
            ck_assert_ptr_nonnull(strstr(e.text, "line 1"));
        }
        ck_assert_int_eq(refuse_load(&r, "/nonexistent", &e), TP_ERR_NOT_FOUND);
    }
END_TEST

/* Times by date -u -d @…: 1795426200 is Monday 2026-11-23 09:30 UTC. */
START_TEST(the_hour_of_a_contract)
    {
        const time_t now = 1795426200, hour = 3600, day = 86400;

        setenv("TZ", "UTC", 1);
        tzset();
        ck_assert(
            !collecting_hour_came(now - 60, 2230, now)); /* paid today, tonight's hour is to come */
        ck_assert(collecting_hour_came(now - 12 * hour, 2230, now)); /* paid yesterday 21:30 */
        ck_assert(!collecting_hour_came(now - 10 * hour, 2230,
                                        now)); /* paid yesterday 23:30, after the hour */
        ck_assert(collecting_hour_came(now - 60, 930, now)); /* it strikes */
        ck_assert(!collecting_hour_came(now, 930,
                                        now)); /* what comes with the stroke is the next day's */
        ck_assert(!collecting_hour_came(now - 60, 931, now));
        ck_assert(collecting_hour_came(now - 3 * day, 931, now));
        setenv("TZ", "Europe/Paris", 1);
        tzset();
        ck_assert(collecting_hour_came(now - 60, 1030, now)); /* 10:30 in Paris */
        ck_assert(!collecting_hour_came(now - 60, 1031, now));
    }
END_TEST

/* ---- the centre's books ---- */

/* The books as the first version made them, with one remise of one card: its counter is 17, its
 * cryptogram AABBCCDDEEFF0011. */
static const char first_books[] =
    "CREATE TABLE acquirer (acquirer INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, added INTEGER "
    "NOT NULL);"
    "CREATE TABLE contract (contract INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, acquirer "
    "INTEGER NOT NULL REFERENCES acquirer);"
    "CREATE TABLE remise ("
    "  remise INTEGER PRIMARY KEY,"
    "  contract INTEGER NOT NULL REFERENCES contract,"
    "  number INTEGER NOT NULL CHECK (number > 0),"
    "  hash BLOB NOT NULL CHECK (length(hash) = 32),"
    "  bytes INTEGER NOT NULL,"
    "  currency INTEGER NOT NULL,"
    "  result INTEGER NOT NULL CHECK (result BETWEEN 0 AND 2)," /* enum caaa_result */
    "  reason TEXT NOT NULL,"
    "  text TEXT NOT NULL,"
    "  created INTEGER NOT NULL,"
    "  answered INTEGER NOT NULL,"
    "  debits INTEGER NOT NULL, debit_amount INTEGER NOT NULL,"
    "  credits INTEGER NOT NULL, credit_amount INTEGER NOT NULL,"
    "  reversals INTEGER NOT NULL, reversal_amount INTEGER NOT NULL," /* of debits, as said */
    "  refused INTEGER NOT NULL,"
    "  UNIQUE (contract, number));"
    "CREATE TABLE item ("
    "  remise INTEGER NOT NULL REFERENCES remise,"
    "  sequence INTEGER NOT NULL,"
    "  terminal TEXT NOT NULL, rrn TEXT NOT NULL, stan INTEGER NOT NULL, local_time INTEGER NOT "
    "NULL,"
    "  kind INTEGER NOT NULL, amount INTEGER NOT NULL,"
    "  psn INTEGER NOT NULL, expiry INTEGER NOT NULL, pan_masked TEXT NOT NULL, pan_sealed BLOB "
    "NOT NULL,"
    "  icc BLOB NOT NULL,"
    "  refused TEXT NOT NULL," /* the reason; '' when accepted */
    "  PRIMARY KEY (remise, sequence)) WITHOUT ROWID;"
    "CREATE INDEX item_rrn ON item (rrn);"
    "CREATE INDEX item_refused ON item (remise, sequence) WHERE refused <> '';"
    "CREATE TABLE alarm (alarm INTEGER PRIMARY KEY, at INTEGER NOT NULL, contract TEXT NOT NULL, "
    "number INTEGER NOT NULL, text TEXT NOT NULL);"
    "PRAGMA user_version = 1;";
static const char icc[] = "\x9F\x36\x02\x00\x11\x9F\x26\x08\xAA\xBB\xCC\xDD\xEE\xFF\x00\x11";
#define PAN "9990140000000015"

static void hex_of(char *out, struct span bytes)
{
    for (size_t i = 0; i < bytes.n; i++)
        sprintf(out + 2 * i, "%02X", bytes.p[i]);
}

/* The card's number under the folder's key and what the card said, in hex. */
static void seal_row(char number[200], char data[64])
{
    char key[64];
    uint8_t raw[64];
    struct buf sealed = BUF_OF(raw);
    struct seal *seal;
    struct tp_error e;

    snprintf(key, sizeof(key), "%s/seal.key", dir);
    ck_ok(seal_open_file(&seal, key, &e));
    ck_ok(seal_close(seal, &sealed, span_str(PAN), span_str("000000000000123/1/1")));
    seal_free(&seal);
    hex_of(number, buf_span(&sealed));
    hex_of(data, span_of(icc, sizeof(icc) - 1));
}

static void make_old_books(void)
{
    char path[64], sql[1024], number[200], data[64];
    struct tp_error e;

    snprintf(path, sizeof(path), "%s/seal.key", dir);
    ck_ok(seal_key_file_make(path, &e));
    seal_row(number, data);
    snprintf(path, sizeof(path), "%s/centre.db", dir);
    damage(path, first_books);
    snprintf(sql, sizeof(sql),
             "INSERT INTO acquirer VALUES (1, 'ONE', 1), (2, 'TWO', 1);"
             "INSERT INTO contract VALUES (1, '000000000000123', 1);"
             "INSERT INTO remise VALUES (1, 1, 1, zeroblob(32), 9, 978, 0, '', '', 1, 2, 1, 500, "
             "0, 0, 0, 0, 0);"
             "INSERT INTO item VALUES (1, 1, '00000001', '000000000001', 1, 20261101120000, 0, "
             "500, 1, 20301231, '', x'%s', x'%s', '');",
             number, data);
    damage(path, sql);
    ck_assert_int_eq(chmod(path, 0600), 0);
}

static void make_first_books(void)
{
    char path[64], copy[512];
    struct centre_store *s = NULL;
    struct tp_error e;

    make_old_books();
    ck_assert_int_eq(centre_store_open(&s, dir, &e), TP_ERR_STATE);
    ck_assert_ptr_nonnull(strstr(e.text, "run telepay-centre upgrade"));
    snprintf(path, sizeof(path), "%s/centre.db", dir);
    ck_ok(db_upgrade(path, &centre_schema, copy, NULL, NULL, &e));
    ck_assert_int_eq(unlink(copy), 0);
}

/* The same in a new database, made by today's programs. */
static void make_books_on_a_server(void)
{
    static const char rows[] =
        "INSERT INTO acquirer VALUES (1, 'ONE', 1), (2, 'TWO', 1);"
        "INSERT INTO contract VALUES (1, '000000000000123', 1, 1, NULL);"
        "INSERT INTO remise VALUES (1, 1, 1, decode(repeat('00', 32), 'hex'), 9, 978, 0, '', '', "
        "1, 2, 1, 500, 0, 0, 0, 0, 0);"
        "INSERT INTO item VALUES (1, 1, '00000001', '000000000001', 1, 20261101120000, 0, 500, 1, "
        "20301231, '', decode('%s', 'hex'), decode('%s', 'hex'), '');"
        "SELECT setval(pg_get_serial_sequence(t, t), n) FROM (VALUES ('acquirer', 2), "
        "('contract', 1), ('remise', 1)) AS made (t, n)";
    char url[256], sealed[200], data[64], sql[1024];
    struct tp_error e;

    postgres_database(url, sizeof(url));
    ck_ok(centre_store_make(dir, url, &e));
    seal_row(sealed, data);
    snprintf(sql, sizeof(sql), rows, sealed, data);
    damage(url, sql);
}

static void make_books(void)
{
    if (postgres_wanted())
        make_books_on_a_server();
    else
        make_first_books();
}

static void empty_dir(void)
{
    static const char *const names[] = {"centre.db", "centre.db-wal", "centre.db-shm", "seal.key",
                                        DB_WHERE_FILE};
    char path[64];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
}

/* A new file and one that was brought up have the same columns. */
START_TEST(books_brought_up_are_as_new_ones)
    {
        static const char columns[] =
            "SELECT m.name || '.' || p.name || ' ' || p.type || p.pk FROM sqlite_schema m JOIN "
            "pragma_table_info(m.name) p WHERE m.type = 'table' ORDER BY 1";
        char command[512], old[64], fresh[64];
        struct tp_error e;

        make_first_books();
        snprintf(old, sizeof(old), "%s/centre.db", dir);
        snprintf(fresh, sizeof(fresh), "%s/fresh", dir);
        ck_assert_int_eq(mkdir(fresh, 0700), 0);
        ck_ok(centre_store_make(fresh, NULL, &e));
        snprintf(command, sizeof(command),
                 "bash -c 'cmp <(sqlite3 %s \"$1\") <(sqlite3 %s/centre.db \"$1\")' - \"%s\"", old,
                 fresh, columns);
        ck_assert_int_eq(system(command), 0);
        snprintf(command, sizeof(command), "rm -r %s", fresh);
        ck_assert_int_eq(system(command), 0);
        empty_dir();
    }
END_TEST

static bool taken(struct centre_store *s, const char *pan, uint8_t psn, const char *de55)
{
    struct caaa_item item = {.psn = psn,
                             .terminal = "00000009",
                             .rrn = "999999999999",
                             .local_time = 20261102120000,
                             .icc = span_of(de55, sizeof(icc) - 1)};
    struct tp_error e;
    bool before = false;

    snprintf(item.pan, sizeof(item.pan), "%s", pan);
    ck_ok(centre_taken_before(s, &item, NULL, &before, &e));
    return before;
}

START_TEST(cards_in_the_first_books_are_known)
    {
        struct centre_remise remise = {.acquirer = "TWO",
                                       .contract = "000000000000456",
                                       .number = 1,
                                       .currency = currency_by_numeric(978)};
        struct centre_store *s;
        struct tp_error e;
        char other[sizeof(icc)], before[CAAA_ID_MAX];

        make_books();
        for (unsigned turn = 0; turn < 2; turn++) { /* the second finds it done */
            ck_ok(centre_store_open(&s, dir, &e));
            ck_ok(centre_take_begin(s, &e));
            ck_ok(centre_take_open(s, &remise, &e));
            ck_assert(
                taken(s, PAN, 1, icc)); /* another acquirer, contract, terminal and reference */
            ck_assert(!taken(s, PAN, 2, icc));
            ck_assert(!taken(s, "9990140000000023", 1, icc));
            memcpy(other, icc, sizeof(icc));
            other[4] = 0x12;
            ck_assert(!taken(s, PAN, 1, other));
            memcpy(other, icc, sizeof(icc));
            other[15] = 0x12;
            ck_assert(!taken(s, PAN, 1, other));
            centre_take_rollback(s);
            ck_ok(centre_contract_owner(s, "000000000000123", before, &e));
            ck_assert_str_eq(before, "ONE");
            centre_store_close(&s);
        }
        empty_dir();
    }
END_TEST

START_TEST(a_contract_changes_hands_and_its_remises_do_not)
    {
        struct centre_remise remise = {.acquirer = "TWO",
                                       .contract = "000000000000123",
                                       .number = 1,
                                       .currency = currency_by_numeric(978)};
        struct centre_remise got;
        struct centre_store *s;
        struct tp_error e;
        char before[CAAA_ID_MAX];
        uint32_t last;

        make_books();
        ck_ok(centre_store_open(&s, dir, &e));
        ck_assert_int_eq(centre_contract_assign(s, "000000000000123", "NOBODY", before, &e),
                         TP_ERR_NOT_FOUND);
        ck_ok(centre_take_begin(s, &e));
        ck_assert_int_eq(centre_take_open(s, &remise, &e), TP_ERR_NOT_FOUND); /* it is another's */
        centre_take_rollback(s);
        ck_ok(centre_contract_assign(s, "000000000000123", "TWO", before, &e));
        ck_assert_str_eq(before, "ONE");
        ck_ok(centre_last_number(s, "000000000000123", &last, &e));
        ck_assert_uint_eq(last, 0);
        ck_ok(centre_take_begin(s, &e));
        ck_ok(centre_take_open(s, &remise, &e));
        ck_ok(centre_take_commit(s, &e));
        ck_ok(centre_remise_get(s, NULL, "000000000000123", 1, &got, &e));
        ck_assert_str_eq(got.acquirer, "TWO");
        ck_ok(centre_remise_get(s, "ONE", "000000000000123", 1, &got, &e));
        ck_assert_int_eq(got.totals.amount[CAAA_DEBIT], 500);
        ck_ok(centre_contract_assign(s, "000000000000123", "ONE", before, &e)); /* and back */
        ck_assert_str_eq(before, "TWO");
        ck_ok(centre_last_number(s, "000000000000123", &last, &e));
        ck_assert_uint_eq(last, 1);
        centre_store_close(&s);
        empty_dir();
    }
END_TEST

static bool is_ended(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

/* One acquirer, however many connections it holds, leaves room for the others. */
START_TEST(a_quarter_of_the_room_is_the_most_of_one_name)
    {
        struct guests *g;
        struct guest *all[9];
        int pair[9][2];
        struct tp_error e;

        ck_ok(guests_new(&g, 32, &e));
        for (size_t i = 0; i < 9; i++) {
            ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair[i]), 0);
            all[i] = guests_arrive(g, pair[i][0], 60);
            ck_assert_ptr_nonnull(all[i]);
        }
        guests_named(g, all[8], "00000000002");
        for (size_t i = 0; i < 8; i++) {
            guests_named(g, all[i], "00000000001");
            guests_named(g, all[i], "00000000001"); /* its next request */
        }
        for (size_t i = 0; i < 9; i++)
            ck_assert(!is_ended(pair[i][1]));
        int more[2];
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, more), 0);
        struct guest *one = guests_arrive(g, more[0], 60);

        guests_named(g, one, "00000000001");
        ck_assert(is_ended(pair[0][1]));
        for (size_t i = 1; i < 9; i++)
            ck_assert(!is_ended(pair[i][1]));
        ck_assert(!is_ended(more[1]));
        guests_leave(g, one);
        for (size_t i = 0; i < 9; i++) {
            guests_leave(g, all[i]);
            close(pair[i][0]);
            close(pair[i][1]);
        }
        close(more[0]);
        close(more[1]);
        guests_free(&g);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("collect");
    TCase *t = tcase_create("collect");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_spool_gives_back_what_it_took);
    tcase_add_test(t, a_spool_needs_its_folder);
    tcase_add_test(t, a_quarter_of_the_room_is_the_most_of_one_name);
    tcase_add_test(t, refusals_by_order);
    tcase_add_test(t, the_hour_of_a_contract);
    tcase_add_test(t, cards_in_the_first_books_are_known);
    if (!postgres_wanted()) /* there were files alone */
        tcase_add_test(t, books_brought_up_are_as_new_ones);
    tcase_add_test(t, a_contract_changes_hands_and_its_remises_do_not);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
