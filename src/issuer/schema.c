/* The tables of the issuer's books, the rules they are held to, and what older versions become. */
#include "issuer/book_priv.h"

/* Integers only, amounts in the currency's minor unit, times in seconds since 1970 UTC, days
 * YYYYMMDD. Rows of authorisation and reversal are written once; what an account has reserved is
 * kept by rules from those rows alone, so that nothing can be reserved, or released, twice. */
static const char tables[] =
    "CREATE TABLE acquirer ("
    "  acquirer INTEGER PRIMARY KEY,"
    "  id TEXT NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 11),"
    "  open INTEGER NOT NULL CHECK (open IN (0, 1)),"
    "  added INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE account ("
    "  account INTEGER PRIMARY KEY,"
    "  pan_lookup BLOB NOT NULL CHECK (length(pan_lookup) = 32),"
    "  psn INTEGER NOT NULL CHECK (psn BETWEEN 0 AND 99),"
    "  pan_masked TEXT NOT NULL,"
    "  pan_sealed BLOB NOT NULL,"
    "  expiry INTEGER NOT NULL CHECK (expiry BETWEEN 20000101 AND 99991231),"
    "  cvn INTEGER NOT NULL CHECK (cvn BETWEEN 0 AND 3),"
    "  arpc INTEGER NOT NULL CHECK (arpc IN (1, 2)),"
    "  currency INTEGER NOT NULL CHECK (currency BETWEEN 1 AND 999),"
    "  balance INTEGER NOT NULL CHECK (balance BETWEEN 0 AND 999999999999),"
    "  reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved BETWEEN 0 AND balance),"
    "  ceiling INTEGER NOT NULL CHECK (ceiling BETWEEN 1 AND 999999999999),"
    "  day_ceiling INTEGER NOT NULL CHECK (day_ceiling BETWEEN 1 AND 999999999999),"
    "  status INTEGER NOT NULL DEFAULT 0 CHECK (status BETWEEN 0 AND 3)," /* open, blocked, lost,
                                                                             stolen */
    "  atc INTEGER NOT NULL DEFAULT 0 CHECK (atc BETWEEN 0 AND 65535),"
    "  added INTEGER NOT NULL,"
    "  UNIQUE (pan_lookup, psn)"
    ") STRICT;"
    "CREATE TABLE authorisation ("
    "  authorisation INTEGER PRIMARY KEY,"
    "  acquirer INTEGER NOT NULL REFERENCES acquirer,"
    "  rrn TEXT NOT NULL CHECK (length(rrn) BETWEEN 1 AND 12),"
    "  account INTEGER REFERENCES account," /* NULL: the card is unknown here */
    "  digest BLOB NOT NULL CHECK (length(digest) = 32),"
    "  pan_masked TEXT NOT NULL,"
    "  kind INTEGER NOT NULL CHECK (kind IN (0, 1))," /* debit, credit */
    "  amount INTEGER NOT NULL CHECK (amount BETWEEN 0 AND 999999999999),"
    "  currency INTEGER NOT NULL CHECK (currency BETWEEN 0 AND 999),"
    "  atc INTEGER NOT NULL CHECK (atc BETWEEN 0 AND 65535),"
    "  code TEXT NOT NULL CHECK (length(code) = 2),"
    "  reason TEXT NOT NULL,"
    "  approval TEXT NOT NULL,"
    "  reserved INTEGER NOT NULL CHECK (reserved = 0 OR (reserved = amount AND kind = 0 AND code = "
    "'00' AND account IS NOT NULL)),"
    "  day INTEGER NOT NULL,"
    "  at INTEGER NOT NULL,"
    "  answer BLOB NOT NULL CHECK (length(answer) <= 999)," /* DE 55 */
    "  ac INTEGER CHECK (ac BETWEEN 0 AND 2)," /* AAC, TC, ARQC; NULL: not proved the card's */
    "  UNIQUE (acquirer, rrn)"
    ") STRICT;"
    "CREATE INDEX authorisation_day ON authorisation (account, day) WHERE reserved > 0;"
    "CREATE TABLE reversal ("
    "  acquirer INTEGER NOT NULL REFERENCES acquirer,"
    "  rrn TEXT NOT NULL,"
    "  authorisation INTEGER UNIQUE REFERENCES authorisation," /* NULL: remembered before its 0100
                                                                */
    "  at INTEGER NOT NULL,"
    "  PRIMARY KEY (acquirer, rrn)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE script ("
    "  script INTEGER PRIMARY KEY CHECK (script BETWEEN 1 AND 4294967295)," /* 9F18 */
    "  account INTEGER NOT NULL REFERENCES account,"
    "  what TEXT NOT NULL,"
    "  head BLOB NOT NULL CHECK (length(head) = 4),"
    "  data BLOB," /* sealed; NULL when there are none, and when it is settled */
    "  encipher INTEGER NOT NULL CHECK (encipher IN (0, 1)),"
    "  template INTEGER NOT NULL CHECK (template IN (113, 114)),"       /* 71, 72 */
    "  state INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 4)," /* queued, delivered, done,
                                                                           failed, not done */
    "  deliveries INTEGER NOT NULL DEFAULT 0 CHECK (deliveries >= 0),"
    "  authorisation INTEGER REFERENCES authorisation," /* of the last delivery */
    "  queued INTEGER NOT NULL,"
    "  delivered INTEGER NOT NULL DEFAULT 0,"
    "  settled INTEGER NOT NULL DEFAULT 0,"
    "  CHECK ((deliveries = 0) = (authorisation IS NULL)),"
    "  CHECK (state = 0 OR deliveries > 0),"
    "  CHECK (state <= 1 OR data IS NULL)"
    ") STRICT;"
    "CREATE INDEX script_waiting ON script (account, script) WHERE state <= 1;"
    "CREATE INDEX authorisation_counter ON authorisation (account, atc) WHERE ac IS NOT NULL;"
    "CREATE INDEX authorisation_atc ON authorisation (account, atc);"
    "CREATE INDEX authorisation_credit ON authorisation (account, day) WHERE kind = 1;";

