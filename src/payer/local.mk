noinst_LIBRARIES += libpayer.a
libpayer_a_SOURCES = \
	src/payer/agent.c src/payer/agent.h src/payer/caller.c src/payer/caller.h src/payer/cmd_agent.c \
	src/payer/dialog.c src/payer/dialog.h \
	src/payer/address.c src/payer/address.h src/payer/authority.c src/payer/authority.h \
	src/payer/card_identity.c src/payer/card_identity.h src/payer/card_reach.c src/payer/card_reach.h src/payer/card_tree.c src/payer/card_tree.h \
	src/payer/card_words.c src/payer/card_words.h src/payer/cardholder.c src/payer/cardholder.h src/payer/checkout.c src/payer/checkout.h \
	src/payer/cmd_authority.c src/payer/cmd_card.c src/payer/cmd_credential.c src/payer/cmd_get.c src/payer/cmd_journal.c src/payer/cmd_order.c src/payer/cmd_pay.c src/payer/cmd_refund.c src/payer/cmd_void.c src/payer/cmd_day.c src/payer/day.c src/payer/day.h \
	src/payer/cmd_readers.c src/payer/commands.h \
	src/payer/credential.c src/payer/credential.h src/payer/demand.c src/payer/demand.h src/payer/device.c src/payer/device.h \
	src/payer/problem.c src/payer/problem.h src/payer/bill.c src/payer/bill.h src/payer/cmd_bill.c src/payer/cmd_identify.c src/payer/identity.c src/payer/identity.h src/payer/cmd_dispute.c src/payer/dispute.c src/payer/dispute.h src/payer/letters.c src/payer/letters.h \
	src/payer/cmd_explain.c src/payer/lesson.c src/payer/lesson.h src/payer/lesson_page.c src/payer/lesson_print.c src/payer/lesson_priv.h src/payer/lesson_tell.c \
	src/payer/lesson_words.c \
	src/payer/deliver.c src/payer/deliver.h \
	src/payer/fetch.c src/payer/fetch.h src/payer/get.c src/payer/get.h src/payer/home.c src/payer/home.h \
	src/payer/listen.c src/payer/listen.h \
	src/payer/journal.c src/payer/journal.h src/payer/journal_priv.h src/payer/journal_read.c \
	src/payer/memory.c src/payer/memory.h \
	src/payer/message.c src/payer/message.h \
	src/payer/pay.c src/payer/pay.h src/payer/pay_card.c src/payer/pay_link.c src/payer/pay_order.c src/payer/pay_order.h src/payer/pay_purse.c src/payer/pay_refund.c src/payer/pay_told.c src/payer/pay_told.h \
	src/payer/pay_priv.h src/payer/pay_question.c src/payer/pay_url.c src/payer/pay_url.h \
	src/payer/cmd_plan.c src/payer/cmd_session.c src/payer/cmd_user.c src/payer/code.c src/payer/code.h src/payer/keystore.c src/payer/keystore.h \
	src/payer/plan.c src/payer/plan.h src/payer/session.c src/payer/session.h src/payer/user.c src/payer/user.h \
	src/payer/order_words.c src/payer/order_words.h src/payer/orders.c src/payer/orders.h \
	src/payer/parameters.c src/payer/parameters.h \
	src/payer/person.c src/payer/person.h \
	src/payer/cmd_purse.c src/payer/cmd_purse_empty.c src/payer/cmd_purse_fill.c src/payer/cmd_purse_session.c src/payer/cmd_purse_history.c src/payer/cmd_purse_page.c src/payer/history.c src/payer/history.h src/payer/emptyings.c src/payer/emptyings.h src/payer/purse_record.c src/payer/purse_record.h src/payer/provisions.c src/payer/provisions.h src/payer/voucher_proof.c src/payer/voucher_proof.h src/payer/purse_words.c src/payer/purse_words.h src/payer/purse_door.c src/payer/purse_door.h src/payer/purses.c src/payer/purses.h \
	src/payer/paper.c src/payer/paper.h src/payer/printer.c src/payer/printer.h \
	src/payer/receipt.c src/payer/receipt.h src/payer/ticket.c src/payer/ticket.h src/payer/ticket_words.c src/payer/ticket_words.h \
	src/payer/report.c src/payer/report.h \
	src/payer/rerun.c src/payer/rerun.h src/payer/rerun_facts.c \
	src/payer/submit.c src/payer/submit.h \
	src/payer/terminal.c src/payer/terminal.h \
	src/payer/trace.c src/payer/trace.h
