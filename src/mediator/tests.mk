# Tests of the mediator's parts.
MEDIATOR_FIXTURE = tests/unit/mediator_fixture.c tests/unit/mediator_fixture.h tests/tools/postgres.h tests/unit/unit.h

check_PROGRAMS += tests/unit/test_throttle
TESTS += tests/unit/test_throttle
tests_unit_test_throttle_SOURCES = tests/unit/test_throttle.c tests/unit/unit.h
tests_unit_test_throttle_LDADD = $(MEDIATOR_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_stans
TESTS += tests/unit/test_stans
tests_unit_test_stans_SOURCES = tests/unit/test_stans.c tests/unit/unit.h
tests_unit_test_stans_LDADD = libmediator.a $(BASE_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_moves
TESTS += tests/unit/test_moves
tests_unit_test_moves_SOURCES = tests/unit/test_moves.c $(MEDIATOR_FIXTURE)
tests_unit_test_moves_LDADD = $(MEDIATOR_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_session
TESTS += tests/unit/test_session
tests_unit_test_session_SOURCES = tests/unit/test_session.c $(MEDIATOR_FIXTURE)
tests_unit_test_session_LDADD = $(MEDIATOR_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_stream
TESTS += tests/unit/test_stream
tests_unit_test_stream_SOURCES = tests/unit/test_stream.c tests/unit/unit.h
tests_unit_test_stream_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=ask_stream -Wl,--wrap=keeper_take -Wl,--wrap=clock_set -Wl,--wrap=say_stream -Wl,--wrap=say_problem -Wl,--wrap=http_resume -Wl,--wrap=http_named \
	-Wl,--wrap=visit_undelivered -Wl,--wrap=time_monotonic_ms
tests_unit_test_stream_LDADD = $(MEDIATOR_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_session_way
TESTS += tests/unit/test_session_way
tests_unit_test_session_way_SOURCES = tests/unit/test_session_way.c $(MEDIATOR_FIXTURE)
tests_unit_test_session_way_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=http_client_ask -Wl,--wrap=time_monotonic_ms -Wl,--wrap=move_job
tests_unit_test_session_way_LDADD = $(MEDIATOR_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_clock
TESTS += tests/unit/test_clock
tests_unit_test_clock_SOURCES = tests/unit/test_clock.c $(MEDIATOR_FIXTURE)
tests_unit_test_clock_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=keeper_take -Wl,--wrap=time_monotonic_ms -Wl,--wrap=visits_expire
tests_unit_test_clock_LDADD = $(MEDIATOR_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_moves_model
TESTS += tests/unit/test_moves_model
tests_unit_test_moves_model_SOURCES = tests/unit/test_moves_model.c $(MEDIATOR_FIXTURE)
tests_unit_test_moves_model_LDADD = $(MEDIATOR_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_mediator_quote
TESTS += tests/unit/test_mediator_quote
tests_unit_test_mediator_quote_SOURCES = tests/unit/test_mediator_quote.c tests/unit/unit.h
tests_unit_test_mediator_quote_LDADD = $(MEDIATOR_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/fuzz/fuzz_quote
TESTS += tests/fuzz/fuzz_quote
tests_fuzz_fuzz_quote_SOURCES = tests/fuzz/fuzz_quote.c $(FUZZ_MAIN)
tests_fuzz_fuzz_quote_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_quote_LDADD = $(MEDIATOR_LIBS)
check_PROGRAMS += tests/unit/test_registry
TESTS += tests/unit/test_registry
tests_unit_test_registry_SOURCES = tests/unit/test_registry.c $(MEDIATOR_FIXTURE)
tests_unit_test_registry_LDADD = $(MEDIATOR_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_challenge
TESTS += tests/unit/test_challenge
tests_unit_test_challenge_SOURCES = tests/unit/test_challenge.c $(MEDIATOR_FIXTURE)
tests_unit_test_challenge_LDADD = $(MEDIATOR_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_orderbook
TESTS += tests/unit/test_orderbook
tests_unit_test_orderbook_SOURCES = tests/unit/test_orderbook.c $(MEDIATOR_FIXTURE)
tests_unit_test_orderbook_LDADD = $(MEDIATOR_LIBS) $(CHECK_LIBS)
dist_noinst_SCRIPTS += tests/bench/bench_get.sh
BENCHES += $(top_srcdir)/tests/bench/bench_get.sh

# 402s and payments a second (make bench).
check_PROGRAMS += tests/bench/bench_mediator
BENCHES += tests/bench/bench_mediator
EXTRA_DIST += tests/bench/till.mjs tests/tools/fill_orders.py
tests_bench_bench_mediator_SOURCES = tests/bench/bench_mediator.c tests/bench/bench.h tests/bench/bare_sync.c tests/bench/bare_sync.h tests/tools/frontal.c tests/tools/frontal.h $(OFFICE)
tests_bench_bench_mediator_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_bench_bench_mediator_LDADD = $(OFFICE_LIBS)

# Letters and disputes.
check_PROGRAMS += tests/unit/test_letter tests/unit/test_dispute tests/unit/test_identity tests/unit/test_bills tests/fuzz/fuzz_letter
TESTS += tests/unit/test_letter tests/unit/test_dispute tests/unit/test_identity tests/unit/test_bills tests/fuzz/fuzz_letter
tests_unit_test_letter_SOURCES = tests/unit/test_letter.c $(MEDIATOR_FIXTURE)
tests_unit_test_letter_LDADD = $(MEDIATOR_LIBS) $(CHECK_LIBS)
tests_unit_test_dispute_SOURCES = tests/unit/test_dispute.c $(MEDIATOR_FIXTURE)
tests_unit_test_dispute_LDADD = $(MEDIATOR_LIBS) $(CHECK_LIBS)
tests_fuzz_fuzz_letter_SOURCES = tests/fuzz/fuzz_letter.c $(FUZZ_MAIN)
tests_fuzz_fuzz_letter_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_letter_LDADD = $(MEDIATOR_LIBS)
tests_unit_test_identity_SOURCES = tests/unit/test_identity.c $(MEDIATOR_FIXTURE)
tests_unit_test_identity_LDADD = $(MEDIATOR_LIBS) $(CHECK_LIBS)
tests_unit_test_bills_SOURCES = tests/unit/test_bills.c tests/unit/unit.h
tests_unit_test_bills_LDADD = $(MEDIATOR_LIBS) $(CHECK_LIBS)
