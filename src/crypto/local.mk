noinst_LIBRARIES += libcrypto-emv.a
libcrypto_emv_a_SOURCES = \
	src/crypto/capk.c src/crypto/capk.h \
	src/crypto/cipher.c src/crypto/cipher.h \
	src/crypto/cryptogram.c src/crypto/cryptogram.h \
	src/crypto/dcv.c src/crypto/dcv.h \
	src/crypto/ec.c src/crypto/ec.h \
	src/crypto/eccert.c src/crypto/eccert.h src/crypto/eccert_priv.h \
	src/crypto/ecmake.c src/crypto/ecmake.h \
	src/crypto/emvcert.c src/crypto/emvcert.h src/crypto/emvcert_priv.h \
	src/crypto/emvmake.c src/crypto/emvmake.h \
	src/crypto/iad.c src/crypto/iad.h \
	src/crypto/ode.c src/crypto/ode.h \
	src/crypto/payee.c src/crypto/payee.h \
	src/crypto/pinblock.c src/crypto/pinblock.h \
	src/crypto/pki.c src/crypto/pki.h \
	src/crypto/rsa.c src/crypto/rsa.h src/crypto/rsa_priv.h \
	src/crypto/script.c src/crypto/script.h \
	src/crypto/seal.c src/crypto/seal.h

check_PROGRAMS += tests/unit/test_capk tests/unit/test_cryptogram
TESTS += tests/unit/test_capk tests/unit/test_cryptogram
tests_unit_test_capk_SOURCES = tests/unit/test_capk.c tests/unit/unit.h
tests_unit_test_capk_LDADD = $(TPCRYPTO_LIBS) $(CHECK_LIBS)
tests_unit_test_cryptogram_SOURCES = tests/unit/test_cryptogram.c tests/unit/unit.h
tests_unit_test_cryptogram_LDADD = $(TPCRYPTO_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_emvcert
TESTS += tests/unit/test_emvcert
tests_unit_test_emvcert_SOURCES = tests/unit/test_emvcert.c tests/unit/unit.h
tests_unit_test_emvcert_LDADD = $(TPCRYPTO_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_xda
TESTS += tests/unit/test_xda
tests_unit_test_xda_SOURCES = tests/unit/test_xda.c tests/unit/unit.h
tests_unit_test_xda_LDADD = $(TPCRYPTO_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_payee
TESTS += tests/unit/test_payee
tests_unit_test_payee_SOURCES = tests/unit/test_payee.c tests/unit/unit.h
tests_unit_test_payee_LDADD = $(TPCRYPTO_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_seal
TESTS += tests/unit/test_seal
tests_unit_test_seal_SOURCES = tests/unit/test_seal.c tests/unit/unit.h
tests_unit_test_seal_LDADD = $(TPCRYPTO_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_pki
TESTS += tests/unit/test_pki
tests_unit_test_pki_SOURCES = tests/unit/test_pki.c tests/unit/unit.h
tests_unit_test_pki_LDADD = $(TPCRYPTO_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/emv_sample
tests_unit_emv_sample_SOURCES = tests/unit/emv_sample.c
tests_unit_emv_sample_LDADD = $(TPCRYPTO_LIBS)
dist_check_SCRIPTS += tests/unit/check_capk.py
TESTS += tests/unit/check_capk.py
dist_check_SCRIPTS += tests/unit/check_emvmake.py
TESTS += tests/unit/check_emvmake.py
dist_check_SCRIPTS += tests/unit/check_cryptogram.py
TESTS += tests/unit/check_cryptogram.py
check_PROGRAMS += tests/unit/ec_sample
tests_unit_ec_sample_SOURCES = tests/unit/ec_sample.c
tests_unit_ec_sample_LDADD = $(TPCRYPTO_LIBS)
dist_check_SCRIPTS += tests/unit/check_xda.py
TESTS += tests/unit/check_xda.py
