bin_PROGRAMS += telepay-issuer
telepay_issuer_SOURCES = \
	src/issuer/account.c \
	src/issuer/acquirer.c \
	src/issuer/commands.h \
	src/issuer/cryptogram.c \
	src/issuer/init.c \
	src/issuer/list.c \
	src/issuer/main.c \
	src/issuer/option.c src/issuer/option.h \
	src/issuer/script.c \
	src/issuer/serve.c

# All but the commands, as a library so that tests run it in process.
noinst_LIBRARIES += libissuer.a
libissuer_a_SOURCES = \
	src/issuer/authorise.c src/issuer/authorise.h \
	src/issuer/book.c src/issuer/book_authorisation.c src/issuer/book_script.c src/issuer/book.h src/issuer/book_priv.h \
	src/issuer/calc.c src/issuer/calc.h src/issuer/calc_priv.h \
	src/issuer/calc_keys.c \
	src/issuer/calc_script.c \
	src/issuer/calc_value.c \
	src/issuer/keys.c src/issuer/keys.h \
	src/issuer/request.c src/issuer/request.h \
	src/issuer/schema.c \
	src/issuer/scripts.c src/issuer/scripts.h \
	src/issuer/server.c src/issuer/server.h \
	src/issuer/state.c src/issuer/state.h \
	src/issuer/writer.c src/issuer/writer.h
ISSUER_LIBS = libissuer.a $(WIRE_LIBS) $(STORE_LIBS) $(TPCRYPTO_LIBS)
telepay_issuer_LDADD = $(ISSUER_LIBS)

dist_man_MANS += doc/telepay-issuer.1

dist_check_SCRIPTS += tests/system/cryptogram.sh
TESTS += tests/system/cryptogram.sh

BANK = tests/tools/bank.c tests/tools/bank.h
check_PROGRAMS += tests/unit/test_issuer
TESTS += tests/unit/test_issuer
tests_unit_test_issuer_SOURCES = tests/unit/test_issuer.c tests/unit/unit.h $(BANK)
tests_unit_test_issuer_LDADD = $(ISSUER_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/faults/issuer_kill
TESTS += tests/faults/issuer_kill
tests_faults_issuer_kill_SOURCES = tests/faults/issuer_kill.c tests/tools/holds.h $(BANK)
tests_faults_issuer_kill_LDADD = $(ISSUER_LIBS)
check_PROGRAMS += tests/unit/test_issuer_card
TESTS += tests/unit/test_issuer_card
tests_unit_test_issuer_card_SOURCES = tests/unit/test_issuer_card.c tests/unit/card_rig.c tests/unit/card_rig.h tests/unit/unit.h $(BANK)
tests_unit_test_issuer_card_LDADD = $(ISSUER_LIBS) $(SIMCARD_LIBS) $(CHECK_LIBS)
dist_check_SCRIPTS += tests/system/issuer.sh
TESTS += tests/system/issuer.sh
EXTRA_DIST += tests/system/issuer-client.py
check_PROGRAMS += tests/fuzz/fuzz_issuer
TESTS += tests/fuzz/fuzz_issuer
tests_fuzz_fuzz_issuer_SOURCES = tests/fuzz/fuzz_issuer.c $(FUZZ_MAIN)
tests_fuzz_fuzz_issuer_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_issuer_LDADD = $(ISSUER_LIBS)
check_PROGRAMS += tests/fuzz/fuzz_calc
TESTS += tests/fuzz/fuzz_calc
tests_fuzz_fuzz_calc_SOURCES = tests/fuzz/fuzz_calc.c $(FUZZ_MAIN)
tests_fuzz_fuzz_calc_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_calc_LDADD = $(ISSUER_LIBS)
