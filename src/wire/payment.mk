# The "Payment" scheme of HTTP
noinst_LIBRARIES += libpayment.a
libpayment_a_SOURCES = src/wire/jcs.c src/wire/jcs.h src/wire/http_auth.c src/wire/http_auth.h \
	src/wire/payment_accept.c src/wire/payment_accept.h \
	src/wire/payment_challenge.c src/wire/payment_challenge.h src/wire/payment_charge.c src/wire/payment_charge.h \
	src/wire/payment_credential.c src/wire/payment_credential.h src/wire/payment_digest.c src/wire/payment_digest.h \
	src/wire/payment_discovery.c src/wire/payment_discovery.h src/wire/payment_problem.c src/wire/payment_problem.h \
	src/wire/payment_receipt.c src/wire/payment_receipt.h
PAYMENT_LIBS = libpayment.a $(JANSSON_LIBS) $(BASE_LIBS)

check_PROGRAMS += tests/unit/test_jcs
TESTS += tests/unit/test_jcs
tests_unit_test_jcs_SOURCES = tests/unit/test_jcs.c tests/unit/payment_vectors.h tests/unit/unit.h
tests_unit_test_jcs_LDADD = $(PAYMENT_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_http_auth
TESTS += tests/unit/test_http_auth
tests_unit_test_http_auth_SOURCES = tests/unit/test_http_auth.c tests/unit/unit.h
tests_unit_test_http_auth_LDADD = $(PAYMENT_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_payment_accept
TESTS += tests/unit/test_payment_accept
tests_unit_test_payment_accept_SOURCES = tests/unit/test_payment_accept.c tests/unit/unit.h
tests_unit_test_payment_accept_LDADD = $(PAYMENT_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_payment_challenge
TESTS += tests/unit/test_payment_challenge
tests_unit_test_payment_challenge_SOURCES = tests/unit/test_payment_challenge.c tests/unit/payment_vectors.h tests/unit/unit.h
tests_unit_test_payment_challenge_LDADD = $(PAYMENT_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_payment_charge
TESTS += tests/unit/test_payment_charge
tests_unit_test_payment_charge_SOURCES = tests/unit/test_payment_charge.c tests/unit/unit.h
tests_unit_test_payment_charge_LDADD = $(PAYMENT_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_payment_credential
TESTS += tests/unit/test_payment_credential
tests_unit_test_payment_credential_SOURCES = tests/unit/test_payment_credential.c tests/unit/payment_vectors.h tests/unit/unit.h
tests_unit_test_payment_credential_LDADD = $(PAYMENT_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_payment_answer
TESTS += tests/unit/test_payment_answer
tests_unit_test_payment_answer_SOURCES = tests/unit/test_payment_answer.c tests/unit/payment_vectors.h tests/unit/unit.h
tests_unit_test_payment_answer_LDADD = $(PAYMENT_LIBS) $(CHECK_LIBS)
EXTRA_DIST += tests/vectors/payment-scheme.json tests/vectors/payment-scheme-challenge-id.json

check_PROGRAMS += tests/fuzz/fuzz_jcs tests/fuzz/fuzz_payment_field tests/fuzz/fuzz_payment_json
TESTS += tests/fuzz/fuzz_jcs tests/fuzz/fuzz_payment_field tests/fuzz/fuzz_payment_json
tests_fuzz_fuzz_jcs_SOURCES = tests/fuzz/fuzz_jcs.c $(FUZZ_MAIN)
tests_fuzz_fuzz_jcs_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_jcs_LDADD = $(PAYMENT_LIBS)
tests_fuzz_fuzz_payment_field_SOURCES = tests/fuzz/fuzz_payment_field.c $(FUZZ_MAIN)
tests_fuzz_fuzz_payment_field_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_payment_field_LDADD = $(PAYMENT_LIBS)
tests_fuzz_fuzz_payment_json_SOURCES = tests/fuzz/fuzz_payment_json.c $(FUZZ_MAIN)
tests_fuzz_fuzz_payment_json_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_payment_json_LDADD = $(PAYMENT_LIBS)
