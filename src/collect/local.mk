# Remises on their way to the collection centre: of an acquirer, of a purse.
noinst_LIBRARIES += libcollect.a
libcollect_a_SOURCES = \
	src/collect/command.c src/collect/command.h \
	src/collect/post.c src/collect/post.h \
	src/collect/remise.c src/collect/remise.h \
	src/collect/run.c src/collect/run.h \
	src/collect/settle.c src/collect/settle.h
COLLECT_LIBS = libcollect.a $(CAAA_LIBS) $(CURL_LIBS) $(TPCRYPTO_LIBS)
