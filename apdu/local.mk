noinst_LIBRARIES += libapdu.a
libapdu_a_SOURCES = apdu/apdu.c apdu/apdu.h apdu/dol.c apdu/dol.h apdu/emvbits.c apdu/emvtags.c apdu/emvtags.h apdu/sw.c apdu/sw.h apdu/tlv.c apdu/tlv.h

check_PROGRAMS += tests/unit/test_tlv
TESTS += tests/unit/test_tlv
tests_unit_test_tlv_SOURCES = tests/unit/test_tlv.c tests/unit/unit.h
tests_unit_test_tlv_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_tlv_LDADD = $(APDU_LIBS) $(CHECK_LIBS)
