/* The tables of the centre's books. */
#include "centre/store_priv.h"

/* Integers only, amounts in the currency's minor unit, times in seconds since 1970 UTC. A contract
 * number may be given to another acquirer: each has its own row, and its remises hang on that. What
 * the card signed is known once: its number by look-up (NULL: kept before there was one, see
 * find_cards in store.c), counter and cryptogram. */
/* Version 4: who paid from an account. */
#define TABLES_4                                                                                   \
    "CREATE TABLE by_account ("                                                                    \
    "  remise INTEGER NOT NULL,"                                                                   \
    "  sequence INTEGER NOT NULL,"                                                                 \
    "  account TEXT NOT NULL," /* its number's first 35 characters */                              \
    "  key BLOB,"              /* that signed it; NULL: none did */                                \
    "  word TEXT NOT NULL,"    /* … and by which it counts: a counter, a session */              \
    "  statement BLOB NOT NULL,"                                                                   \
    "  challenge BLOB NOT NULL,"                                                                   \
    "  PRIMARY KEY (remise, sequence),"                                                            \
    "  FOREIGN KEY (remise, sequence) REFERENCES item (remise, sequence)"                          \
    ") STRICT, WITHOUT ROWID;"                                                                     \
    "CREATE INDEX by_account_key ON by_account (key, word);"

static const char tables[] =
    "CREATE TABLE acquirer ("
    "  acquirer INTEGER PRIMARY KEY,"
    "  id TEXT NOT NULL UNIQUE,"
    "  added INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE contract ("
    "  contract INTEGER PRIMARY KEY,"
    "  id TEXT NOT NULL,"
    "  acquirer INTEGER NOT NULL REFERENCES acquirer,"
    "  held INTEGER NOT NULL CHECK (held IN (0, 1)),"
    "  changed INTEGER," /* by order, when */
    "  UNIQUE (id, acquirer)"
    ") STRICT;"
    "CREATE UNIQUE INDEX contract_held ON contract (id) WHERE held = 1;"
    "CREATE TABLE remise ("
    "  remise INTEGER PRIMARY KEY,"
    "  contract INTEGER NOT NULL REFERENCES contract,"
    "  number INTEGER NOT NULL CHECK (number > 0),"
    "  hash BLOB NOT NULL CHECK (length(hash) = 32),"
    "  bytes INTEGER NOT NULL,"
    "  currency INTEGER NOT NULL,"
    "  result INTEGER NOT NULL CHECK (result BETWEEN 0 AND 2)," /* enum caaa_result */
    "  reason TEXT NOT NULL,"
    "  text TEXT NOT NULL,"
    "  created INTEGER NOT NULL,"
    "  answered INTEGER NOT NULL,"
    "  debits INTEGER NOT NULL,"
    "  debit_amount INTEGER NOT NULL,"
    "  credits INTEGER NOT NULL,"
    "  credit_amount INTEGER NOT NULL,"
    "  reversals INTEGER NOT NULL," /* of debits, as said */
    "  reversal_amount INTEGER NOT NULL,"
    "  refused INTEGER NOT NULL,"
    "  UNIQUE (contract, number)"
    ") STRICT;"
    "CREATE TABLE item ("
    "  remise INTEGER NOT NULL REFERENCES remise,"
    "  sequence INTEGER NOT NULL,"
    "  terminal TEXT NOT NULL,"
    "  rrn TEXT NOT NULL,"
    "  stan INTEGER NOT NULL,"
    "  local_time INTEGER NOT NULL,"
    "  kind INTEGER NOT NULL,"
    "  amount INTEGER NOT NULL,"
    "  psn INTEGER NOT NULL,"
    "  expiry INTEGER NOT NULL,"
    "  pan_masked TEXT NOT NULL," /* by card, as all that is a card's; else '', empty, NULL */
    "  pan_sealed BLOB NOT NULL,"
    "  icc BLOB NOT NULL,"
    "  refused TEXT NOT NULL," /* the reason; '' when accepted */
    "  pan_lookup BLOB,"
    "  atc INTEGER,"
    "  ac BLOB,"
    "  PRIMARY KEY (remise, sequence)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX item_rrn ON item (rrn);"
    "CREATE INDEX item_refused ON item (remise, sequence) WHERE refused <> '';"
    "CREATE INDEX item_card ON item (pan_lookup, atc) WHERE refused = '';"
    "CREATE INDEX item_unknown_card ON item (remise, sequence) WHERE pan_lookup IS NULL;"
    "CREATE TABLE alarm ("
    "  alarm INTEGER PRIMARY KEY,"
    "  at INTEGER NOT NULL,"
    "  contract TEXT NOT NULL,"
    "  number INTEGER NOT NULL,"
    "  text TEXT NOT NULL"
    ") STRICT;" TABLES_4;

static const struct db_migration migrations[] = {
    {"gives each acquirer its own row of a contract number, and knows a card's signature once",
     "PRAGMA defer_foreign_keys = ON;"
     "CREATE TEMP TABLE contract_before AS SELECT contract, id, acquirer FROM main.contract;"
     "DROP TABLE main.contract;"
     "CREATE TABLE main.contract (contract INTEGER PRIMARY KEY, id TEXT NOT NULL, acquirer "
     "INTEGER NOT NULL REFERENCES acquirer,"
     "  held INTEGER NOT NULL CHECK (held IN (0, 1)), changed INTEGER, UNIQUE (id, "
     "acquirer));"
     "CREATE UNIQUE INDEX main.contract_held ON contract (id) WHERE held = 1;"
     "INSERT INTO main.contract (contract, id, acquirer, held) SELECT contract, id, "
     "acquirer, 1 "
     "FROM contract_before;"
     "DROP TABLE temp.contract_before;"
     "ALTER TABLE item ADD COLUMN pan_lookup BLOB;"
     "ALTER TABLE item ADD COLUMN atc INTEGER;"
     "ALTER TABLE item ADD COLUMN ac BLOB;"
     "CREATE INDEX item_card ON item (pan_lookup, atc) WHERE refused = '';"
     "CREATE INDEX item_unknown_card ON item (remise, sequence) WHERE pan_lookup IS NULL;"},
    {"says whose the file is", ""},
    {"knows who paid from an account, by what its key signed", TABLES_4},
};

const struct db_schema centre_schema = {
    .program = "telepay-centre",
    .upgrade = "telepay-centre upgrade",
    .mark = "alarm",
    .tables = tables,
    .migrations = migrations,
    .version = 4,
};
