bin_PROGRAMS += telepay-acquirer
telepay_acquirer_SOURCES = \
	src/acquirer/commands.h \
	src/acquirer/contract.c \
	src/acquirer/init.c \
	src/acquirer/main.c \
	src/acquirer/option.c src/acquirer/option.h \
	src/acquirer/state.c src/acquirer/state.h \
	src/acquirer/terminal.c
telepay_acquirer_LDADD = $(LEDGER_LIBS) $(WIRE_LIBS)

dist_pkgdata_DATA += data/applications.conf
