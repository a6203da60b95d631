# The collection centre.
noinst_LIBRARIES += libcentre.a
libcentre_a_SOURCES = \
	src/centre/intake.c src/centre/intake.h \
	src/centre/refuse.c src/centre/refuse.h \
	src/centre/serve.c src/centre/serve.h \
	src/centre/schema.c \
	src/centre/signed.c src/centre/signed.h \
	src/centre/store.c src/centre/store.h src/centre/store_priv.h src/centre/store_read.c src/centre/store_take.c
CENTRE_LIBS = libcentre.a $(CAAA_LIBS) $(STORE_LIBS) $(HTTP_LIBS) $(ORDER_LIBS) $(TPCRYPTO_LIBS)

bin_PROGRAMS += telepay-centre
telepay_centre_SOURCES = src/centre/commands.h src/centre/contract.c src/centre/look.c src/centre/main.c src/centre/init.c src/centre/option.c src/centre/option.h
telepay_centre_LDADD = $(CENTRE_LIBS)

check_PROGRAMS += tests/tools/ledger_fill
tests_tools_ledger_fill_SOURCES = tests/tools/ledger_fill.c
tests_tools_ledger_fill_LDADD = $(ACQUIRER_LIBS)

dist_check_SCRIPTS += tests/system/centre_door.sh tests/system/centre_disk.sh tests/system/secrets.sh tests/system/words.sh tests/system/collect.sh tests/system/tables.sh tests/system/old_books.sh tests/faults/collect_kill.sh
TESTS += tests/system/centre_door.sh tests/system/centre_disk.sh tests/system/secrets.sh tests/system/words.sh tests/system/collect.sh tests/system/tables.sh tests/system/old_books.sh tests/faults/collect_kill.sh
dist_noinst_SCRIPTS += tests/system/centre_crowd.py tests/tools/fake_centre.py

dist_man_MANS += doc/telepay-centre.1

check_PROGRAMS += tests/bench/bench_remise
BENCHES += tests/bench/bench_remise
BENCH_NEEDS += tests/tools/ledger_fill
tests_bench_bench_remise_SOURCES = tests/bench/bench_remise.c tests/bench/bench.h
tests_bench_bench_remise_LDADD = $(ACQUIRER_LIBS)

check_PROGRAMS += tests/unit/test_collect
TESTS += tests/unit/test_collect
tests_unit_test_collect_SOURCES = tests/unit/test_collect.c tests/unit/unit.h
tests_unit_test_collect_LDADD = libcentre.a libhttp.a $(ACQUIRER_LIBS) $(CHECK_LIBS)
EXTRA_DIST += tests/data/old
