/* What a purse keeps. Amounts in the currency's minor unit, times in seconds since 1970 UTC, days
 * YYYYMMDD; what was signed, as it was signed. */
#include "purse/book_priv.h"
#include "store/schema.h"

#define ACCOUNT_RESERVED                                                                           \
    "reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0 AND reserved <= balance)"

#define BOOKING_COLUMNS                                                                            \
    "  booking INTEGER PRIMARY KEY,"                                                               \
    "  account TEXT NOT NULL REFERENCES account (account),"                                        \
    "  kind INTEGER NOT NULL,"                                                                     \
    "  amount INTEGER NOT NULL CHECK (amount > 0),"                                                \
    "  reference TEXT NOT NULL,"                                                                   \
    "  booked INTEGER NOT NULL,"                                                                   \
    "  record BLOB NOT NULL,"                                                                      \
    "  evidence BLOB," /* of what was paid by card: who says so */                                 \
    "  UNIQUE (kind, reference)"

/* What version 2 brought. */
#define TABLES_2                                                                                   \
    "CREATE TABLE seller ("                                                                        \
    "  seller TEXT PRIMARY KEY,"                                                                   \
    "  added INTEGER NOT NULL,"                                                                    \
    "  closed INTEGER"                                                                             \
    ") STRICT, WITHOUT ROWID;"                                                                     \
    "CREATE TABLE trust ("                                                                         \
    "  contract TEXT PRIMARY KEY," /* the purse's own, at an acquirer of cards … */              \
    "  authority TEXT NOT NULL,"   /* … whose authority this is: PEM */                          \
    "  added INTEGER NOT NULL,"                                                                    \
    "  closed INTEGER"                                                                             \
    ") STRICT, WITHOUT ROWID;"                                                                     \
    "CREATE TABLE reversal ("                                                                      \
    "  reversal INTEGER PRIMARY KEY,"                                                              \
    "  payment INTEGER NOT NULL UNIQUE REFERENCES payment (payment),"                              \
    "  reversed INTEGER NOT NULL,"                                                                 \
    "  demand BLOB NOT NULL"                                                                       \
    ") STRICT;"                                                                                    \
    "CREATE TABLE emptying ("                                                                      \
    "  emptying INTEGER PRIMARY KEY,"                                                              \
    "  account TEXT NOT NULL REFERENCES account (account),"                                        \
    "  counter INTEGER NOT NULL CHECK (counter > 0),"                                              \
    "  decided INTEGER NOT NULL,"                                                                  \
    "  amount INTEGER NOT NULL CHECK (amount > 0),"                                                \
    "  code TEXT NOT NULL,"                                                                        \
    "  reason TEXT NOT NULL,"                                                                      \
    "  iban TEXT NOT NULL,"                                                                        \
    "  name TEXT NOT NULL,"                                                                        \
    "  payout INTEGER REFERENCES payout (payout),"                                                 \
    "  statement BLOB NOT NULL,"                                                                   \
    "  record BLOB NOT NULL,"                                                                      \
    "  UNIQUE (account, counter),"                                                                 \
    "  CHECK (payout IS NULL OR code = '00')"                                                      \
    ") STRICT;"                                                                                    \
    "CREATE INDEX emptying_payout ON emptying (payout);"                                           \
    "CREATE TABLE provision ("                                                                     \
    "  provision INTEGER PRIMARY KEY,"                                                             \
    "  account TEXT NOT NULL REFERENCES account (account),"                                        \
    "  counter INTEGER NOT NULL CHECK (counter > 0),"                                              \
    "  decided INTEGER NOT NULL,"                                                                  \
    "  key BLOB NOT NULL," /* that signed it, and will sign the vouchers */                        \
    "  mediator TEXT NOT NULL,"                                                                    \
    "  session TEXT NOT NULL,"                                                                     \
    "  amount INTEGER NOT NULL CHECK (amount > 0),"                                                \
    "  currency INTEGER NOT NULL,"                                                                 \
    "  good_until INTEGER NOT NULL,"                                                               \
    "  code TEXT NOT NULL,"                                                                        \
    "  reason TEXT NOT NULL,"                                                                      \
    "  drawn INTEGER NOT NULL,"                                                                    \
    "  ended INTEGER," /* since then nothing is reserved any more */                               \
    "  demand BLOB,"   /* … by the mediator's word; NULL: by time */                             \
    "  statement BLOB NOT NULL,"                                                                   \
    "  acknowledgement BLOB NOT NULL,"                                                             \
    "  UNIQUE (account, counter),"                                                                 \
    "  CHECK (drawn >= 0 AND drawn <= amount)"                                                     \
    ") STRICT;"                                                                                    \
    "CREATE UNIQUE INDEX provision_session ON provision (session) WHERE code = '00';"              \
    "CREATE INDEX provision_open ON provision (good_until) WHERE code = '00' AND ended IS NULL;"   \
    "CREATE TABLE voucher ("                                                                       \
    "  voucher INTEGER PRIMARY KEY,"                                                               \
    "  provision INTEGER NOT NULL REFERENCES provision (provision),"                               \
    "  contract TEXT NOT NULL REFERENCES contract (contract),"                                     \
    "  remise INTEGER NOT NULL REFERENCES remise (remise),"                                        \
    "  presented INTEGER NOT NULL,"                                                                \
    "  total INTEGER NOT NULL,"                     /* what is claimed in all */                   \
    "  amount INTEGER NOT NULL CHECK (amount > 0)," /* … and more than before */                 \
    "  demand BLOB NOT NULL,"                                                                      \
    "  UNIQUE (provision, contract, total)"                                                        \
    ") STRICT;"                                                                                    \
    "CREATE INDEX voucher_remise ON voucher (remise);"