PAYER_LIBS = libpayer.a libdecode.a libhttp.a $(ASSUAN_LIBS) $(MICROHTTPD_LIBS) $(ORDER_LIBS) $(CURL_LIBS) $(KERNEL_LIBS) $(WIRE_LIBS) $(STORE_LIBS) $(JANSSON_LIBS)

agentdatadir = $(pkgdatadir)/agent
dist_agentdata_DATA = data/agent/page.html data/agent/words.en.ini data/agent/words.fr.ini
lessondatadir = $(pkgdatadir)/lesson
dist_lessondata_DATA = data/lesson/page.html
applicationsdir = $(datadir)/applications
dist_applications_DATA = data/telepay-agent.desktop

# What is paid at a counter is a program of few libraries; it becomes the other one for all else (src/payer/elsewhere.c).
COUNTER_LIBS = libpayer.a libdecode.a libhttp.a $(ASSUAN_LIBS) $(KERNEL_LIBS) $(WIRE_LIBS) libstore.a $(BASE_LIBS) $(SQLITE_LIBS)
bin_PROGRAMS += telepay
telepay_SOURCES = src/payer/main.c src/payer/elsewhere.c
telepay_LDADD = $(COUNTER_LIBS)
pkglibexec_PROGRAMS += libexec/telepay
libexec_telepay_SOURCES = src/payer/main.c
libexec_telepay_LDADD = $(PAYER_LIBS)
dist_man_MANS += doc/telepay.1

check_PROGRAMS += tests/system/fake_acquirer
tests_system_fake_acquirer_SOURCES = tests/system/fake_acquirer.c
tests_system_fake_acquirer_LDADD = $(WIRE_LIBS)

