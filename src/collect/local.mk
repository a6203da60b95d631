include src/wire/caaa.mk

# What both sides of the collection share, and the centre's side.
noinst_LIBRARIES += libcentre.a
libcentre_a_SOURCES = \
	src/collect/guests.c src/collect/guests.h \
	src/collect/intake.c src/collect/intake.h \
	src/collect/refuse.c src/collect/refuse.h \
	src/collect/serve.c src/collect/serve.h \
	src/collect/spool.c src/collect/spool.h \
	src/collect/store.c src/collect/store.h
libcentre_a_CFLAGS = $(AM_CFLAGS) $(GNUTLS_CFLAGS)
CENTRE_LIBS = libcentre.a $(CAAA_LIBS) $(STORE_LIBS) $(TPCRYPTO_LIBS) $(MICROHTTPD_LIBS) $(GNUTLS_LIBS)

bin_PROGRAMS += telepay-centre
telepay_centre_SOURCES = src/collect/centre.h src/collect/centre_contract.c src/collect/centre_look.c src/collect/centre_main.c src/collect/centre_make.c
telepay_centre_LDADD = $(CENTRE_LIBS)

# The acquirer's side: telepay-acquirer submit, collect.
noinst_LIBRARIES += libcollect.a
libcollect_a_SOURCES = \
	src/collect/commands.c \
	src/collect/post.c src/collect/post.h \
	src/collect/run.c src/collect/run.h \
	src/collect/settle.c src/collect/settle.h \
	src/collect/spool.c src/collect/spool.h
libcollect_a_CFLAGS = $(AM_CFLAGS)
COLLECT_LIBS = libcollect.a $(CAAA_LIBS) $(LEDGER_LIBS) $(CURL_LIBS)
telepay_acquirer_LDADD += $(COLLECT_LIBS)

check_PROGRAMS += tests/tools/ledger_fill
tests_tools_ledger_fill_SOURCES = tests/tools/ledger_fill.c
tests_tools_ledger_fill_LDADD = $(ACQUIRER_LIBS)

dist_check_SCRIPTS += tests/system/centre_door.sh tests/system/collect.sh tests/faults/collect_kill.sh
TESTS += tests/system/centre_door.sh tests/system/collect.sh tests/faults/collect_kill.sh
dist_noinst_SCRIPTS += tests/system/centre_crowd.py tests/tools/fake_centre.py

dist_man_MANS += doc/telepay-centre.1

check_PROGRAMS += tests/bench/bench_remise
BENCHES += tests/bench/bench_remise
BENCH_NEEDS += tests/tools/ledger_fill
tests_bench_bench_remise_SOURCES = tests/bench/bench_remise.c tests/bench/bench.h

check_PROGRAMS += tests/unit/test_collect
TESTS += tests/unit/test_collect
tests_unit_test_collect_SOURCES = tests/unit/test_collect.c tests/unit/unit.h
tests_unit_test_collect_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_collect_LDADD = $(COLLECT_LIBS) libcentre.a $(ACQUIRER_LIBS) $(CHECK_LIBS)
