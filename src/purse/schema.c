/* What a purse keeps. Amounts in the currency's minor unit, times in seconds since 1970 UTC, days
 * YYYYMMDD; what was signed, as it was signed. */
#include "purse/book_priv.h"
#include "store/schema.h"

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
    "  amount INTEGER,"
    "  payout INTEGER REFERENCES payout (payout),"
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
    "  opened INTEGER NOT NULL"
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
    "CREATE TABLE booking ("
    "  booking INTEGER PRIMARY KEY,"
    "  account TEXT NOT NULL REFERENCES account (account),"
    "  kind INTEGER NOT NULL,"
    "  amount INTEGER NOT NULL CHECK (amount > 0),"
    "  reference TEXT NOT NULL,"
    "  booked INTEGER NOT NULL,"
    "  record BLOB NOT NULL,"
    "  UNIQUE (kind, reference)"
    ") STRICT;"
    "CREATE INDEX booking_account ON booking (account);";

static const struct db_rule rules[] = {
    {"payment_stands", "BEFORE UPDATE", "payment", NULL, "a payment is written once", NULL},
    {"payment_kept", "BEFORE DELETE", "payment", NULL, "a payment is never deleted", NULL},
    {"payment_in_time", "BEFORE INSERT", "payment",
     "EXISTS (SELECT 1 FROM remise AS r WHERE r.remise = NEW.remise AND (r.closed IS NOT NULL OR "
     "r.contract <> NEW.contract))",
     "a payment belongs to the open remise of its contract", NULL},
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
    {"remise_frozen", "BEFORE UPDATE OF number, contract, day, closed, payments, amount", "remise",
     "OLD.closed IS NOT NULL", "a closed remise is frozen", NULL},
    {"remise_paid_once", "BEFORE UPDATE OF payout", "remise",
     "OLD.payout IS NOT NULL OR OLD.closed IS NULL", "a remise is paid out once, when it is closed",
     NULL},
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
    .version = 1,
};
