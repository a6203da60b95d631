noinst_LIBRARIES += libkernel.a
libkernel_a_SOURCES = \
	src/kernel/kernel.c src/kernel/kernel.h src/kernel/kernel_priv.h \
	src/kernel/action.c src/kernel/command.c src/kernel/complete.c src/kernel/cvm.c src/kernel/data.c src/kernel/generate.c src/kernel/gpo.c \
	src/kernel/oda.c src/kernel/oda_chain.c src/kernel/pin.c src/kernel/read.c src/kernel/restrictions.c src/kernel/risk.c \
	src/kernel/script.c src/kernel/select.c src/kernel/xda.c
KERNEL_LIBS = libkernel.a $(DRIVERS_LIBS) $(TPCRYPTO_LIBS)
