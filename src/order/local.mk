# Orders, acknowledgements and what is sealed
noinst_LIBRARIES += liborder.a
liborder_a_SOURCES = src/order/acknowledgement.c src/order/acknowledgement.h src/order/certificate.c src/order/certificate.h src/order/device.c src/order/device.h \
	src/order/ed25519.c src/order/ed25519.h src/order/purse.c src/order/purse.h src/order/purse_token.c src/order/purse_token.h \
	src/order/jose_quiet.c src/order/jose_quiet.h src/order/key_files.c src/order/key_files.h src/order/letter.c src/order/letter.h src/order/members.c src/order/members.h src/order/order.c src/order/order.h src/order/proof.c src/order/proof.h \
	src/order/sealed.c src/order/sealed.h src/order/token.c src/order/token.h
ORDER_LIBS = liborder.a libpayment.a $(JOSE_LIBS) $(TPCRYPTO_LIBS)

check_PROGRAMS += tests/unit/test_order
TESTS += tests/unit/test_order
tests_unit_test_order_SOURCES = tests/unit/test_order.c tests/unit/unit.h
tests_unit_test_order_LDADD = $(ORDER_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_order_forged
TESTS += tests/unit/test_order_forged
tests_unit_test_order_forged_SOURCES = tests/unit/test_order_forged.c tests/unit/unit.h
tests_unit_test_order_forged_LDADD = $(ORDER_LIBS) $(CHECK_LIBS)
dist_check_SCRIPTS += tests/unit/check_order.py
TESTS += tests/unit/check_order.py
check_PROGRAMS += tests/unit/order_sample
tests_unit_order_sample_SOURCES = tests/unit/order_sample.c
tests_unit_order_sample_LDADD = $(ORDER_LIBS)
check_PROGRAMS += tests/fuzz/fuzz_order
TESTS += tests/fuzz/fuzz_order
tests_fuzz_fuzz_order_SOURCES = tests/fuzz/fuzz_order.c $(FUZZ_MAIN)
tests_fuzz_fuzz_order_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_order_LDADD = $(ORDER_LIBS)
check_PROGRAMS += tests/unit/test_purse_statement
TESTS += tests/unit/test_purse_statement
tests_unit_test_purse_statement_SOURCES = tests/unit/test_purse_statement.c tests/unit/unit.h
tests_unit_test_purse_statement_LDADD = $(ORDER_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_purse_token
TESTS += tests/unit/test_purse_token
tests_unit_test_purse_token_SOURCES = tests/unit/test_purse_token.c tests/unit/unit.h
tests_unit_test_purse_token_LDADD = $(ORDER_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/fuzz/fuzz_order_payload
TESTS += tests/fuzz/fuzz_order_payload
tests_fuzz_fuzz_order_payload_SOURCES = tests/fuzz/fuzz_order_payload.c $(FUZZ_MAIN)
tests_fuzz_fuzz_order_payload_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_order_payload_LDADD = $(ORDER_LIBS)
