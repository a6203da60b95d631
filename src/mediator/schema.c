/* What the mediator keeps. Amounts in the currency's minor unit, times in seconds since 1970 UTC.
 */
#include "mediator/orderbook.h"
#include "store/schema.h"

#define ATTEMPT_COLUMNS                                                                            \
    "  order_id TEXT NOT NULL REFERENCES mediated_order (id),"                                     \
    "  n INTEGER NOT NULL,"                                                                        \
    "  place INTEGER NOT NULL,"                                                                    \
    "  means INTEGER NOT NULL,"                                                                    \
    "  acquirer TEXT NOT NULL,"                                                                    \
    "  contract TEXT NOT NULL,"                                                                    \
    "  challenge_id TEXT NOT NULL UNIQUE,"                                                         \
    "  challenge TEXT NOT NULL,"                                                                   \
    "  terminal TEXT,"                                                                             \
    "  stan INTEGER,"                                                                              \
    "  day INTEGER,"                                                                               \
    "  local_time INTEGER,"                                                                        \
    "  sent INTEGER NOT NULL,"                                                                     \
    "  credential BLOB,"                                                                           \
    "  pays TEXT,"                                                                                 \
    "  beside TEXT,"                                                                               \
    "  outcome INTEGER NOT NULL,"                                                                  \
    "  code TEXT NOT NULL,"                                                                        \
    "  reason TEXT NOT NULL,"                                                                      \
    "  rrn TEXT NOT NULL,"                                                                         \
    "  acknowledgement TEXT,"                                                                      \
    "  answer TEXT,"                                                                               \
    "  reversal_stan INTEGER NOT NULL,"                                                            \
    "  reversal_day INTEGER NOT NULL,"                                                             \
    "  surplus INTEGER NOT NULL,"                                                                  \
    "  session TEXT,"                                                                              \
    "  PRIMARY KEY (order_id, n),"                                                                 \
    "  UNIQUE (contract, day, stan)"

/* What is written beside payments: dispute's state is enum dispute_state, signer the thumbprint of
 * who opened it; own: the mediator's letter. */
#define IDENTITIES                                                                                 \
    "CREATE TABLE identity_request ("                                                              \
    "  id TEXT PRIMARY KEY CHECK (length(id) = 26),"                                               \
    "  service TEXT NOT NULL,"                                                                     \
    "  reason TEXT NOT NULL,"                                                                      \
    "  url TEXT NOT NULL,"                                                                         \
    "  valid_until INTEGER NOT NULL,"                                                              \
    "  browser BLOB,"                                                                              \
    "  name TEXT,"                                                                                 \
    "  hash BLOB,"                                                                                 \
    "  wants_card INTEGER NOT NULL DEFAULT 0,"                                                     \
    "  by_card INTEGER NOT NULL DEFAULT 0"                                                         \
    ") STRICT, WITHOUT ROWID;"                                                                     \
    "CREATE INDEX identity_request_until ON identity_request (valid_until);"
#define DISPUTES                                                                                   \
    "CREATE TABLE dispute ("                                                                       \
    "  order_id TEXT PRIMARY KEY REFERENCES mediated_order (id),"                                  \
    "  contract TEXT NOT NULL,"                                                                    \
    "  reason TEXT NOT NULL,"                                                                      \
    "  state INTEGER NOT NULL,"                                                                    \
    "  opened INTEGER NOT NULL,"                                                                   \
    "  since INTEGER NOT NULL,"                                                                    \
    "  due INTEGER NOT NULL,"                                                                      \
    "  signer BLOB NOT NULL"                                                                       \
    ") STRICT, WITHOUT ROWID;"                                                                     \
    "CREATE INDEX dispute_state ON dispute (state, due);"                                          \
    "CREATE TABLE letter ("                                                                        \
    "  order_id TEXT NOT NULL REFERENCES dispute (order_id),"                                      \
    "  n INTEGER NOT NULL,"                                                                        \
    "  own INTEGER NOT NULL,"                                                                      \
    "  act TEXT NOT NULL,"                                                                         \
    "  hash BLOB NOT NULL UNIQUE,"                                                                 \
    "  at INTEGER NOT NULL,"                                                                       \
    "  jws TEXT NOT NULL,"                                                                         \
    "  PRIMARY KEY (order_id, n)"                                                                  \
    ") STRICT, WITHOUT ROWID;"
