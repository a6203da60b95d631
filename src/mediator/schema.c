/* What the mediator keeps. Amounts in the currency's minor unit, times in seconds since 1970 UTC.
 */
#include "mediator/orderbook.h"
#include "store/schema.h"

/* What is written beside payments: dispute's state is enum dispute_state, signer the thumbprint of
 * who opened it; own: the mediator's letter. */
#define IDENTITIES                                                                                 \
    "CREATE TABLE identity_request ("                                                              \
    "  id TEXT PRIMARY KEY CHECK (length(id) = 26),"                                               \
    "  service TEXT NOT NULL,"                                                                     \
    "  reason TEXT NOT NULL,"                                                                      \
    "  url TEXT NOT NULL,"                                                                         \
    "  made INTEGER NOT NULL,"                                                                     \
    "  valid_until INTEGER NOT NULL,"                                                              \
    "  browser BLOB,"                                                                              \
    "  name TEXT,"                                                                                 \
    "  hash BLOB,"                                                                                 \
    "  jws TEXT"                                                                                   \
    ") STRICT, WITHOUT ROWID;"                                                                     \
    "CREATE INDEX identity_request_until ON identity_request (valid_until) WHERE jws IS NULL;"
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

static const char tables[] =
    "CREATE TABLE service ("
    "  name TEXT PRIMARY KEY,"
    "  contract TEXT NOT NULL,"
    "  added INTEGER NOT NULL,"
    "  closed INTEGER"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE mediated_order ("
    "  id TEXT PRIMARY KEY CHECK (length(id) = 26),"
    "  service TEXT NOT NULL REFERENCES service (name),"
    "  acquirer TEXT NOT NULL,"
    "  contract TEXT NOT NULL,"
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
    "CREATE TABLE attempt ("
    "  order_id TEXT NOT NULL REFERENCES mediated_order (id),"
    "  n INTEGER NOT NULL,"
    "  contract TEXT NOT NULL,"
    "  challenge_id TEXT NOT NULL UNIQUE,"
    "  challenge TEXT NOT NULL,"
    "  terminal TEXT NOT NULL,"
    "  stan INTEGER NOT NULL,"
    "  day INTEGER NOT NULL,"
    "  local_time INTEGER NOT NULL,"
    "  sent INTEGER NOT NULL,"
    "  credential BLOB,"
    "  sealed TEXT,"
    "  device TEXT,"
    "  outcome INTEGER NOT NULL,"
    "  code TEXT NOT NULL,"
    "  reason TEXT NOT NULL,"
    "  rrn TEXT NOT NULL,"
    "  acknowledgement TEXT,"
    "  answer TEXT,"
    "  reversal_stan INTEGER NOT NULL,"
    "  reversal_day INTEGER NOT NULL,"
    "  PRIMARY KEY (order_id, n),"
    "  UNIQUE (contract, day, stan)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX attempt_reversal ON attempt (reversal_day);" DISPUTES IDENTITIES;

static const struct db_migration migrations[] = {
    {"keeps disputes, and who said who they are", DISPUTES IDENTITIES},
};

/* Of an order 2: claimed; 7: delivered, 9: reversed. Of a dispute 3: the last that can move; 4:
 * settled. */
static const struct db_rule rules[] = {
    {"order_stands", "BEFORE UPDATE OF service, contract, amount, currency, url, quote",
     "mediated_order", NULL, "an order stands as it was signed", NULL},
    {"order_stays", "BEFORE DELETE", "mediated_order", "OLD.state > 2",
     "an order for which something was submitted is kept", NULL},
    {"order_ended", "BEFORE UPDATE OF state", "mediated_order", "OLD.state = 9 AND NEW.state <> 9",
     "what was given back stays so", NULL},
    {"attempt_stays", "BEFORE DELETE", "attempt", "OLD.sent > 0", "what was submitted is kept",
     NULL},
    {"attempt_paid", "BEFORE UPDATE OF outcome, acknowledgement", "attempt",
     "OLD.outcome = 1 AND NEW.outcome <> 1", "what was acknowledged stays so", NULL},
    {"dispute_stays", "BEFORE DELETE", "dispute", NULL, "a dispute is kept", NULL},
    {"dispute_ended", "BEFORE UPDATE", "dispute", "OLD.state > 3",
     "what was settled or refused stays so", NULL},
    {"dispute_signed", "BEFORE UPDATE OF state", "dispute",
     "NEW.state > 3 AND NOT EXISTS (SELECT 1 FROM letter WHERE order_id = NEW.order_id AND act ="
     " CASE NEW.state WHEN 4 THEN 'settled' ELSE 'refused' END)",
     "nothing is settled or refused without a letter that says so", NULL},
    {"identity_stands", "BEFORE UPDATE", "identity_request", "OLD.jws IS NOT NULL",
     "who answered it stays so", NULL},
    {"identity_stays", "BEFORE DELETE", "identity_request", "OLD.jws IS NOT NULL",
     "what was signed is kept", NULL},
    {"letter_stands", "BEFORE UPDATE", "letter", NULL, "a letter stands as it was signed", NULL},
    {"letter_stays", "BEFORE DELETE", "letter", NULL, "a letter is kept", NULL},
};

const struct db_schema mediator_schema = {
    .program = "telepay-mediator",
    .upgrade = "telepay-mediator upgrade",
    .mark = "mediated_order",
    .tables = tables,
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .migrations = migrations,
    .version = 2,
};
