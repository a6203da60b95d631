# The card in software, its factory, and the program that puts it into pcscd.
noinst_LIBRARIES += libsimcard.a
libsimcard_a_SOURCES = \
	simcard/ac.c \
	simcard/card.c simcard/card.h simcard/card_priv.h \
	simcard/commands.c \
	simcard/crm.c \
	simcard/fault.c simcard/fault.h \
	simcard/fault_answers.c \
	simcard/fault_holds.c \
	simcard/fault_signs.c \
	simcard/folders.c simcard/folders.h \
	simcard/iad.c \
	simcard/inproc.c simcard/inproc.h \
	simcard/issuer_auth.c \
	simcard/log.c \
	simcard/perso.c simcard/perso.h simcard/perso_priv.h \
	simcard/perso_records.c \
	simcard/perso_cvm.c \
	simcard/perso_many.c simcard/perso_many.h \
	simcard/profile.c simcard/profile.h \
	simcard/profile_file.c \
	simcard/recorded.c simcard/recorded.h \
	simcard/request.c \
	simcard/scheme.c simcard/scheme.h \
	simcard/scheme_file.c \
	simcard/script.c \
	simcard/secure_messaging.c \
	simcard/select.c \
	simcard/sign.c \
	simcard/state.c simcard/state.h \
	simcard/verify.c \
	simcard/turn.c simcard/turn.h \
	simcard/vpcd.c simcard/vpcd.h
SIMCARD_LIBS = libsimcard.a $(DRIVERS_LIBS) $(TPCRYPTO_LIBS)

bin_PROGRAMS += telepay-perso telepay-simcard
telepay_perso_SOURCES = simcard/main_perso.c simcard/perso_commands.h simcard/perso_card.c simcard/perso_cards.c \
	simcard/perso_options.c simcard/perso_options.h simcard/perso_init.c simcard/perso_inspect.c
telepay_perso_LDADD = $(SIMCARD_LIBS)
telepay_simcard_SOURCES = simcard/main_simcard.c
telepay_simcard_LDADD = $(SIMCARD_LIBS)

dist_man_MANS += doc/telepay-perso.1 doc/telepay-simcard.1
dist_check_SCRIPTS += tests/system/card-outside.sh tests/system/card-python.py tests/system/card-xda.py tests/system/cards-turn.py
TESTS += tests/system/card-outside.sh tests/system/card-python.py tests/system/card-xda.py tests/system/cards-turn.py
EXTRA_DIST += tests/tools/curve.py tests/tools/vpcd_card.py

CARD_RIG = tests/unit/card_rig.c tests/unit/card_rig.h tests/unit/unit.h $(KEPT_KEYS)

check_PROGRAMS += tests/unit/test_card_select
TESTS += tests/unit/test_card_select
tests_unit_test_card_select_SOURCES = tests/unit/test_card_select.c $(CARD_RIG)
tests_unit_test_card_select_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_unit_test_card_select_LDADD = $(SIMCARD_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_card_transaction
TESTS += tests/unit/test_card_transaction
tests_unit_test_card_transaction_SOURCES = tests/unit/test_card_transaction.c $(CARD_RIG)
tests_unit_test_card_transaction_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_unit_test_card_transaction_LDADD = $(SIMCARD_LIBS) $(CHECK_LIBS)

ISSUER_DOUBLE = tests/unit/issuer_double.c tests/unit/issuer_double.h

check_PROGRAMS += tests/unit/test_card_issuer
TESTS += tests/unit/test_card_issuer
tests_unit_test_card_issuer_SOURCES = tests/unit/test_card_issuer.c $(CARD_RIG) $(ISSUER_DOUBLE)
tests_unit_test_card_issuer_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_unit_test_card_issuer_LDADD = $(SIMCARD_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_card_script
TESTS += tests/unit/test_card_script
tests_unit_test_card_script_SOURCES = tests/unit/test_card_script.c $(CARD_RIG) $(ISSUER_DOUBLE)
tests_unit_test_card_script_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_unit_test_card_script_LDADD = $(SIMCARD_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_card_pin
TESTS += tests/unit/test_card_pin
tests_unit_test_card_pin_SOURCES = tests/unit/test_card_pin.c $(CARD_RIG)
tests_unit_test_card_pin_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_unit_test_card_pin_LDADD = $(SIMCARD_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_card_risk
TESTS += tests/unit/test_card_risk
tests_unit_test_card_risk_SOURCES = tests/unit/test_card_risk.c $(CARD_RIG)
tests_unit_test_card_risk_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_unit_test_card_risk_LDADD = $(SIMCARD_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_card_state
TESTS += tests/unit/test_card_state
tests_unit_test_card_state_SOURCES = tests/unit/test_card_state.c tests/unit/unit.h
tests_unit_test_card_state_LDADD = $(SIMCARD_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_card_faults
TESTS += tests/unit/test_card_faults
tests_unit_test_card_faults_SOURCES = tests/unit/test_card_faults.c $(CARD_RIG)
tests_unit_test_card_faults_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_unit_test_card_faults_LDADD = $(SIMCARD_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_perso
TESTS += tests/unit/test_perso
tests_unit_test_perso_SOURCES = tests/unit/test_perso.c $(CARD_RIG)
tests_unit_test_perso_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_unit_test_perso_LDADD = $(SIMCARD_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_cards
TESTS += tests/unit/test_cards
tests_unit_test_cards_SOURCES = tests/unit/test_cards.c $(CARD_RIG)
tests_unit_test_cards_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_unit_test_cards_LDADD = $(SIMCARD_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/faults/card_power
TESTS += tests/faults/card_power
tests_faults_card_power_SOURCES = tests/faults/card_power.c $(CARD_RIG) $(ISSUER_DOUBLE)
tests_faults_card_power_LDFLAGS = $(KEPT_KEYS_LDFLAGS)
tests_faults_card_power_LDADD = $(SIMCARD_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_card
TESTS += tests/fuzz/fuzz_card
tests_fuzz_fuzz_card_SOURCES = tests/fuzz/fuzz_card.c $(FUZZ_MAIN)
tests_fuzz_fuzz_card_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_card_LDADD = $(SIMCARD_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_vpcd
TESTS += tests/fuzz/fuzz_vpcd
tests_fuzz_fuzz_vpcd_SOURCES = tests/fuzz/fuzz_vpcd.c $(FUZZ_MAIN)
tests_fuzz_fuzz_vpcd_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_vpcd_LDADD = $(SIMCARD_LIBS)

# What plays a transcript: the parser and the reader of drivers/, the card of simcard/.
check_PROGRAMS += tests/unit/test_transcript
TESTS += tests/unit/test_transcript
tests_unit_test_transcript_SOURCES = tests/unit/test_transcript.c tests/unit/unit.h
tests_unit_test_transcript_LDADD = $(SIMCARD_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/fuzz/fuzz_transcript
TESTS += tests/fuzz/fuzz_transcript
tests_fuzz_fuzz_transcript_SOURCES = tests/fuzz/fuzz_transcript.c $(FUZZ_MAIN)
tests_fuzz_fuzz_transcript_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_transcript_LDADD = $(SIMCARD_LIBS)
