# A fuzz target is tests/fuzz/fuzz_NAME.c with LLVMFuzzerTestOneInput; its seeds are the files of tests/fuzz/corpus/NAME.
#
#     check_PROGRAMS += tests/fuzz/fuzz_NAME
#     TESTS += tests/fuzz/fuzz_NAME
#     tests_fuzz_fuzz_NAME_SOURCES = tests/fuzz/fuzz_NAME.c $(FUZZ_MAIN)
#     tests_fuzz_fuzz_NAME_LDFLAGS = $(FUZZ_LDFLAGS)
#     tests_fuzz_fuzz_NAME_LDADD = …
#
# `make check` replays the seeds. `./configure CC=clang --enable-fuzzing` puts libFuzzer in the place of the replaying main; there `make check` replays them
# too, and `make fuzz FUZZ_SECONDS=600` looks for new inputs with each target in turn (one: FUZZ_ONLY=tlv). What it finds stays in fuzz-work/ of the
# build folder: inputs that reach new code in fuzz-work/NAME, crashes as fuzz-work/NAME-crash-….
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/replay.c tests/fuzz/fuzz.h tests/fuzz/run-seeds tests/fuzz/run-long
FUZZ_SECONDS = 60
FUZZ_ONLY =

if FUZZING
FUZZ_MAIN = tests/fuzz/fuzz.h
FUZZ_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
# libFuzzer's own main does not know where the seeds are; other tests are run as they are.
LOG_COMPILER = $(top_srcdir)/tests/fuzz/run-seeds

fuzz: $(check_PROGRAMS)
	$(top_srcdir)/tests/fuzz/run-long $(top_srcdir)/tests/fuzz/corpus '$(FUZZ_SECONDS)' '$(FUZZ_ONLY)' $(check_PROGRAMS)
else
FUZZ_MAIN = tests/fuzz/fuzz.h tests/fuzz/replay.c
FUZZ_LDFLAGS = $(AM_LDFLAGS)

fuzz:
	@echo 'make fuzz needs a build of its own: ./configure CC=clang --enable-fuzzing' >&2; exit 1
endif
.PHONY: fuzz
