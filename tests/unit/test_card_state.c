/* The state file: whatever is cut off or damaged, what opens is the old state or the new one, never an older ATC than was promised. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "simcard/state.h"
#include "unit.h"

#define FILE_SIZE 8192
#define SLOT_SIZE 262 /* of a state without changed records, what is written at once; checked below */

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
        s = (struct card_state){
            .atc = 0x1234, .last_online_atc = 0x0102, .pin_tries = 2, .flags = STATE_ONLINE_PENDING, .offline_count = 7, .logged = 9};
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

/* From a file before and after one write, every state that a write cut off after k bytes (of the slot) leaves. */
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
                ck_assert_msg(got.atc == s.atc || got.atc == s.atc - 1, "ATC %u after a cut at %zu", got.atc, k);
                if (k <= last)
                    ck_assert_uint_eq(got.atc, s.atc - 1); /* and is seen as not written */
                memset(torn + first, 0xFF, k - first);     /* a sector of an SSD may come back as anything */
                write_file(dir, torn);
                ck_ok(state_peek(&got, dir, &e));
                ck_assert_uint_eq(got.atc, s.atc - 1);
            }
            write_file(dir, after);
        }
        drop_dir(dir);
    }
END_TEST

/* STATE_SOON may be lost with the machine's power; the last STATE_SYNC may not, whatever becomes of the slot written since. */
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
        ck_assert_int_eq(state_open(&st, &s, dir, &e), TP_ERR_FORMAT); /* refused: an ATC must not start again */
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
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
