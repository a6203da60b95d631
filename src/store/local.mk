noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = src/store/db.c src/store/db.h src/store/db_priv.h src/store/driver.h src/store/group.c src/store/group.h src/store/schema.c src/store/schema.h \
	src/store/checkpoint.c src/store/checkpoint.h src/store/postgres.c src/store/postgres_link.c src/store/postgres_priv.h src/store/sqlite.c src/store/move.c src/store/move.h src/store/upgrade.c src/store/upgrade.h src/store/where.c
STORE_LIBS = libstore.a $(BASE_LIBS) $(SQLITE_LIBS) $(POSTGRES_LIBS)

check_PROGRAMS += tests/unit/test_db
TESTS += tests/unit/test_db
tests_unit_test_db_SOURCES = tests/unit/test_db.c tests/tools/damage.h tests/tools/postgres.h tests/unit/unit.h
tests_unit_test_db_LDADD = $(STORE_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/test_group
TESTS += tests/unit/test_group
tests_unit_test_group_SOURCES = tests/unit/test_group.c tests/unit/unit.h
tests_unit_test_group_LDADD = $(STORE_LIBS) $(CHECK_LIBS)