static const struct db_rule rules[] = {
    {"authorisation_reserves", "AFTER INSERT", "authorisation", "NEW.reserved > 0", NULL,
     "UPDATE account SET reserved = reserved + NEW.reserved WHERE account = NEW.account"},
    {"authorisation_written_once", "BEFORE UPDATE", "authorisation", NULL,
     "an authorisation is written once", NULL},
    {"authorisation_kept", "BEFORE DELETE", "authorisation", NULL,
     "an authorisation is never deleted", NULL},
    {"authorisation_reversed", "BEFORE INSERT", "authorisation",
     "NEW.code = '00' AND EXISTS (SELECT 1 FROM reversal r WHERE r.acquirer = NEW.acquirer"
     " AND r.rrn = NEW.rrn)",
     "what was reversed before it came is not approved", NULL},
    {"reversal_releases", "AFTER INSERT", "reversal", "NEW.authorisation IS NOT NULL", NULL,
     "UPDATE account SET reserved = account.reserved - (SELECT a.reserved FROM authorisation a"
     " WHERE a.authorisation = NEW.authorisation) WHERE account.account ="
     " (SELECT a.account FROM authorisation a WHERE a.authorisation = NEW.authorisation)"},
    {"reversal_of_its_own", "BEFORE INSERT", "reversal",
     "NEW.authorisation IS DISTINCT FROM (SELECT a.authorisation FROM authorisation a"
     " WHERE a.acquirer = NEW.acquirer AND a.rrn = NEW.rrn)",
     "a reversal releases the authorisation of its own number", NULL},
    {"reversal_written_once", "BEFORE UPDATE", "reversal", NULL, "a reversal is written once",
     NULL},
    {"reversal_kept", "BEFORE DELETE", "reversal", NULL, "a reversal is never undone", NULL},
    {"account_kept", "BEFORE DELETE", "account", NULL, "an account is never deleted", NULL},
    {"account_identity", "BEFORE UPDATE OF account, pan_lookup, psn, cvn, currency", "account",
     NULL, "an account keeps its card and currency", NULL},
    {"account_forward", "BEFORE UPDATE OF atc", "account", "NEW.atc < OLD.atc",
     "the counter of a card only grows", NULL},
    {"script_way", "BEFORE UPDATE OF state", "script",
     "NOT ((OLD.state = 0 AND NEW.state = 1) OR (OLD.state = 1 AND NEW.state IN (0, 2, 3, 4)))",
     "a script is queued, delivered, then done, failed, not done or queued again", NULL},
    {"script_content", "BEFORE UPDATE OF script, account, what, head, encipher, template", "script",
     NULL, "a script stays what it was", NULL},
    {"script_data", "BEFORE UPDATE OF data", "script",
     "NEW.data IS NOT NULL AND NEW.data IS DISTINCT FROM OLD.data",
     "the data of a script are erased and never changed", NULL},
    {"script_kept", "BEFORE DELETE", "script", NULL, "a script is never deleted", NULL},
};

