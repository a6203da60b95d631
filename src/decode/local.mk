noinst_LIBRARIES += libdecode.a
libdecode_a_SOURCES = src/decode/atr.c src/decode/certificate.c src/decode/certificate_ec.c src/decode/code.c src/decode/decode.c src/decode/decode.h src/decode/decode_priv.h \
	src/decode/exchange.c src/decode/mcc.c src/decode/message.c src/decode/names.c src/decode/names.h src/decode/parts.c \
	src/decode/value.c src/decode/value_asn1.c src/decode/value_iad.c src/decode/value_scheme.c
DECODE_LIBS = libdecode.a libwire.a libdrivers.a $(TPCRYPTO_LIBS)

check_PROGRAMS += tests/unit/test_decode
TESTS += tests/unit/test_decode
tests_unit_test_decode_SOURCES = tests/unit/test_decode.c tests/unit/unit.h
tests_unit_test_decode_LDADD = $(DECODE_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_decode
TESTS += tests/fuzz/fuzz_decode
tests_fuzz_fuzz_decode_SOURCES = tests/fuzz/fuzz_decode.c tests/fuzz/ec_authority.h $(FUZZ_MAIN)
tests_fuzz_fuzz_decode_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_decode_LDADD = $(DECODE_LIBS)
