# The card in software, its factory, and the program that puts it into pcscd.
noinst_LIBRARIES += libsimcard.a
libsimcard_a_SOURCES = \
	simcard/ac.c \
	simcard/card.c simcard/card.h simcard/card_priv.h \
	simcard/commands.c \
	simcard/fault.c simcard/fault.h \
	simcard/inproc.c simcard/inproc.h \
	simcard/perso.c simcard/perso.h \
	simcard/perso_cvm.c \
	simcard/profile.c simcard/profile.h \
	simcard/profile_file.c \
	simcard/scheme.c simcard/scheme.h \
	simcard/scheme_file.c \
	simcard/select.c \
	simcard/state.c simcard/state.h \
	simcard/vpcd.c simcard/vpcd.h
SIMCARD_LIBS = libsimcard.a $(DRIVERS_LIBS) $(TPCRYPTO_LIBS)

bin_PROGRAMS += telepay-perso telepay-simcard
telepay_perso_SOURCES = simcard/main_perso.c simcard/perso_commands.h simcard/perso_card.c simcard/perso_init.c simcard/perso_inspect.c
telepay_perso_LDADD = $(SIMCARD_LIBS)
telepay_simcard_SOURCES = simcard/main_simcard.c
telepay_simcard_LDADD = $(SIMCARD_LIBS)