#define SESSION_TABLES                                                                             \
    "CREATE TABLE purse_session ("                                                                 \
    "  id TEXT PRIMARY KEY CHECK (length(id) = 26),"                                               \
    "  acquirer TEXT NOT NULL,"                                                                    \
    "  account TEXT NOT NULL,"                                                                     \
    "  account_key BLOB NOT NULL,"                                                                 \
    "  currency INTEGER NOT NULL,"                                                                 \
    "  amount INTEGER NOT NULL CHECK (amount > 0),"                                                \
    "  until INTEGER NOT NULL,"                                                                    \
    "  state INTEGER NOT NULL,"                                                                    \
    "  touched INTEGER NOT NULL,"                                                                  \
    "  acknowledgement TEXT NOT NULL"                                                              \
    ") STRICT, WITHOUT ROWID;"                                                                     \
    "CREATE INDEX purse_session_state ON purse_session (state);"                                   \
    "CREATE TABLE session_contract ("                                                              \
    "  session TEXT NOT NULL REFERENCES purse_session (id),"                                       \
    "  contract TEXT NOT NULL,"                                                                    \
    "  total INTEGER NOT NULL,"                                                                    \
    "  number INTEGER NOT NULL,"                                                                   \
    "  given_back INTEGER NOT NULL CHECK (given_back <= total),"                                   \
    "  presented INTEGER NOT NULL,"                                                                \
    "  voucher TEXT NOT NULL,"                                                                     \
    "  PRIMARY KEY (session, contract)"                                                            \
    ") STRICT, WITHOUT ROWID;"                                                                     \
    "CREATE INDEX attempt_session ON attempt (session) WHERE session IS NOT NULL;"

