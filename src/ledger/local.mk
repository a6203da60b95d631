noinst_LIBRARIES += libledger.a
libledger_a_SOURCES = \
	src/ledger/audit.c src/ledger/audit.h \
	src/ledger/authorisation.c \
	src/ledger/contract.c \
	src/ledger/credit.c \
	src/ledger/evidence.h \
	src/ledger/ledger.c src/ledger/ledger.h src/ledger/ledger_priv.h \
	src/ledger/mediator.c \
	src/ledger/opposition.c \
	src/ledger/payee.c src/ledger/payee.h \
	src/ledger/posting.c \
	src/ledger/proof.c src/ledger/proof.h src/ledger/proof_order.c src/ledger/proof_order.h \
	src/ledger/read.c \
	src/ledger/refusal.c \
	src/ledger/remise.c \
	src/ledger/reversal.c \
	src/ledger/schema.c src/ledger/schema.h \
	src/ledger/standing.c \
	src/ledger/suspense.c \
	src/ledger/verdict.c src/ledger/verdict.h
libledger_a_SOURCES += \
	src/ledger/evidence.c src/ledger/evidence_cache.c \
	src/ledger/evidence_dol.c \
	src/ledger/evidence_emv.c src/ledger/evidence_emv.h \
	src/ledger/evidence_emv_agreement.c \
	src/ledger/evidence_emv_chain.c \
	src/ledger/evidence_emv_json.c \
	src/ledger/evidence_emv_parse.c \
	src/ledger/evidence_emv_presence.c \
	src/ledger/evidence_emv_present.c \
	src/ledger/evidence_emv_signature.c \
	src/ledger/evidence_objects.c src/ledger/evidence_priv.h
LEDGER_LIBS = libledger.a libcollect.a $(ORDER_LIBS) $(TPCRYPTO_LIBS) $(STORE_LIBS)

check_PROGRAMS += tests/unit/test_ledger
TESTS += tests/unit/test_ledger
tests_unit_test_ledger_SOURCES = tests/unit/test_ledger.c tests/unit/ledger_version_1.h tests/unit/ledger_fixture.h tests/unit/unit.h
tests_unit_test_ledger_LDADD = libledger.a libcollect.a $(STORE_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_verdict
TESTS += tests/unit/test_verdict
tests_unit_test_verdict_SOURCES = tests/unit/test_verdict.c tests/unit/unit.h
tests_unit_test_verdict_LDADD = libledger.a libcollect.a $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_evidence_xda
TESTS += tests/unit/test_evidence_xda
tests_unit_test_evidence_xda_SOURCES = tests/unit/test_evidence_xda.c tests/unit/unit.h
tests_unit_test_evidence_xda_LDADD = libledger.a libcollect.a $(TPCRYPTO_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_evidence
TESTS += tests/unit/test_evidence
tests_unit_test_evidence_SOURCES = tests/unit/test_evidence.c tests/unit/evidence_fixture.c tests/unit/evidence_fixture.h tests/unit/unit.h
tests_unit_test_evidence_LDADD = libledger.a libcollect.a $(TPCRYPTO_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/fuzz/fuzz_evidence
TESTS += tests/fuzz/fuzz_evidence
tests_fuzz_fuzz_evidence_SOURCES = tests/fuzz/fuzz_evidence.c tests/fuzz/ec_authority.h $(FUZZ_MAIN)
tests_fuzz_fuzz_evidence_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_evidence_LDADD = libledger.a libcollect.a $(TPCRYPTO_LIBS)

check_PROGRAMS += tests/faults/ledger_kill
TESTS += tests/faults/ledger_kill
tests_faults_ledger_kill_SOURCES = tests/faults/ledger_kill.c tests/unit/ledger_fixture.h tests/unit/unit.h
tests_faults_ledger_kill_LDADD = libledger.a libcollect.a $(STORE_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_ledger_model
TESTS += tests/unit/test_ledger_model
tests_unit_test_ledger_model_SOURCES = tests/unit/test_ledger_model.c tests/unit/ledger_fixture.h tests/unit/unit.h
tests_unit_test_ledger_model_LDADD = libledger.a libcollect.a $(STORE_LIBS) $(CHECK_LIBS)