/* … and version 3: how a remise stands with the collection centre, and what that refused. */
#define REMISE_STATE    "state INTEGER CHECK (state IN (2, 3, 4))" /* enum remise_state, once sent */
#define REMISE_ATTEMPTS "attempts INTEGER NOT NULL DEFAULT 0"
#define REMISE_OUTCOME  "outcome TEXT NOT NULL DEFAULT ''"
#define TABLES_3                                                                                   \
    "CREATE TABLE suspense ("                                                                      \
    "  record INTEGER PRIMARY KEY," /* a payment, or a voucher */                                  \
    "  remise INTEGER NOT NULL REFERENCES remise (remise),"                                        \
    "  amount INTEGER NOT NULL CHECK (amount > 0),"                                                \
    "  reason TEXT NOT NULL,"                                                                      \
    "  since INTEGER NOT NULL,"                                                                    \
    "  settled INTEGER," /* by an operator, who said how */                                        \
    "  note TEXT NOT NULL DEFAULT ''"                                                              \
    ") STRICT;"                                                                                    \
    "CREATE INDEX suspense_remise ON suspense (remise);"

static const char tables[] =
    "CREATE TABLE purse ("
    "  one INTEGER PRIMARY KEY CHECK (one = 1),"
    "  acquirer TEXT NOT NULL"
    ") STRICT;"
    "CREATE TABLE mediator ("
    "  mediator TEXT PRIMARY KEY,"
    "  added INTEGER NOT NULL,"
    "  closed INTEGER"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE contract ("
    "  contract TEXT PRIMARY KEY,"
    "  name TEXT NOT NULL,"
    "  iban TEXT NOT NULL,"
    "  currency INTEGER NOT NULL,"
    "  added INTEGER NOT NULL,"
    "  closed INTEGER"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE payout ("
    "  payout INTEGER PRIMARY KEY,"
    "  currency INTEGER NOT NULL,"
    "  made INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE remise ("
    "  remise INTEGER PRIMARY KEY,"
    "  contract TEXT NOT NULL REFERENCES contract (contract),"
    "  number INTEGER NOT NULL CHECK (number > 0),"
    "  day INTEGER,"
    "  closed INTEGER,"
    "  payments INTEGER,"
    "  amount INTEGER," /* what is due: less what was reversed */
    "  payout INTEGER REFERENCES payout (payout),"
    "  reversals INTEGER," /* … of what was paid: how many, and what they come to */
    "  reversed INTEGER,"
    "  " REMISE_STATE ","
    "  hash BLOB," /* of the document, before its first byte left */
    "  " REMISE_ATTEMPTS ","
    "  submitted INTEGER,"
    "  settled INTEGER,"
    "  " REMISE_OUTCOME "," /* the centre's word */
    "  UNIQUE (contract, number)"
    ") STRICT;"
    "CREATE UNIQUE INDEX remise_open ON remise (contract) WHERE closed IS NULL;"
    "CREATE INDEX remise_payout ON remise (payout);"
    "CREATE TABLE account ("
    "  account TEXT PRIMARY KEY CHECK (length(account) = 43),"
    "  key BLOB NOT NULL UNIQUE CHECK (length(key) = 32),"
    "  currency INTEGER NOT NULL,"
    "  balance INTEGER NOT NULL CHECK (balance >= 0),"
    "  counter INTEGER NOT NULL,"
    "  day INTEGER NOT NULL,"   /* of the last payment: */
    "  spent INTEGER NOT NULL," /* … what all of it come to, and how many were refused */
    "  refused INTEGER NOT NULL,"
    "  state INTEGER NOT NULL,"
    "  reason TEXT NOT NULL,"
    "  opened INTEGER NOT NULL,"
    "  " ACCOUNT_RESERVED /* of the balance: what provisions hold */
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE account_key ("
    "  account TEXT NOT NULL REFERENCES account (account),"
    "  number INTEGER NOT NULL,"
    "  key BLOB NOT NULL UNIQUE,"
    "  statement BLOB NOT NULL,"
    "  since INTEGER NOT NULL,"
    "  PRIMARY KEY (account, number)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE payment ("
    "  payment INTEGER PRIMARY KEY,"
    "  account TEXT NOT NULL REFERENCES account (account),"
    "  counter INTEGER NOT NULL CHECK (counter > 0),"
    "  decided INTEGER NOT NULL,"
    "  mediator TEXT NOT NULL,"
    "  order_id TEXT NOT NULL,"
    "  contract TEXT NOT NULL,"
    "  amount INTEGER NOT NULL CHECK (amount > 0),"
    "  currency INTEGER NOT NULL,"
    "  code TEXT NOT NULL,"
    "  reason TEXT NOT NULL,"
    "  remise INTEGER REFERENCES remise (remise),"
    "  statement BLOB NOT NULL,"
    "  challenge BLOB NOT NULL,"
    "  acknowledgement BLOB NOT NULL,"
    "  UNIQUE (account, counter),"
    "  CHECK ((code = '00') = (remise IS NOT NULL))"
    ") STRICT;"
    "CREATE UNIQUE INDEX payment_order ON payment (mediator, order_id) WHERE code = '00';"
    "CREATE INDEX payment_remise ON payment (remise) WHERE remise IS NOT NULL;"
    "CREATE TABLE booking (" BOOKING_COLUMNS ") STRICT;"
    "CREATE INDEX booking_account ON booking (account);" TABLES_2 TABLES_3;

static const struct db_migration migrations[] = {
    {"knows what is given back, paid out to accounts, reserved and bought by vouchers, and numbers "
     "all records in one row",
     "ALTER TABLE remise ADD COLUMN reversals INTEGER;"
     "ALTER TABLE remise ADD COLUMN reversed INTEGER;"
     "UPDATE remise SET reversals = 0, reversed = 0 WHERE closed IS NOT NULL;"
     "ALTER TABLE account ADD COLUMN " ACCOUNT_RESERVED ";"
     "CREATE TABLE booking_2 (" BOOKING_COLUMNS ") STRICT;"
     "INSERT INTO booking_2 (booking, account, kind, amount, reference, booked, record)"
     " SELECT booking + (SELECT coalesce(max(payment), 0) FROM payment), account, kind, amount,"
     " reference, booked, record FROM booking;"
     "DROP TABLE booking;"
     "ALTER TABLE booking_2 RENAME TO booking;"
     "CREATE INDEX booking_account ON booking (account);" TABLES_2},
    {"knows how a remise stands with the collection centre",
     "ALTER TABLE remise ADD COLUMN " REMISE_STATE ";"
     "ALTER TABLE remise ADD COLUMN hash BLOB;"
     "ALTER TABLE remise ADD COLUMN " REMISE_ATTEMPTS ";"
     "ALTER TABLE remise ADD COLUMN submitted INTEGER;"
     "ALTER TABLE remise ADD COLUMN settled INTEGER;"
     "ALTER TABLE remise ADD COLUMN " REMISE_OUTCOME ";" TABLES_3},
};

static const struct db_rule rules[] = {
    {"payment_stands", "BEFORE UPDATE", "payment", NULL, "a payment is written once", NULL},
    {"payment_kept", "BEFORE DELETE", "payment", NULL, "a payment is never deleted", NULL},
    {"payment_in_time", "BEFORE INSERT", "payment",
     "EXISTS (SELECT 1 FROM remise AS r WHERE r.remise = NEW.remise AND (r.closed IS NOT NULL OR "
     "r.contract <> NEW.contract))",
     "a payment belongs to the open remise of its contract", NULL},
    {"payment_counter", "BEFORE INSERT", "payment",
     "EXISTS (SELECT 1 FROM emptying WHERE account = NEW.account AND counter = NEW.counter) OR "
     "EXISTS (SELECT 1 FROM provision WHERE account = NEW.account AND counter = NEW.counter)",
     "a counter counts once", NULL},
    {"emptying_counter", "BEFORE INSERT", "emptying",
     "EXISTS (SELECT 1 FROM payment WHERE account = NEW.account AND counter = NEW.counter) OR "
     "EXISTS (SELECT 1 FROM provision WHERE account = NEW.account AND counter = NEW.counter)",
     "a counter counts once", NULL},
    {"provision_counter", "BEFORE INSERT", "provision",
     "EXISTS (SELECT 1 FROM payment WHERE account = NEW.account AND counter = NEW.counter) OR "
     "EXISTS (SELECT 1 FROM emptying WHERE account = NEW.account AND counter = NEW.counter)",
     "a counter counts once", NULL},
    {"reversal_in_time", "BEFORE INSERT", "reversal",
     "NOT EXISTS (SELECT 1 FROM payment AS p JOIN remise AS r ON r.remise = p.remise WHERE "
     "p.payment = NEW.payment AND p.code = '00' AND r.closed IS NULL)",
     "what was paid is given back before its remise is closed", NULL},
    {"reversal_stands", "BEFORE UPDATE", "reversal", NULL, "a reversal is written once", NULL},
    {"reversal_kept", "BEFORE DELETE", "reversal", NULL, "a reversal is never deleted", NULL},
    {"emptying_stands",
     "BEFORE UPDATE OF emptying, account, counter, decided, amount, code, reason, iban, name, "
     "statement, record",
     "emptying", NULL, "an emptying is written once", NULL},
    {"emptying_paid_once", "BEFORE UPDATE OF payout", "emptying", "OLD.payout IS NOT NULL",
     "an emptying is paid out once", NULL},
    {"emptying_kept", "BEFORE DELETE", "emptying", NULL, "an emptying is never deleted", NULL},
    {"provision_stands",
     "BEFORE UPDATE OF provision, account, counter, decided, key, mediator, session, amount, "
     "currency, good_until, code, reason, statement, acknowledgement",
     "provision", NULL, "a provision is written once", NULL},
    {"provision_ends_once", "BEFORE UPDATE OF ended, demand", "provision", "OLD.demand IS NOT NULL",
     "a provision ends once", NULL},
    {"provision_kept", "BEFORE DELETE", "provision", NULL, "a provision is never deleted", NULL},
    {"voucher_in_time", "BEFORE INSERT", "voucher",
     "EXISTS (SELECT 1 FROM remise AS r WHERE r.remise = NEW.remise AND (r.closed IS NOT NULL OR "
     "r.contract <> NEW.contract))",
     "a voucher belongs to the open remise of its contract", NULL},
    {"voucher_stands", "BEFORE UPDATE", "voucher", NULL, "a voucher is written once", NULL},
    {"voucher_kept", "BEFORE DELETE", "voucher", NULL, "a voucher is never deleted", NULL},
    {"booking_stands", "BEFORE UPDATE", "booking", NULL, "a booking is written once", NULL},
    {"booking_kept", "BEFORE DELETE", "booking", NULL, "a booking is never deleted", NULL},
    {"account_kept", "BEFORE DELETE", "account", NULL, "an account is never deleted", NULL},
    {"account_closed", "BEFORE UPDATE OF state, balance", "account",
     "OLD.state = 2 OR (NEW.state = 2 AND NEW.balance <> 0)",
     "an account is closed empty, and for ever", NULL},
    {"account_identity", "BEFORE UPDATE OF account, currency, opened", "account", NULL,
     "an account keeps its number and currency", NULL},
    {"key_stands", "BEFORE UPDATE", "account_key", NULL, "what a key signed stands", NULL},
    {"key_kept", "BEFORE DELETE", "account_key", NULL, "the keys of an account are kept", NULL},
    {"remise_kept", "BEFORE DELETE", "remise", NULL, "a remise is never deleted", NULL},
    {"remise_gapless", "BEFORE INSERT", "remise",
     "NEW.closed IS NOT NULL OR NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM remise "
     "WHERE contract = NEW.contract)",
     "remises are numbered without a gap and begin open", NULL},
    {"remise_frozen",
     "BEFORE UPDATE OF number, contract, day, closed, payments, amount, reversals, reversed",
     "remise", "OLD.closed IS NOT NULL", "a closed remise is frozen", NULL},
    {"remise_paid_once", "BEFORE UPDATE OF payout", "remise",
     "OLD.payout IS NOT NULL OR OLD.closed IS NULL OR coalesce(OLD.state, 3) <> 3",
     "a remise is paid out once, when it is closed, and collected if it was sent", NULL},
    {"remise_way", "BEFORE UPDATE OF state", "remise",
     "OLD.closed IS NULL OR OLD.payout IS NOT NULL OR coalesce(NEW.state, 0) <> 2 AND "
     "coalesce(OLD.state, 0) <> 2 OR coalesce(OLD.state, 0) > 2",
     "a remise is sent when it is closed and not paid out, and settled once", NULL},
    {"remise_bytes", "BEFORE UPDATE OF hash", "remise",
     "OLD.hash IS NOT NULL AND (NEW.hash IS NULL OR NEW.hash <> OLD.hash)",
     "a remise is sent again with the same bytes", NULL},
    {"suspense_in_time", "BEFORE INSERT", "suspense",
     "NOT EXISTS (SELECT 1 FROM remise AS r WHERE r.remise = NEW.remise AND r.state = 2)",
     "what is refused is of a remise that was sent and is not settled", NULL},
    {"suspense_stands", "BEFORE UPDATE OF record, remise, amount, reason, since", "suspense", NULL,
     "what was refused stands", NULL},
    {"suspense_settled_once", "BEFORE UPDATE OF settled, note", "suspense",
     "OLD.settled IS NOT NULL", "what was refused is settled once", NULL},
    {"suspense_kept", "BEFORE DELETE", "suspense", NULL, "what was refused is never deleted", NULL},
    {"contract_currency", "BEFORE UPDATE OF contract, currency", "contract", NULL,
     "a contract keeps its number and currency", NULL},
};

const struct db_schema purse_schema = {
    .program = "telepay-purse",
    .upgrade = "telepay-purse upgrade",
    .mark = "purse",
    .tables = tables,
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .migrations = migrations,
    .version = sizeof(migrations) / sizeof(migrations[0]) + 1,
};
