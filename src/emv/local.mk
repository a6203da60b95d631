bin_PROGRAMS += telepay-emv
telepay_emv_SOURCES = src/emv/cmd_decode.c src/emv/commands.h src/emv/input.c src/emv/input.h src/emv/main.c
telepay_emv_LDADD = $(DECODE_LIBS) $(JANSSON_LIBS)
