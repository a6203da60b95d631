noinst_LIBRARIES += libapdu.a
libapdu_a_SOURCES = apdu/apdu.c apdu/apdu.h apdu/dol.c apdu/dol.h apdu/emvbits.c apdu/emvbits.h apdu/emvtags.c apdu/emvtags.h apdu/shown.c apdu/shown.h apdu/sw.c apdu/sw.h apdu/tlv.c apdu/tlv.h

check_PROGRAMS += tests/unit/test_tlv
TESTS += tests/unit/test_tlv
tests_unit_test_tlv_SOURCES = tests/unit/test_tlv.c tests/unit/unit.h
tests_unit_test_tlv_LDADD = $(APDU_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_apdu
TESTS += tests/unit/test_apdu
tests_unit_test_apdu_SOURCES = tests/unit/test_apdu.c tests/unit/unit.h
tests_unit_test_apdu_LDADD = $(APDU_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_dol
TESTS += tests/unit/test_dol
tests_unit_test_dol_SOURCES = tests/unit/test_dol.c tests/unit/unit.h
tests_unit_test_dol_LDADD = $(APDU_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_emvtags
TESTS += tests/unit/test_emvtags
tests_unit_test_emvtags_SOURCES = tests/unit/test_emvtags.c tests/unit/unit.h
tests_unit_test_emvtags_LDADD = $(APDU_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_emvbits
TESTS += tests/unit/test_emvbits
tests_unit_test_emvbits_SOURCES = tests/unit/test_emvbits.c tests/unit/unit.h
tests_unit_test_emvbits_LDADD = $(APDU_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_apdu
TESTS += tests/fuzz/fuzz_apdu
tests_fuzz_fuzz_apdu_SOURCES = tests/fuzz/fuzz_apdu.c $(FUZZ_MAIN)
tests_fuzz_fuzz_apdu_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_apdu_LDADD = $(APDU_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_tlv
TESTS += tests/fuzz/fuzz_tlv
tests_fuzz_fuzz_tlv_SOURCES = tests/fuzz/fuzz_tlv.c $(FUZZ_MAIN)
tests_fuzz_fuzz_tlv_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_tlv_LDADD = $(APDU_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_dol
TESTS += tests/fuzz/fuzz_dol
tests_fuzz_fuzz_dol_SOURCES = tests/fuzz/fuzz_dol.c $(FUZZ_MAIN)
tests_fuzz_fuzz_dol_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_dol_LDADD = $(APDU_LIBS)
