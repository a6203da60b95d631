/* The state file: whatever is cut off or damaged, what opens is the old state or the new one, never
 * an older ATC than was promised. */
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "simcard/state.h"
#include "unit.h"

#define FILE_SIZE 8192
#define SLOT_SIZE                                                                                  \
    262 /* of a state without changed records, what is written at once; checked below */

static void make_dir(char dir[64])
{
    snprintf(dir, 64, "%s", "/tmp/telepay-state-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void path_of(char path[80], const char *dir)
{
    snprintf(path, 80, "%s/state", dir);
}

static void drop_dir(const char *dir)
{
    char path[80];

    path_of(path, dir);
    unlink(path);
    ck_assert_int_eq(rmdir(dir), 0);
}

static void read_file(const char *dir, uint8_t out[FILE_SIZE])
{
    char path[80];
    uint8_t *data;
    size_t n;
    struct tp_error e;

    path_of(path, dir);
    ck_ok(file_read(path, FILE_SIZE, &data, &n, &e));
    ck_assert_uint_eq(n, FILE_SIZE);
    memcpy(out, data, n);
    free(data);
}

static void write_file(const char *dir, const uint8_t raw[FILE_SIZE])
{
    char path[80];

    path_of(path, dir);
    const int fd = open(path, O_WRONLY | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq((int)pwrite(fd, raw, FILE_SIZE, 0), FILE_SIZE);
    close(fd);
}

static void start(char dir[64])
{
    const struct card_state fresh = {.pin_tries = 3};
    struct tp_error e;

    make_dir(dir);
    ck_ok(state_make(dir, &fresh, &e));
}

START_TEST(what_is_written_comes_back)
    {
        char dir[64];
        struct state_store *st;
        struct card_state s, again;
        struct tp_error e;

        start(dir);
        ck_assert_int_eq(state_make(dir, &(struct card_state){.pin_tries = 3}, &e), TP_ERR_EXISTS);
        ck_ok(state_open(&st, &s, dir, &e));
        ck_assert_uint_eq(s.pin_tries, 3);
        s = (struct card_state){.atc = 0x1234,
                                .last_online_atc = 0x0102,
                                .pin_tries = 2,
                                .flags = STATE_ONLINE_PENDING,
                                .offline_count = 7,
                                .logged = 9};
        memset(s.log, 0xA5, sizeof(s.log));
        ck_ok(state_write(st, &s, STATE_SYNC));
        state_close(&st);
        ck_ok(state_open(&st, &again, dir, &e));
        ck_assert_int_eq(memcmp(&s, &again, sizeof(s)), 0);
        s.atc++;
        ck_ok(state_write(st, &s, STATE_SOON));
        ck_ok(state_peek(&again, dir, &e));
        ck_assert_uint_eq(again.atc, 0x1235);
        state_close(&st);
        drop_dir(dir);
    }
END_TEST

START_TEST(one_reader_at_a_time)
    {
        char dir[64];
        struct state_store *st, *other;
        struct card_state s;
        struct tp_error e;

        start(dir);
        ck_ok(state_open(&st, &s, dir, &e));
        ck_assert_int_eq(state_open(&other, &s, dir, &e), TP_ERR_STATE);
        ck_assert_ptr_nonnull(strstr(e.text, "in use"));
        state_close(&st);
        ck_ok(state_open(&other, &s, dir, &e));
        state_close(&other);
        drop_dir(dir);
        ck_assert_int_eq(state_open(&st, &s, dir, &e), TP_ERR_NOT_FOUND);
    }
END_TEST

/* From a file before and after one write, every state that a write cut off after k bytes (of the
 * slot) leaves. */
START_TEST(a_write_torn_at_any_byte)
    {
        static uint8_t before[FILE_SIZE], after[FILE_SIZE], torn[FILE_SIZE];
        char dir[64];
        struct state_store *st;
        struct card_state s, got;
        struct tp_error e;

        start(dir);
        for (int round = 0; round < 4; round++) {
            size_t first = FILE_SIZE, last = 0;

            ck_ok(state_open(&st, &s, dir, &e));
            read_file(dir, before);
            s.atc++;
            s.pin_tries = (uint8_t)(3 - round % 3);
            memset(s.log, 0x11 * (round + 1), sizeof(s.log));
            ck_ok(state_write(st, &s, STATE_SYNC));
            state_close(&st);
            read_file(dir, after);
            for (size_t i = 0; i < FILE_SIZE; i++)
                if (before[i] != after[i]) {
                    first = i < first ? i : first;
                    last = i;
                }
            ck_assert_uint_lt(last - first, SLOT_SIZE); /* one slot only */
            for (size_t k = first; k <= last + 1; k++) {
                memcpy(torn, before, FILE_SIZE);
                memcpy(torn, after, k);
                write_file(dir, torn);
                ck_ok(state_peek(&got, dir, &e));
                ck_assert_msg(got.atc == s.atc || got.atc == s.atc - 1, "ATC %u after a cut at %zu",
                              got.atc, k);
                if (k <= last)
                    ck_assert_uint_eq(got.atc, s.atc - 1); /* and is seen as not written */
                memset(torn + first, 0xFF,
                       k - first); /* a sector of an SSD may come back as anything */
                write_file(dir, torn);
                ck_ok(state_peek(&got, dir, &e));
                ck_assert_uint_eq(got.atc, s.atc - 1);
            }
            write_file(dir, after);
        }
        drop_dir(dir);
    }
END_TEST

/* STATE_SOON may be lost with the machine's power; the last STATE_SYNC may not, whatever becomes of
 * the slot written since. */
START_TEST(soon_never_touches_what_is_durable)
    {
        static uint8_t raw[FILE_SIZE], synced[FILE_SIZE];
        char dir[64];
        struct state_store *st;
        struct card_state s, got;
        struct tp_error e;

        start(dir);
        ck_ok(state_open(&st, &s, dir, &e));
        for (int i = 0; i < 6; i++) {
            size_t slot;

            s.atc++;
            ck_ok(state_write(st, &s, STATE_SYNC));
            read_file(dir, synced);
            s.offline_count++;
            for (int soon = 0; soon < 3; soon++)
                ck_ok(state_write(st, &s, STATE_SOON));
            read_file(dir, raw);
            slot = memcmp(raw, synced, 4096) != 0 ? 0 : 4096;
            ck_assert_int_eq(memcmp(raw + 4096 - slot, synced + 4096 - slot, 4096), 0);
            memset(raw + slot, 0, SLOT_SIZE);
            write_file(dir, raw);
            ck_ok(state_peek(&got, dir, &e));
            ck_assert_uint_eq(got.atc, s.atc);
        }
        state_close(&st);
        drop_dir(dir);
    }
END_TEST

START_TEST(both_slots_damaged)
    {
        static uint8_t raw[FILE_SIZE];
        char dir[64];
        struct state_store *st;
        struct card_state s;
        struct tp_error e;

        start(dir);
        read_file(dir, raw);
        raw[20] ^= 1;
        raw[4096 + 20] ^= 1;
        write_file(dir, raw);
        ck_assert_int_eq(state_open(&st, &s, dir, &e),
                         TP_ERR_FORMAT); /* refused: an ATC must not start again */
        drop_dir(dir);
    }
END_TEST

/* ---- versions ---- */

/* A file as telepay 0.1 wrote it, byte for byte by its layout: magic, sequence, ATC, last online
 * ATC, PIN tries, flags, TCs offline, entries logged, ten of 17 bytes, SHA-256. */
static void put_old_slot(uint8_t *slot, uint8_t sequence, uint8_t atc)
{
    static const uint8_t head[] = {'T',  'P',  'C',  'S',  0,    0,    0, 0, 0x12, 0x00,
                                   0x01, 0x02, 0x02, 0x03, 0x00, 0x07, 0, 0, 0,    0x0B};

    memcpy(slot, head, sizeof(head));
    slot[7] = sequence;
    slot[9] = atc;
    memset(slot + sizeof(head), 0xA5, 170);
    ck_assert_int_eq(EVP_Q_digest(NULL, "SHA256", NULL, slot, sizeof(head) + 170,
                                  slot + sizeof(head) + 170, NULL),
                     1);
}

START_TEST(a_file_of_version_1_is_brought_up)
    {
        static uint8_t raw[FILE_SIZE];
        char dir[64];
        struct state_store *st;
        struct card_state s, again;
        struct tp_error e;

        start(dir);
        memset(raw, 0, sizeof(raw));
        put_old_slot(raw, 8, 0x33);
        put_old_slot(raw + 4096, 9, 0x34);
        write_file(dir, raw);
        ck_ok(state_peek(&s, dir, &e));
        ck_assert_uint_eq(s.atc, 0x1234);
        read_file(dir, raw);
        ck_assert_int_eq(memcmp(raw, "TPCS", 4), 0); /* looking changes nothing */
        ck_ok(state_open(&st, &s, dir, &e));
        ck_assert_uint_eq(s.atc, 0x1234);
        ck_assert_uint_eq(s.last_online_atc, 0x0102);
        ck_assert_uint_eq(s.pin_tries, 2);
        ck_assert_uint_eq(s.flags, STATE_APP_BLOCKED | STATE_ONLINE_PENDING);
        ck_assert_uint_eq(s.offline_count, 7);
        ck_assert_uint_eq(s.logged, 11);
        ck_assert_uint_eq(s.log[9][16], 0xA5);
        ck_assert_uint_eq(s.offline_amount, 0);
        ck_assert_uint_eq(s.changed_n, 0);
        read_file(dir, raw); /* nothing of version 1 is left for an old telepay to go on from */
        ck_assert_int_ne(memcmp(raw, "TPCS", 4), 0);
        ck_assert_int_ne(memcmp(raw + 4096, "TPCS", 4), 0);
        s.atc++;
        ck_ok(state_write(st, &s, STATE_SYNC));
        state_close(&st);
        ck_ok(state_open(&st, &again, dir, &e));
        ck_assert_int_eq(memcmp(&s, &again, sizeof(s)), 0);
        state_close(&st);
        drop_dir(dir);
    }
END_TEST

/* One slot of a later version is enough: the older one beside it may hold an ATC that was used
 * since. */
START_TEST(a_later_version_is_refused)
    {
        for (size_t slot = 0; slot < 2; slot++) {
            static uint8_t raw[FILE_SIZE];
            char dir[64];
            struct state_store *st;
            struct card_state s;
            struct tp_error e;

            start(dir);
            read_file(dir, raw);
            memcpy(raw + slot * 4096, "TPS3", 4);
            write_file(dir, raw);
            ck_assert_int_eq(state_open(&st, &s, dir, &e), TP_ERR_FORMAT);
            ck_assert_ptr_nonnull(strstr(e.text, "later telepay"));
            ck_assert_int_eq(state_peek(&s, dir, &e), TP_ERR_FORMAT);
            drop_dir(dir);
        }
    }
END_TEST

/* ---- what the issuer changed ---- */

static void check_changed(const struct card_state *s, uint8_t sfi, uint8_t number, struct span want)
{
    struct span in = {s->changed, s->changed_n}, record;
    uint8_t got_sfi, got_number;
    size_t found = 0;

    while (state_changed_next(&in, &got_sfi, &got_number, &record) == TP_OK)
        if (got_sfi == sfi && got_number == number) {
            ck_assert(span_eq(record, want));
            found++;
        }
    ck_assert_uint_eq(found, 1);
}

START_TEST(changed_records_and_all_else_come_back)
    {
        char dir[64];
        struct state_store *st;
        struct card_state s, again;
        struct tp_error e;
        uint8_t record[254];

        start(dir);
        ck_ok(state_open(&st, &s, dir, &e));
        s.flags = STATE_PIN_CHANGED | STATE_LIMITS_SET | STATE_GO_ONLINE;
        s.offline_amount = 999999999999;
        s.limits = (struct state_limits){123456789012, 999999999999, 0x1234, 0xFFFF};
        memcpy(s.pin_block, "\x24\x98\x76\xFF\xFF\xFF\xFF\xFF", 8);
        s.scripts = 15;
        memset(record, 0x11, sizeof(record));
        ck_ok(state_change(&s, 1, 1, SPAN_OF(record)));
        ck_ok(state_change(&s, 2, 1, span_of(record, 3)));
        memset(record, 0x22, sizeof(record));
        ck_ok(state_change(&s, 1, 1, span_of(record, 100))); /* shorter than before */
        check_changed(&s, 1, 1, span_of(record, 100));
        ck_ok(state_write(st, &s, STATE_SYNC));
        state_close(&st);
        ck_ok(state_open(&st, &again, dir, &e));
        ck_assert_uint_eq(again.changed_n, (3 + 100) + (3 + 3));
        again = (struct card_state){0};
        ck_ok(state_peek(&again, dir, &e));
        ck_assert_int_eq(memcmp(again.changed, s.changed, s.changed_n), 0);
        ck_assert_uint_eq(again.flags, s.flags);
        ck_assert_uint_eq(again.scripts, 15);
        ck_assert_uint_eq(again.offline_amount, s.offline_amount);
        ck_assert_int_eq(memcmp(&again.limits, &s.limits, sizeof(s.limits)), 0);
        ck_assert_int_eq(memcmp(again.pin_block, s.pin_block, 8), 0);
        state_close(&st);
        drop_dir(dir);
    }
END_TEST

START_TEST(a_full_card)
    {
        char dir[64];
        struct state_store *st;
        struct card_state s, before;
        struct tp_error e;
        uint8_t record[254];
        uint8_t n = 0;

        start(dir);
        ck_ok(state_open(&st, &s, dir, &e));
        memset(record, 0x33, sizeof(record));
        do {
            before = s;
            n++;
        } while (state_change(&s, 1, n, SPAN_OF(record)) == TP_OK);
        ck_assert_uint_eq(n, STATE_CHANGED_MAX / 257 + 1);
        ck_assert_int_eq(memcmp(&s, &before, sizeof(s)), 0);
        record[0] = 0x44;
        ck_ok(state_change(&s, 1, 1,
                           SPAN_OF(record))); /* in place of what was there: no more room taken */
        ck_ok(state_write(st, &s, STATE_SYNC));
        ck_ok(state_write(st, &s, STATE_SYNC));
        state_close(&st);
        ck_ok(state_open(&st, &before, dir, &e));
        ck_assert_int_eq(memcmp(&s, &before, sizeof(s)), 0);
        state_close(&st);
        drop_dir(dir);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("card_state");
    TCase *t = tcase_create("card_state");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, what_is_written_comes_back);
    tcase_add_test(t, one_reader_at_a_time);
    tcase_add_test(t, a_write_torn_at_any_byte);
    tcase_add_test(t, soon_never_touches_what_is_durable);
    tcase_add_test(t, both_slots_damaged);
    tcase_add_test(t, a_file_of_version_1_is_brought_up);
    tcase_add_test(t, a_later_version_is_refused);
    tcase_add_test(t, changed_records_and_all_else_come_back);
    tcase_add_test(t, a_full_card);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
