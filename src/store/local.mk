noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = src/store/db.c src/store/db.h
STORE_LIBS = libstore.a $(BASE_LIBS) $(SQLITE_LIBS)
