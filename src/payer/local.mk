noinst_LIBRARIES += libpayer.a
libpayer_a_SOURCES = \
	src/payer/cmd_card.c src/payer/cmd_journal.c src/payer/cmd_pay.c src/payer/cmd_readers.c src/payer/commands.h \
	src/payer/deliver.c src/payer/deliver.h \
	src/payer/journal.c src/payer/journal.h \
	src/payer/message.c src/payer/message.h \
	src/payer/pay.c src/payer/pay.h \
	src/payer/person.c src/payer/person.h \
	src/payer/receipt.c src/payer/receipt.h \
	src/payer/report.c src/payer/report.h \
	src/payer/shown.c src/payer/shown.h \
	src/payer/terminal.c src/payer/terminal.h \
	src/payer/trace.c src/payer/trace.h
PAYER_LIBS = libpayer.a $(KERNEL_LIBS) $(WIRE_LIBS) $(STORE_LIBS) $(JANSSON_LIBS)

bin_PROGRAMS += telepay
telepay_SOURCES = src/payer/main.c
telepay_LDADD = $(PAYER_LIBS)
