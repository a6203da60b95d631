bin_PROGRAMS += telepay-acquirer
telepay_acquirer_SOURCES = \
	src/acquirer/audit.c \
	src/acquirer/authority.c \
	src/acquirer/collect.c \
	src/acquirer/commands.h \
	src/acquirer/contract.c \
	src/acquirer/init.c \
	src/acquirer/issuer.c \
	src/acquirer/journal.c \
	src/acquirer/main.c \
	src/acquirer/mediator.c \
	src/acquirer/move.c \
	src/acquirer/opposition.c \
	src/acquirer/option.c src/acquirer/option.h \
	src/acquirer/parameters.c src/acquirer/parameters.h \
	src/acquirer/prove.c \
	src/acquirer/refusals.c src/acquirer/remise.c \
	src/acquirer/suspense.c \
	src/acquirer/terminal.c
telepay_acquirer_LDADD = $(LEDGER_LIBS) $(WIRE_LIBS)

dist_pkgdata_DATA += data/applications.conf

# The server, as a library so that tests and bench run it in process.
noinst_LIBRARIES += libacquirer.a
libacquirer_a_SOURCES = \
	src/acquirer/answer.c src/acquirer/answer.h \
	src/acquirer/check.c src/acquirer/check.h src/acquirer/check_cvm.c src/acquirer/check_payee.c \
	src/acquirer/collecting.c src/acquirer/collecting.h \
	src/acquirer/commit.c src/acquirer/commit.h src/acquirer/commit_apply.c src/acquirer/commit_job.c \
	src/acquirer/commit_priv.h src/acquirer/commit_under_way.c \
	src/acquirer/gateway.c src/acquirer/gateway.h src/acquirer/gateway_ask.c src/acquirer/gateway_priv.h \
	src/acquirer/gateway_reversal.c \
	src/acquirer/issuers.c src/acquirer/issuers.h \
	src/acquirer/keys.c src/acquirer/keys.h \
	src/acquirer/reply.c src/acquirer/reply.h src/acquirer/reply_desk.c src/acquirer/reply_desk.h \
	src/acquirer/mediated.c src/acquirer/mediated.h \
	src/acquirer/server.c src/acquirer/server.h src/acquirer/presence.c src/acquirer/presence.h src/acquirer/server_mediated.c src/acquirer/server_presence.c src/acquirer/server_priv.h src/acquirer/trust.c src/acquirer/trust.h \
	src/acquirer/state.c src/acquirer/state.h
ACQUIRER_LIBS = libacquirer.a $(COLLECT_LIBS) $(LEDGER_LIBS) $(WIRE_LIBS) $(TPCRYPTO_LIBS)
telepay_acquirer_SOURCES += src/acquirer/serve.c
telepay_acquirer_LDADD += $(ACQUIRER_LIBS)

OFFICE = tests/tools/office.c tests/tools/office.h tests/tools/holds.h tests/tools/cardsign.c tests/tools/cardsign.h $(KEPT_KEYS)
OFFICE_LIBS = $(ACQUIRER_LIBS) $(SIMCARD_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_check
TESTS += tests/unit/test_check
tests_unit_test_check_SOURCES = tests/unit/test_check.c tests/unit/unit.h $(OFFICE)
tests_unit_test_check_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_unit_test_check_LDADD = $(OFFICE_LIBS)
check_PROGRAMS += tests/unit/test_server
TESTS += tests/unit/test_server
tests_unit_test_server_SOURCES = tests/unit/test_server.c tests/unit/unit.h $(OFFICE)
tests_unit_test_server_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_unit_test_server_LDADD = $(OFFICE_LIBS)
check_PROGRAMS += tests/unit/test_online
TESTS += tests/unit/test_online
tests_unit_test_online_SOURCES = tests/unit/test_online.c tests/tools/teller.c tests/tools/teller.h tests/unit/unit.h $(OFFICE)
tests_unit_test_online_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_unit_test_online_LDADD = $(OFFICE_LIBS)
check_PROGRAMS += tests/unit/test_mediated
TESTS += tests/unit/test_mediated
tests_unit_test_mediated_SOURCES = tests/unit/test_mediated.c tests/tools/frontal.c tests/tools/frontal.h tests/tools/teller.c tests/tools/teller.h tests/unit/unit.h $(OFFICE)
tests_unit_test_mediated_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_unit_test_mediated_LDADD = $(OFFICE_LIBS)
check_PROGRAMS += tests/unit/test_presence
TESTS += tests/unit/test_presence
tests_unit_test_presence_SOURCES = tests/unit/test_presence.c tests/tools/frontal.c tests/tools/frontal.h tests/unit/unit.h $(OFFICE)
tests_unit_test_presence_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_unit_test_presence_LDADD = $(OFFICE_LIBS)
check_PROGRAMS += tests/faults/acquirer_kill
TESTS += tests/faults/acquirer_kill
tests_faults_acquirer_kill_SOURCES = tests/faults/acquirer_kill.c $(OFFICE)
tests_faults_acquirer_kill_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_faults_acquirer_kill_LDADD = $(OFFICE_LIBS)
check_PROGRAMS += tests/faults/acquirer_full_disk
TESTS += tests/faults/acquirer_full_disk
tests_faults_acquirer_full_disk_SOURCES = tests/faults/acquirer_full_disk.c $(OFFICE)
tests_faults_acquirer_full_disk_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_faults_acquirer_full_disk_LDADD = $(OFFICE_LIBS)

# 0200s a second (make bench).
check_PROGRAMS += tests/bench/bench_acquire
tests_bench_bench_acquire_SOURCES = tests/bench/bench_acquire.c tests/bench/bare_books.c tests/bench/bare_books.h tests/bench/bare_copy.c tests/bench/bare_sync.c tests/bench/bare_sync.h $(BARE_CDA) $(OFFICE)
tests_bench_bench_acquire_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_bench_bench_acquire_LDADD = $(OFFICE_LIBS)

telepay_acquirer_SOURCES += src/acquirer/verify.c
dist_check_SCRIPTS += tests/system/verify.sh
TESTS += tests/system/verify.sh

dist_check_SCRIPTS += tests/system/authority.sh
TESTS += tests/system/authority.sh

dist_check_SCRIPTS += tests/system/operator.sh
TESTS += tests/system/operator.sh

dist_check_SCRIPTS += tests/system/acquirer_mediator.sh
TESTS += tests/system/acquirer_mediator.sh

dist_check_SCRIPTS += tests/system/upgrade.sh
TESTS += tests/system/upgrade.sh

dist_man_MANS += doc/telepay-acquirer.1

check_PROGRAMS += tests/faults/online_kill
TESTS += tests/faults/online_kill
tests_faults_online_kill_SOURCES = tests/faults/online_kill.c tests/tools/teller.c tests/tools/teller.h $(OFFICE)
tests_faults_online_kill_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_faults_online_kill_LDADD = $(OFFICE_LIBS)
