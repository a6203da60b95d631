noinst_LIBRARIES += libledger.a
libledger_a_SOURCES = \
	src/ledger/contract.c \
	src/ledger/evidence.h \
	src/ledger/journal.c \
	src/ledger/ledger.c src/ledger/ledger.h src/ledger/ledger_priv.h \
	src/ledger/opposition.c \
	src/ledger/read.c \
	src/ledger/remise.c \
	src/ledger/schema.c src/ledger/schema.h \
	src/ledger/suspense.c
LEDGER_LIBS = libledger.a $(TPCRYPTO_LIBS) $(STORE_LIBS)

check_PROGRAMS += tests/unit/test_ledger
TESTS += tests/unit/test_ledger
tests_unit_test_ledger_SOURCES = tests/unit/test_ledger.c tests/unit/ledger_fixture.h tests/unit/unit.h
tests_unit_test_ledger_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_ledger_LDADD = libledger.a $(STORE_LIBS) $(CHECK_LIBS)
