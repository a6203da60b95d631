bin_PROGRAMS += telepay-acquirer
telepay_acquirer_SOURCES = \
	src/acquirer/commands.h \
	src/acquirer/main.c
telepay_acquirer_LDADD = $(BASE_LIBS)
