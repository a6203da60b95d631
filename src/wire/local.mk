noinst_LIBRARIES += libwire.a
libwire_a_SOURCES =
WIRE_LIBS = libwire.a $(TPCRYPTO_LIBS) $(EVENT_LIBS)

# ISO 8583
libwire_a_SOURCES += src/wire/iso8583.c src/wire/iso8583.h src/wire/profile.c src/wire/profile.h src/wire/mediation.c src/wire/mediation.h src/wire/answer.c src/wire/answer.h
check_PROGRAMS += tests/unit/test_profile
TESTS += tests/unit/test_profile
tests_unit_test_profile_SOURCES = tests/unit/test_profile.c tests/unit/unit.h
tests_unit_test_profile_LDADD = libwire.a $(BASE_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_iso8583
TESTS += tests/unit/test_iso8583
tests_unit_test_iso8583_SOURCES = tests/unit/test_iso8583.c tests/unit/unit.h
tests_unit_test_iso8583_LDADD = libwire.a $(BASE_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_mediation
TESTS += tests/unit/test_mediation
tests_unit_test_mediation_SOURCES = tests/unit/test_mediation.c tests/unit/unit.h
tests_unit_test_mediation_LDADD = libwire.a $(APDU_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/fuzz/fuzz_mediation
TESTS += tests/fuzz/fuzz_mediation
tests_fuzz_fuzz_mediation_SOURCES = tests/fuzz/fuzz_mediation.c $(FUZZ_MAIN)
tests_fuzz_fuzz_mediation_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_mediation_LDADD = libwire.a $(APDU_LIBS)
check_PROGRAMS += tests/fuzz/fuzz_iso8583
TESTS += tests/fuzz/fuzz_iso8583
tests_fuzz_fuzz_iso8583_SOURCES = tests/fuzz/fuzz_iso8583.c $(FUZZ_MAIN)
tests_fuzz_fuzz_iso8583_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_iso8583_LDADD = libwire.a $(BASE_LIBS)
dist_noinst_DATA += tests/vectors/iso8583.txt
dist_noinst_SCRIPTS += tests/tools/iso8583_vectors.py

# links
libwire_a_SOURCES += src/wire/link.h src/wire/link_priv.h src/wire/link_client.c src/wire/link_line.c src/wire/link_line.h
libwire_a_SOURCES += src/wire/link_server.c src/wire/link_loop.c src/wire/link_peer.c src/wire/link_crowd.c src/wire/link_header.c src/wire/network.c src/wire/network.h
libwire_a_SOURCES += src/wire/echo.c src/wire/echo.h src/wire/serve.c src/wire/serve.h
check_PROGRAMS += tests/unit/test_link
TESTS += tests/unit/test_link
tests_unit_test_link_SOURCES = tests/unit/test_link.c tests/unit/unit.h
tests_unit_test_link_LDADD = $(WIRE_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_answer
TESTS += tests/unit/test_answer
tests_unit_test_answer_SOURCES = tests/unit/test_answer.c tests/unit/unit.h
tests_unit_test_answer_LDADD = $(WIRE_LIBS) $(CHECK_LIBS)
