# A bench is tests/bench/bench_NAME.c, a program that prints one JSON line a measured value (bench.h). Its room declares it:
#
#     check_PROGRAMS += tests/bench/bench_NAME
#     BENCHES += tests/bench/bench_NAME
#     BENCH_NEEDS += what it runs, but the programs that are installed
#     tests_bench_bench_NAME_SOURCES = tests/bench/bench_NAME.c tests/bench/bench.h
#
# What is timed from one program's start to its end may be a script, tests/bench/bench_NAME.sh.
#
# `make bench` builds and runs them all and prints one table, beside a private pcscd and a private PostgreSQL, (BENCH_FLAGS=--json: JSON); it fails when a limit is missed. One: make bench BENCHES=tests/bench/bench_NAME
BENCH_FLAGS =

check_PROGRAMS += tests/bench/report
tests_bench_report_SOURCES = tests/bench/report.c
tests_bench_report_LDADD = $(BASE_LIBS) $(JANSSON_LIBS)

BARE_CDA = tests/bench/bare_cda.c tests/bench/bare_cda.h tests/bench/bench.h

check_PROGRAMS += tests/bench/bench_verify
BENCHES += tests/bench/bench_verify tests/bench/bench_acquire
tests_bench_bench_verify_SOURCES = tests/bench/bench_verify.c $(BARE_CDA) tests/unit/evidence_fixture.c tests/unit/evidence_fixture.h
tests_bench_bench_verify_LDADD = libledger.a $(TPCRYPTO_LIBS)

bench: tests/bench/report$(EXEEXT) $(BENCHES) $(BENCH_NEEDS)
	@$(AM_TESTS_ENVIRONMENT) $(top_srcdir)/tests/system/with-pcscd $(top_srcdir)/tests/system/with-postgres ./tests/bench/report$(EXEEXT) $(BENCH_FLAGS) $(BENCHES)
.PHONY: bench
