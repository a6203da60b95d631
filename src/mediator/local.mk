# The mediator.
noinst_LIBRARIES += libmediator.a
libmediator_a_SOURCES = \
	src/mediator/orderbook.c src/mediator/orderbook.h src/mediator/orderbook_priv.h src/mediator/orderbook_session.c src/mediator/schema.c \
	src/mediator/session.c src/mediator/session.h src/mediator/session_way.c \
	src/mediator/asked.c src/mediator/asked.h src/mediator/challenge.c src/mediator/challenge.h \
	src/mediator/clock.c src/mediator/deliver.c src/mediator/disputes.c src/mediator/disputes.h src/mediator/dispute.c src/mediator/dispute.h src/mediator/discovery.c src/mediator/discovery.h src/mediator/drive.c src/mediator/line.c \
	src/mediator/mediator_priv.h \
	src/mediator/page.c src/mediator/page.h \
	src/mediator/moves.c src/mediator/moves.h \
	src/mediator/purse_way.c \
	src/mediator/quote.c src/mediator/quote.h \
	src/mediator/registry.c src/mediator/registry.h \
	src/mediator/say.c src/mediator/say.h \
	src/mediator/serve.c src/mediator/serve.h \
	src/mediator/shelf.c \
	src/mediator/stans.c src/mediator/stans.h src/mediator/stream.c src/mediator/stream.h \
	src/mediator/visit.c src/mediator/visit.h src/mediator/visit_dispute.c src/mediator/visit_route.c src/mediator/visit_sale.c \
	src/mediator/bills.c src/mediator/bills.h src/mediator/visit_bills.c src/mediator/identity.c src/mediator/identity.h src/mediator/visit_identity.c \
	src/mediator/keeper.c
MEDIATOR_LIBS = libmediator.a $(HTTP_LIBS) $(HTTP_CLIENT_LIBS) $(ORDER_LIBS) $(STORE_LIBS) $(WIRE_LIBS) $(QRENCODE_LIBS)
mediatordatadir = $(pkgdatadir)/mediator
dist_mediatordata_DATA = data/mediator/code.html data/mediator/next.html data/mediator/order.html \
	data/mediator/bill.html data/mediator/bill_pay.html data/mediator/bills.html data/mediator/dispute.html data/mediator/dispute_how.html data/mediator/identity.html data/mediator/letter.html data/mediator/wrong.html \
	data/mediator/shipped.html data/mediator/telepay.js data/mediator/ways.html \
	data/mediator/words.en.ini data/mediator/words.fr.ini

bin_PROGRAMS += telepay-mediator
dist_man_MANS += doc/telepay-mediator.1
telepay_mediator_SOURCES = src/mediator/cmd_dispute.c src/mediator/commands.h src/mediator/init.c src/mediator/main.c src/mediator/metrics.c src/mediator/order.c src/mediator/partner.c \
	src/mediator/reach.c src/mediator/reach.h
telepay_mediator_LDADD = $(MEDIATOR_LIBS)
dist_noinst_DATA += tests/system/mediator_common.sh tests/system/mediator_purse_common.sh tests/faults/kill_common.sh
dist_noinst_SCRIPTS += tests/tools/check_metrics.py tests/tools/lying_service.py tests/tools/streaming_service.py tests/tools/check_letters.py tests/tools/write_letter.py tests/tools/card_identity.py
dist_check_SCRIPTS += tests/system/mediator.sh tests/system/mediator_online.sh tests/faults/mediator_kill.sh tests/faults/mediator_purse_kill.sh tests/system/mediator_purse.sh tests/system/mediator_services.sh tests/system/messages.sh tests/system/card_identity.sh
TESTS += tests/system/card_identity.sh tests/system/mediator.sh tests/system/mediator_online.sh tests/faults/mediator_kill.sh tests/faults/mediator_purse_kill.sh tests/system/mediator_purse.sh tests/system/mediator_services.sh tests/system/messages.sh
