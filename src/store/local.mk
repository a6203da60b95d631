noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = src/store/db.c src/store/db.h
STORE_LIBS = libstore.a $(BASE_LIBS) $(SQLITE_LIBS) $(PQ_LIBS)

check_PROGRAMS += tests/unit/test_db
TESTS += tests/unit/test_db
tests_unit_test_db_SOURCES = tests/unit/test_db.c tests/unit/unit.h
tests_unit_test_db_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_db_LDADD = $(STORE_LIBS) $(CHECK_LIBS)
