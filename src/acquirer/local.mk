bin_PROGRAMS += telepay-acquirer
telepay_acquirer_SOURCES = \
	src/acquirer/commands.h \
	src/acquirer/main.c \
	src/acquirer/state.c src/acquirer/state.h
telepay_acquirer_LDADD = $(LEDGER_LIBS) $(WIRE_LIBS)