static const char tables[] =
    "CREATE TABLE service ("
    "  name TEXT PRIMARY KEY,"
    "  added INTEGER NOT NULL,"
    "  closed INTEGER"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE service_contract ("
    "  service TEXT NOT NULL REFERENCES service (name),"
    "  place INTEGER NOT NULL,"
    "  contract TEXT NOT NULL,"
    "  PRIMARY KEY (service, place),"
    "  UNIQUE (service, contract)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE mediated_order ("
    "  id TEXT PRIMARY KEY CHECK (length(id) = 26),"
    "  service TEXT NOT NULL REFERENCES service (name),"
    "  made INTEGER NOT NULL,"
    "  valid_until INTEGER NOT NULL,"
    "  state INTEGER NOT NULL,"
    "  since INTEGER NOT NULL,"
    "  method TEXT NOT NULL,"
    "  path TEXT NOT NULL,"
    "  query TEXT NOT NULL,"
    "  url TEXT NOT NULL,"
    "  digest TEXT NOT NULL,"
    "  item TEXT NOT NULL,"
    "  merchant TEXT NOT NULL,"
    "  amount INTEGER NOT NULL CHECK (amount > 0),"
    "  currency INTEGER NOT NULL,"
    "  delivery INTEGER NOT NULL,"
    "  per INTEGER NOT NULL,"
    "  quote BLOB NOT NULL,"
    "  claim BLOB,"
    "  code TEXT NOT NULL,"
    "  attempt INTEGER NOT NULL,"
    "  why TEXT NOT NULL,"
    "  session BLOB"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX mediated_order_state ON mediated_order (state, valid_until);"
    "CREATE INDEX mediated_order_made ON mediated_order (made, id);"
    "CREATE INDEX mediated_order_session ON mediated_order (session, url) WHERE session IS NOT "
    "NULL;"
    "CREATE TABLE attempt (" ATTEMPT_COLUMNS ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX attempt_reversal ON attempt (reversal_day);"
    "CREATE INDEX attempt_surplus ON attempt (surplus) WHERE surplus = 1;" SESSION_TABLES DISPUTES
        IDENTITIES;

/* Of an order 2: claimed; 9: reversed. Of a dispute 3: the last that can move; 4: settled. */
static const struct db_rule rules[] = {
    {"order_stands", "BEFORE UPDATE OF service, amount, currency, url, quote", "mediated_order",
     NULL, "an order stands as it was signed", NULL},
    {"order_stays", "BEFORE DELETE", "mediated_order", "OLD.state > 2",
     "an order for which something was submitted is kept", NULL},
    {"order_ended", "BEFORE UPDATE OF state", "mediated_order", "OLD.state = 9 AND NEW.state <> 9",
     "what was given back stays so", NULL},
    {"attempt_stays", "BEFORE DELETE", "attempt", "OLD.sent > 0", "what was submitted is kept",
     NULL},
    {"attempt_paid", "BEFORE UPDATE OF outcome, acknowledgement", "attempt",
     "OLD.outcome = 1 AND NEW.outcome <> 1", "what was acknowledged stays so", NULL},
    {"attempt_stands", "BEFORE UPDATE OF place, means, acquirer, contract, challenge", "attempt",
     NULL, "an attempt stands as it was signed", NULL},
    {"dispute_stays", "BEFORE DELETE", "dispute", NULL, "a dispute is kept", NULL},
    {"dispute_ended", "BEFORE UPDATE", "dispute", "OLD.state > 3",
     "what was settled or refused stays so", NULL},
    {"dispute_signed", "BEFORE UPDATE OF state", "dispute",
     "NEW.state > 3 AND NOT EXISTS (SELECT 1 FROM letter WHERE order_id = NEW.order_id AND act ="
     " CASE NEW.state WHEN 4 THEN 'settled' ELSE 'refused' END)",
     "nothing is settled or refused without a letter that says so", NULL},
    {"identity_stands", "BEFORE UPDATE", "identity_request", "OLD.hash IS NOT NULL",
     "who answered it stays so", NULL},
    {"letter_stands", "BEFORE UPDATE", "letter", NULL, "a letter stands as it was signed", NULL},
    {"letter_stays", "BEFORE DELETE", "letter", NULL, "a letter is kept", NULL},
    {"session_stands", "BEFORE UPDATE OF acquirer, account, account_key, currency, amount, until",
     "purse_session", NULL, "a session stands as the purse signed it", NULL},
    {"session_grows", "BEFORE UPDATE OF total, number, presented", "session_contract",
     "NEW.total < OLD.total OR NEW.number < OLD.number OR NEW.presented < OLD.presented",
     "what was taken by vouchers stays so", NULL},
};

/* An order had one contract, and what paid it was a card. */
static const struct db_migration migrations[] = {
    {"lets services sell under several contracts, and orders be paid by several means",
     "CREATE TABLE service_contract ("
     "  service TEXT NOT NULL REFERENCES service (name),"
     "  place INTEGER NOT NULL,"
     "  contract TEXT NOT NULL,"
     "  PRIMARY KEY (service, place),"
     "  UNIQUE (service, contract)"
     ") STRICT, WITHOUT ROWID;"
     "INSERT INTO service_contract (service, place, contract) SELECT name, 1, contract FROM "
     "service;"
     "ALTER TABLE service DROP COLUMN contract;"
     "CREATE TABLE attempt_2 (" ATTEMPT_COLUMNS ") STRICT, WITHOUT ROWID;"
     "INSERT INTO attempt_2 (order_id, n, place, means, acquirer, contract, challenge_id, "
     "challenge,"
     " terminal, stan, day, local_time, sent, credential, pays, beside, outcome, code, reason, rrn,"
     " acknowledgement, answer, reversal_stan, reversal_day, surplus) SELECT a.order_id, a.n, 1, 1,"
     " o.acquirer, a.contract, a.challenge_id, a.challenge, a.terminal, a.stan, a.day,"
     " a.local_time, a.sent, a.credential, a.sealed, a.device, a.outcome, a.code, a.reason, a.rrn,"
     " a.acknowledgement, a.answer, a.reversal_stan, a.reversal_day, 0"
     " FROM attempt a JOIN mediated_order o ON o.id = a.order_id;"
     "DROP TABLE attempt;"
     "ALTER TABLE attempt_2 RENAME TO attempt;"
     "CREATE INDEX attempt_reversal ON attempt (reversal_day);"
     "CREATE INDEX attempt_surplus ON attempt (surplus) WHERE surplus = 1;" SESSION_TABLES
     "ALTER TABLE mediated_order ADD COLUMN per INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE mediated_order DROP COLUMN acquirer;"
     "ALTER TABLE mediated_order DROP COLUMN contract;"},
    {"keeps disputes, and has users say who they are", DISPUTES IDENTITIES},
};

const struct db_schema mediator_schema = {
    .program = "telepay-mediator",
    .upgrade = "telepay-mediator upgrade",
    .mark = "mediated_order",
    .tables = tables,
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .migrations = migrations,
    .version = sizeof(migrations) / sizeof(migrations[0]) + 1,
    .unruled = 2,
};
