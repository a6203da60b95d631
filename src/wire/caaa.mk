# ISO 20022 remises
noinst_LIBRARIES += libcaaa.a
libcaaa_a_SOURCES = src/wire/caaa.h src/wire/caaa_guard.c src/wire/caaa_guard.h src/wire/caaa_priv.h src/wire/caaa_read.c \
	src/wire/caaa_rspn.c src/wire/caaa_write.c src/wire/caaa_xml.c src/wire/pain.c src/wire/pain.h src/wire/spool.c src/wire/spool.h
CAAA_LIBS = libcaaa.a $(XML_LIBS) $(APDU_LIBS)

check_PROGRAMS += tests/unit/test_caaa
TESTS += tests/unit/test_caaa
tests_unit_test_caaa_SOURCES = tests/unit/test_caaa.c tests/unit/unit.h
tests_unit_test_caaa_LDADD = $(CAAA_LIBS) $(CHECK_LIBS)
EXTRA_DIST += tests/data/caaa

check_PROGRAMS += tests/fuzz/fuzz_caaa
TESTS += tests/fuzz/fuzz_caaa
tests_fuzz_fuzz_caaa_SOURCES = tests/fuzz/fuzz_caaa.c $(FUZZ_MAIN)
tests_fuzz_fuzz_caaa_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_caaa_LDADD = $(CAAA_LIBS)