/* What the card made: a TC may follow its own reversed ARQC (authorise.c). */
static const char version_2[] =
    "ALTER TABLE authorisation ADD COLUMN ac INTEGER CHECK (ac BETWEEN 0 AND 2);" /* AAC, TC, ARQC;
                                                                                     NULL: not
                                                                                     proved to be
                                                                                     the card's, or
                                                                                     of version 1 */
    "CREATE INDEX authorisation_counter ON authorisation (account, atc) WHERE ac IS NOT NULL;";

/* A script that did not reach its card waits again, so its data stay until it is done or failed. Of
 * version 1, what was delivered has none left. SQLite cannot change a table's checks: the rows
 * move. */
static const char version_3[] =
    "CREATE TABLE script_3 ("
    "  script INTEGER PRIMARY KEY CHECK (script BETWEEN 1 AND 4294967295)," /* 9F18 */
    "  account INTEGER NOT NULL REFERENCES account,"
    "  what TEXT NOT NULL,"
    "  head BLOB NOT NULL CHECK (length(head) = 4),"
    "  data BLOB," /* sealed; NULL when there are none, and when it is settled */
    "  encipher INTEGER NOT NULL CHECK (encipher IN (0, 1)),"
    "  template INTEGER NOT NULL CHECK (template IN (113, 114)),"       /* 71, 72 */
    "  state INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 4)," /* queued, delivered, done,
                                                                           failed, not done */
    "  deliveries INTEGER NOT NULL DEFAULT 0 CHECK (deliveries >= 0),"
    "  authorisation INTEGER REFERENCES authorisation," /* of the last delivery */
    "  queued INTEGER NOT NULL,"
    "  delivered INTEGER NOT NULL DEFAULT 0,"
    "  settled INTEGER NOT NULL DEFAULT 0,"
    "  CHECK ((deliveries = 0) = (authorisation IS NULL)),"
    "  CHECK (state = 0 OR deliveries > 0),"
    "  CHECK (state <= 1 OR data IS NULL)"
    ") STRICT;"
    "INSERT INTO script_3 SELECT script, account, what, head, data, encipher, template, state, "
    "state <> 0, authorisation, queued, delivered, settled"
    "  FROM script;"
    "DROP TABLE script;"
    "ALTER TABLE script_3 RENAME TO script;"
    "CREATE INDEX script_waiting ON script (account, script) WHERE state <= 1;"
    "CREATE TRIGGER script_way BEFORE UPDATE OF state ON script"
    "  WHEN NOT ((OLD.state = 0 AND NEW.state = 1) OR (OLD.state = 1 AND NEW.state IN (0, 2, 3, "
    "4)))"
    "  BEGIN SELECT RAISE(ABORT, 'a script is queued, delivered, then done, failed, not done or "
    "queued again'); END;"
    "CREATE TRIGGER script_content BEFORE UPDATE OF script, account, what, head, encipher, "
    "template ON script"
    "  BEGIN SELECT RAISE(ABORT, 'a script stays what it was'); END;"
    "CREATE TRIGGER script_data BEFORE UPDATE OF data ON script WHEN NEW.data IS NOT NULL AND "
    "NEW.data IS NOT OLD.data"
    "  BEGIN SELECT RAISE(ABORT, 'the data of a script are erased and never changed'); END;"
    "CREATE TRIGGER script_kept BEFORE DELETE ON script BEGIN SELECT RAISE(ABORT, 'a script is "
    "never deleted'); END;";

/* A late TC is looked for under its counter, credits of a day in their sum (authorise.c). */
static const char version_4[] =
    "CREATE INDEX authorisation_atc ON authorisation (account, atc);"
    "CREATE INDEX authorisation_credit ON authorisation (account, day) WHERE kind = 1;";

static const struct db_migration migrations[] = {
    {"knows what the card made", version_2},
    {"has a script that did not reach its card wait again", version_3},
    {"finds late TCs and the credits of a day by an index", version_4},
    {"says whose the file is", ""},
};

const struct db_schema issuer_schema = {
    .program = "telepay-issuer",
    .upgrade = "telepay-issuer upgrade",
    .mark = "script",
    .tables = tables,
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .migrations = migrations,
    .version = 5,
};
