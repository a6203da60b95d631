# The purse.
noinst_LIBRARIES += libpurse.a
libpurse_a_SOURCES = \
	src/purse/asked.c src/purse/asked.h \
	src/purse/audit.c src/purse/audit.h src/purse/audit_priv.h src/purse/audit_session.c \
	src/purse/book.c src/purse/book.h src/purse/book_account.c src/purse/book_day.c src/purse/book_emptying.c src/purse/book_fill.c src/purse/book_pay.c src/purse/book_priv.h src/purse/book_reversal.c src/purse/book_session.c \
	src/purse/desk.c src/purse/desk.h src/purse/desk_back.c src/purse/desk_fill.c src/purse/desk_session.c \
	src/purse/filling.c src/purse/filling.h \
	src/purse/paying.c src/purse/paying.h \
	src/purse/proof.c src/purse/proof.h \
	src/purse/record.c src/purse/record.h \
	src/purse/schema.c \
	src/purse/serve.c src/purse/serve.h \
	src/purse/settings.c src/purse/settings.h \
	src/purse/till.c src/purse/till.h \
	src/purse/verdict.c src/purse/verdict.h
PURSE_LIBS = libpurse.a $(CAAA_LIBS) $(HTTP_LIBS) $(ORDER_LIBS) $(STORE_LIBS) $(WIRE_LIBS)

bin_PROGRAMS += telepay-purse
telepay_purse_SOURCES = src/purse/account.c src/purse/backup.c src/purse/commands.h src/purse/day.c src/purse/init.c src/purse/look.c src/purse/main.c src/purse/option.c src/purse/option.h \
	src/purse/partner.c src/purse/seller.c
telepay_purse_LDADD = $(PURSE_LIBS)
dist_man_MANS += doc/telepay-purse.1

PURSE_FIXTURE = tests/unit/purse_fixture.c tests/unit/purse_fixture.h tests/tools/postgres.h tests/unit/unit.h
check_PROGRAMS += tests/unit/test_purse tests/unit/test_purse_session tests/unit/test_purse_model
TESTS += tests/unit/test_purse tests/unit/test_purse_session tests/unit/test_purse_model
tests_unit_test_purse_SOURCES = tests/unit/test_purse.c $(PURSE_FIXTURE)
tests_unit_test_purse_LDADD = $(PURSE_LIBS) $(CHECK_LIBS)
tests_unit_test_purse_session_SOURCES = tests/unit/test_purse_session.c $(PURSE_FIXTURE)
tests_unit_test_purse_session_LDADD = $(PURSE_LIBS) $(CHECK_LIBS)
tests_unit_test_purse_model_SOURCES = tests/unit/test_purse_model.c $(PURSE_FIXTURE)
tests_unit_test_purse_model_LDADD = $(PURSE_LIBS) $(CHECK_LIBS)

dist_noinst_SCRIPTS += tests/tools/purse_payer.py tests/tools/purse_customers.py
dist_noinst_DATA += tests/system/purse_common.sh
dist_check_SCRIPTS += tests/system/purse.sh tests/faults/purse_kill.sh
TESTS += tests/system/purse.sh tests/faults/purse_kill.sh

check_PROGRAMS += tests/fuzz/fuzz_purse
TESTS += tests/fuzz/fuzz_purse
tests_fuzz_fuzz_purse_SOURCES = tests/fuzz/fuzz_purse.c $(FUZZ_MAIN)
tests_fuzz_fuzz_purse_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_purse_LDADD = $(PURSE_LIBS)

check_PROGRAMS += tests/bench/bench_purse
BENCHES += tests/bench/bench_purse
tests_bench_bench_purse_SOURCES = tests/bench/bench_purse.c tests/bench/bench.h tests/tools/holds.h
tests_bench_bench_purse_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/tools
tests_bench_bench_purse_LDADD = $(PURSE_LIBS)