check_PROGRAMS += tests/unit/test_shown
TESTS += tests/unit/test_shown
tests_unit_test_shown_SOURCES = tests/unit/test_shown.c tests/unit/unit.h
tests_unit_test_shown_LDADD = $(PAYER_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_message
TESTS += tests/unit/test_message
tests_unit_test_message_SOURCES = tests/unit/test_message.c tests/unit/unit.h
tests_unit_test_message_LDADD = $(PAYER_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_ticket
TESTS += tests/unit/test_ticket
tests_unit_test_ticket_SOURCES = tests/unit/test_ticket.c tests/unit/unit.h
tests_unit_test_ticket_LDADD = $(PAYER_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_memory
TESTS += tests/unit/test_memory
tests_unit_test_memory_SOURCES = tests/unit/test_memory.c tests/unit/unit.h
tests_unit_test_memory_LDADD = $(PAYER_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_journal
TESTS += tests/unit/test_journal
tests_unit_test_journal_SOURCES = tests/unit/test_journal.c tests/unit/unit.h
tests_unit_test_journal_LDADD = $(PAYER_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_address
TESTS += tests/unit/test_address
tests_unit_test_address_SOURCES = tests/unit/test_address.c tests/unit/unit.h
tests_unit_test_address_LDADD = $(PAYER_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_demand
TESTS += tests/unit/test_demand
tests_unit_test_demand_SOURCES = tests/unit/test_demand.c tests/unit/unit.h
tests_unit_test_demand_LDADD = $(PAYER_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_orders
TESTS += tests/unit/test_orders
tests_unit_test_orders_SOURCES = tests/unit/test_orders.c tests/tools/damage.h tests/unit/unit.h
tests_unit_test_orders_LDADD = $(PAYER_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_listen
TESTS += tests/unit/test_listen
tests_unit_test_listen_SOURCES = tests/unit/test_listen.c tests/unit/unit.h
tests_unit_test_listen_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fetch_send -Wl,--wrap=time_monotonic_ms
tests_unit_test_listen_LDADD = $(PAYER_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_provisions
TESTS += tests/unit/test_provisions
tests_unit_test_provisions_SOURCES = tests/unit/test_provisions.c tests/unit/unit.h
tests_unit_test_provisions_LDADD = $(PAYER_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/test_purses
TESTS += tests/unit/test_purses
tests_unit_test_purses_SOURCES = tests/unit/test_purses.c tests/unit/unit.h
tests_unit_test_purses_LDADD = $(PAYER_LIBS) $(CHECK_LIBS)

dist_check_SCRIPTS += tests/system/pinpad.sh tests/system/doctor.sh tests/system/desks.sh tests/system/hotplug.sh
dist_noinst_SCRIPTS += tests/system/pinpad-memory.py
TESTS += tests/system/pinpad.sh tests/system/doctor.sh tests/system/desks.sh tests/system/hotplug.sh
dist_check_SCRIPTS += tests/system/pay.sh tests/system/pay_torn_out.sh tests/system/pay_acquirers.sh tests/system/pay_signals.sh \
	tests/system/pin-terminal.sh tests/system/french.sh
dist_noinst_SCRIPTS += tests/system/pin-terminal.py
TESTS += tests/system/pay_torn_out.sh tests/system/pay_acquirers.sh tests/system/pay_signals.sh tests/system/pay.sh tests/system/pin-terminal.sh tests/system/french.sh
check_PROGRAMS += tests/tools/count_calls
tests_tools_count_calls_SOURCES = tests/tools/count_calls.c
tests_tools_count_calls_LDADD =
dist_check_SCRIPTS += tests/system/pay_cost.sh
TESTS += tests/system/pay_cost.sh
check_PROGRAMS += tests/bench/bare_tls
tests_bench_bare_tls_SOURCES = tests/bench/bare_tls.c
tests_bench_bare_tls_LDADD = $(WIRE_LIBS)
dist_noinst_SCRIPTS += tests/bench/bench_start.sh
BENCHES += $(top_srcdir)/tests/bench/bench_start.sh
BENCH_NEEDS += tests/bench/bare_tls tests/system/fake_acquirer
dist_check_SCRIPTS += tests/system/ticket.sh
dist_noinst_SCRIPTS += tests/tools/escpos.py tests/tools/full_fifo.py
TESTS += tests/system/ticket.sh
dist_check_SCRIPTS += tests/system/whole_way.sh tests/system/readme.sh
dist_noinst_SCRIPTS += tests/system/no-plain-pan.py tests/system/valid-documents.sh tests/tools/cut_commit.py tests/tools/recording_proxy.py
TESTS += tests/system/whole_way.sh
dist_check_SCRIPTS += tests/system/online.sh
dist_noinst_DATA += tests/system/shop_common.sh
dist_noinst_SCRIPTS += tests/tools/till.py
dist_check_SCRIPTS += tests/system/refund.sh tests/system/void.sh tests/system/day.sh tests/system/till.sh
TESTS += tests/system/refund.sh tests/system/void.sh tests/system/day.sh tests/system/till.sh
dist_check_SCRIPTS += tests/system/methods.sh tests/system/xda.sh
TESTS += tests/system/methods.sh tests/system/xda.sh
TESTS += tests/system/online.sh
dist_check_SCRIPTS += tests/system/replay.sh tests/system/explain.sh
TESTS += tests/system/replay.sh tests/system/explain.sh
dist_check_SCRIPTS += tests/system/get.sh tests/system/get_curl.sh tests/system/get_forged.sh tests/system/get_lost.sh tests/system/get_purse.sh tests/system/get_session.sh
dist_noinst_SCRIPTS += tests/system/get-terminal.py tests/tools/fake_mediator.py
TESTS += tests/system/get.sh tests/system/get_curl.sh tests/system/get_forged.sh tests/system/get_lost.sh tests/system/get_purse.sh tests/system/get_session.sh

check_PROGRAMS += tests/unit/test_plan
TESTS += tests/unit/test_plan
tests_unit_test_plan_SOURCES = tests/unit/test_plan.c tests/unit/unit.h
tests_unit_test_plan_LDADD = $(PAYER_LIBS) $(CHECK_LIBS)

dist_check_SCRIPTS += tests/system/purse_account.sh tests/system/purse_pay.sh tests/system/stream.sh tests/faults/payer_kill.sh
TESTS += tests/system/purse_account.sh tests/system/purse_pay.sh tests/system/stream.sh tests/faults/payer_kill.sh
dist_check_SCRIPTS += tests/system/users.sh
TESTS += tests/system/users.sh

check_PROGRAMS += tests/unit/test_keystore
TESTS += tests/unit/test_keystore
tests_unit_test_keystore_SOURCES = tests/unit/test_keystore.c tests/unit/unit.h
tests_unit_test_keystore_LDADD = $(PAYER_LIBS) $(CHECK_LIBS)
