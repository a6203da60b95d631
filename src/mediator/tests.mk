# Tests of the mediator's parts.
MEDIATOR_FIXTURE = tests/unit/mediator_fixture.c tests/unit/mediator_fixture.h tests/tools/postgres.h tests/unit/unit.h

check_PROGRAMS += tests/unit/test_stans
TESTS += tests/unit/test_stans
tests_unit_test_stans_SOURCES = tests/unit/test_stans.c tests/unit/unit.h
tests_unit_test_stans_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_stans_LDADD = libmediator.a $(BASE_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_moves
TESTS += tests/unit/test_moves
tests_unit_test_moves_SOURCES = tests/unit/test_moves.c $(MEDIATOR_FIXTURE)
tests_unit_test_moves_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_moves_LDADD = $(MEDIATOR_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_moves_model
TESTS += tests/unit/test_moves_model
tests_unit_test_moves_model_SOURCES = tests/unit/test_moves_model.c $(MEDIATOR_FIXTURE)
tests_unit_test_moves_model_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_moves_model_LDADD = $(MEDIATOR_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_mediator_quote
TESTS += tests/unit/test_mediator_quote
tests_unit_test_mediator_quote_SOURCES = tests/unit/test_mediator_quote.c tests/unit/unit.h
tests_unit_test_mediator_quote_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_mediator_quote_LDADD = $(MEDIATOR_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/fuzz/fuzz_quote
TESTS += tests/fuzz/fuzz_quote
tests_fuzz_fuzz_quote_SOURCES = tests/fuzz/fuzz_quote.c $(FUZZ_MAIN)
tests_fuzz_fuzz_quote_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_quote_LDADD = $(MEDIATOR_LIBS)
