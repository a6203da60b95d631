/* What the books are made of, and how what older versions made is brought up. */
#include "ledger/schema.h"

#include "ledger/ledger_priv.h"

/* Which payment a credit gives back, by the number of the question or of the credit. */
#define REFUND                                                                                     \
    "CREATE TABLE refund ("                                                                        \
    "  rrn INTEGER PRIMARY KEY CHECK (rrn BETWEEN 1 AND 999999999999),"                            \
    "  payment INTEGER NOT NULL REFERENCES tx"                                                     \
    ") STRICT;"                                                                                    \
    "CREATE INDEX refund_payment ON refund (payment);"

/* Integers only, amounts in the currency's minor unit, times in seconds since 1970 UTC, dates
 * YYYYMMDD. States as in ledger.h. Rows of tx are written once: what becomes of one stands in
 * reversal, suspense and the state of its remise, so that the close of a remise of a million
 * changes one row. */
static const char tables[] =
    "CREATE TABLE contract ("
    "  contract INTEGER PRIMARY KEY,"
    "  id TEXT NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 15),"
    "  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 40),"
    "  mcc INTEGER NOT NULL CHECK (mcc BETWEEN 0 AND 9999),"
    "  currency INTEGER NOT NULL CHECK (currency BETWEEN 1 AND 999),"
    "  country INTEGER NOT NULL CHECK (country BETWEEN 1 AND 999),"
    "  floor INTEGER NOT NULL CHECK (floor BETWEEN 0 AND 999999999999),"
    "  ceiling INTEGER NOT NULL CHECK (ceiling BETWEEN 1 AND 999999999999),"
    "  close_hour INTEGER NOT NULL CHECK (close_hour = -1 OR (close_hour BETWEEN 0 AND 2359 AND "
    "close_hour % 100 < 60)),"
    "  open INTEGER NOT NULL CHECK (open IN (0, 1)),"
    "  added INTEGER NOT NULL,"
    "  credit_day INTEGER NOT NULL DEFAULT 0 CHECK (credit_day BETWEEN 0 AND 999999999999),"
    "  no_cvm INTEGER NOT NULL DEFAULT 0 CHECK (no_cvm BETWEEN 0 AND 999999999999),"
    "  refund_alone INTEGER NOT NULL DEFAULT 0 CHECK (refund_alone IN (0, 1)),"
    "  siret TEXT NOT NULL DEFAULT '' CHECK (length(siret) IN (0, 14)),"
    "  town TEXT NOT NULL DEFAULT '' CHECK (length(town) <= 40),"
    "  postcode TEXT NOT NULL DEFAULT '' CHECK (length(postcode) <= 10)"
    ") STRICT;"
    /* Mediators, each with terminals of its own under the contracts that it sells for. */
    "CREATE TABLE mediator ("
    "  mediator INTEGER PRIMARY KEY,"
    "  name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 16),"
    "  open INTEGER NOT NULL CHECK (open IN (0, 1)),"
    "  added INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE terminal ("
    "  terminal INTEGER PRIMARY KEY,"
    "  contract INTEGER NOT NULL REFERENCES contract,"
    "  id TEXT NOT NULL CHECK (length(id) BETWEEN 1 AND 8),"
    "  open INTEGER NOT NULL CHECK (open IN (0, 1)),"
    "  added INTEGER NOT NULL,"
    "  serial TEXT CHECK (length(serial) = 8)," /* 9F1E */
    "  capabilities INTEGER NOT NULL DEFAULT 2136264 CHECK (capabilities BETWEEN 0 AND 16777215),"
    "  mediator INTEGER REFERENCES mediator," /* NULL: a merchant's own */
    "  UNIQUE (contract, id)"
    ") STRICT;"
    "CREATE UNIQUE INDEX terminal_serial ON terminal (serial);"
    "CREATE TABLE remise ("
    "  remise INTEGER PRIMARY KEY,"
    "  contract INTEGER NOT NULL REFERENCES contract,"
    "  number INTEGER NOT NULL CHECK (number >= 1),"
    "  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),"
    "  debits INTEGER NOT NULL DEFAULT 0 CHECK (debits >= 0),"
    "  debit_amount INTEGER NOT NULL DEFAULT 0 CHECK (debit_amount >= 0),"
    "  credits INTEGER NOT NULL DEFAULT 0 CHECK (credits >= 0),"
    "  credit_amount INTEGER NOT NULL DEFAULT 0 CHECK (credit_amount >= 0),"
    "  reversals INTEGER NOT NULL DEFAULT 0 CHECK (reversals >= 0),"
    "  reversal_amount INTEGER NOT NULL DEFAULT 0 CHECK (reversal_amount >= 0),"
    "  opened INTEGER NOT NULL,"
    "  closed INTEGER NOT NULL DEFAULT 0,"
    "  day INTEGER NOT NULL DEFAULT 0,"
    "  submitted INTEGER NOT NULL DEFAULT 0,"
    "  settled INTEGER NOT NULL DEFAULT 0,"
    "  attempts INTEGER NOT NULL DEFAULT 0,"
    "  hash BLOB CHECK (hash IS NULL OR length(hash) = 32),"
    "  outcome TEXT NOT NULL DEFAULT '',"
    "  UNIQUE (contract, number),"
    "  CHECK ((state = 0) = (day = 0)),"
    "  CHECK (state < 2 OR hash IS NOT NULL)"
    ") STRICT;"
    "CREATE UNIQUE INDEX remise_open ON remise (contract) WHERE state = 0;"
    "CREATE TABLE tx ("
    "  rrn INTEGER PRIMARY KEY CHECK (rrn BETWEEN 1 AND 999999999999),"
    "  remise INTEGER NOT NULL REFERENCES remise,"
    "  terminal INTEGER NOT NULL REFERENCES terminal,"
    "  date INTEGER NOT NULL CHECK (date BETWEEN 20000101 AND 99991231),"
    "  stan INTEGER NOT NULL CHECK (stan BETWEEN 0 AND 999999),"
    "  time INTEGER NOT NULL CHECK (time BETWEEN 0 AND 235959),"
    "  kind INTEGER NOT NULL CHECK (kind IN (0, 1)),"
    "  amount INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 999999999999),"
    "  psn INTEGER NOT NULL CHECK (psn BETWEEN 0 AND 255),"
    "  atc INTEGER NOT NULL CHECK (atc BETWEEN 0 AND 65535),"
    "  card_expiry INTEGER NOT NULL,"
    "  acknowledged INTEGER NOT NULL,"
    "  ac BLOB NOT NULL CHECK (length(ac) = 8),"
    "  digest BLOB NOT NULL CHECK (length(digest) = 32),"
    "  pan_lookup BLOB NOT NULL CHECK (length(pan_lookup) = 32),"
    "  pan_masked TEXT NOT NULL,"
    "  pan_sealed BLOB NOT NULL,"
    "  de55 BLOB NOT NULL CHECK (length(de55) <= 4096),"
    "  stream BLOB NOT NULL CHECK (length(stream) <= 4096),"
    "  aid BLOB NOT NULL" /* the application as signed; empty, of before: any */
    ") STRICT;"
    "CREATE UNIQUE INDEX tx_identity ON tx (terminal, date, stan);"
    "CREATE INDEX tx_remise ON tx (remise);"
    "CREATE INDEX tx_credit ON tx (acknowledged) WHERE kind = 1;"
    "CREATE INDEX tx_counter ON tx (pan_lookup, psn, atc);"
    "CREATE TABLE reversal ("
    "  terminal INTEGER NOT NULL REFERENCES terminal,"
    "  date INTEGER NOT NULL,"
    "  stan INTEGER NOT NULL,"
    "  rrn INTEGER UNIQUE REFERENCES tx," /* NULL: remembered before its 0200 */
    "  at INTEGER NOT NULL,"
    "  PRIMARY KEY (terminal, date, stan)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX reversal_unknown ON reversal (terminal, at) WHERE rrn IS NULL;"
    "CREATE TABLE suspense ("
    "  rrn INTEGER PRIMARY KEY REFERENCES tx,"
    "  reason TEXT NOT NULL,"
    "  since INTEGER NOT NULL,"
    "  settled INTEGER NOT NULL DEFAULT 0,"
    "  note TEXT NOT NULL DEFAULT '' CHECK ((settled = 0) = (note = ''))"
    ") STRICT;"
    "CREATE TABLE opposition ("
    "  pan_lookup BLOB PRIMARY KEY NOT NULL CHECK (length(pan_lookup) = 32),"
    "  pan_masked TEXT NOT NULL,"
    "  stolen INTEGER NOT NULL CHECK (stolen IN (0, 1)),"
    "  since INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    /* Questions to issuers. One is asked before its 0100 leaves, and its row says for good what
     * came of it; what is to be reversed at the issuer waits in it (state 3) until the issuer has
     * said so. Its number is DE 37, and that of the payment when one is kept. signed: no when no
     * signature of the card covers it. A TC is asked about again once a question that went without
     * an answer has been reversed, so that an identity may have several, the last of which
     * counts. */
    "CREATE TABLE authorisation ("
    "  rrn INTEGER PRIMARY KEY CHECK (rrn BETWEEN 1 AND 999999999999),"
    "  terminal INTEGER NOT NULL REFERENCES terminal,"
    "  date INTEGER NOT NULL CHECK (date BETWEEN 20000101 AND 99991231),"
    "  stan INTEGER NOT NULL CHECK (stan BETWEEN 0 AND 999999),"
    "  time INTEGER NOT NULL CHECK (time BETWEEN 0 AND 235959),"
    "  issuer TEXT NOT NULL CHECK (length(issuer) BETWEEN 1 AND 32),"
    "  arqc INTEGER NOT NULL CHECK (arqc IN (0, 1))," /* else a TC over the floor */
    "  kind INTEGER NOT NULL CHECK (kind IN (0, 1)),"
    "  amount INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 999999999999),"
    "  psn INTEGER NOT NULL CHECK (psn BETWEEN 0 AND 255),"
    "  atc INTEGER NOT NULL CHECK (atc BETWEEN 0 AND 65535),"
    "  digest BLOB NOT NULL CHECK (length(digest) = 32),"
    "  pan_lookup BLOB NOT NULL CHECK (length(pan_lookup) = 32),"
    "  pan_masked TEXT NOT NULL,"
    "  pan_sealed BLOB NOT NULL,"
    "  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),"
    "  asked INTEGER NOT NULL,"
    "  answered INTEGER NOT NULL DEFAULT 0,"
    "  released INTEGER NOT NULL DEFAULT 0,"
    "  code TEXT NOT NULL DEFAULT '' CHECK (length(code) <= 2)," /* what the terminal was told: DE
                                                                    39, 44, 38 and 55 */
    "  reason TEXT NOT NULL DEFAULT '',"
    "  approval TEXT NOT NULL DEFAULT '' CHECK (length(approval) <= 6),"
    "  answer BLOB NOT NULL CHECK (length(answer) <= 999),"
    "  card_expiry INTEGER NOT NULL DEFAULT 0," /* 0, of before: any */
    "  aid BLOB NOT NULL,"
    "  signed INTEGER NOT NULL DEFAULT 1 CHECK (signed IN (0, 1)),"
    "  CHECK ((state = 0) = (code = ''))"
    ") STRICT;"
    "CREATE INDEX authorisation_identity ON authorisation (terminal, date, stan);"
    "CREATE INDEX authorisation_card ON authorisation (pan_lookup, psn, atc);"
    "CREATE INDEX authorisation_asked ON authorisation (rrn) WHERE state = 0;"
    "CREATE INDEX authorisation_release ON authorisation (issuer, rrn) WHERE state = 3;"
    /* What a mediator passed on, by the number of the question or of the payment: the order's own
     * number (id) and the challenge's wire strings, as JSON; r, the hash that they come to;
     * message, the SHA-256 of the card's message as it was sealed; the payer device's signature
     * over both, where there is one; and what was signed of the outcome, once there is one. */
    "CREATE TABLE mediated ("
    "  rrn INTEGER PRIMARY KEY CHECK (rrn BETWEEN 1 AND 999999999999),"
    "  mediator INTEGER NOT NULL REFERENCES mediator,"
    "  id TEXT NOT NULL CHECK (length(id) = 26),"
    "  r BLOB NOT NULL CHECK (length(r) = 32),"
    "  message BLOB NOT NULL CHECK (length(message) = 32),"
    "  challenge TEXT NOT NULL,"
    "  device TEXT NOT NULL," /* empty: none */
    "  acknowledgement TEXT NOT NULL DEFAULT ''"
    ") STRICT;"
    "CREATE INDEX mediated_order ON mediated (mediator, id);" REFUND "CREATE TABLE refusal ("
    "  refusal INTEGER PRIMARY KEY,"
    "  at INTEGER NOT NULL,"
    "  contract TEXT NOT NULL,"
    "  terminal TEXT NOT NULL,"
    "  stan INTEGER NOT NULL,"
    "  amount INTEGER NOT NULL,"
    "  currency INTEGER NOT NULL,"
    "  pan_masked TEXT NOT NULL,"
    "  code TEXT NOT NULL,"
    "  reason TEXT NOT NULL"
    ") STRICT;"
    "CREATE TABLE refusal_day (" /* how many there were: of them at most REFUSALS_A_DAY (refusal.c)
                                    are kept */
    "  contract TEXT NOT NULL,"
    "  terminal TEXT NOT NULL,"
    "  day INTEGER NOT NULL,"
    "  count INTEGER NOT NULL,"
    "  PRIMARY KEY (contract, terminal, day)"
    ") STRICT, WITHOUT ROWID;"
    /* raised: the day on which books of before came to know payees; 0: they always did. What was
     * signed until then, and lay in a terminal's journal, names nobody. */
    "CREATE TABLE acquirer ("
    "  one INTEGER PRIMARY KEY CHECK (one = 1),"
    "  id TEXT NOT NULL CHECK (length(id) = 16),"
    "  raised INTEGER NOT NULL DEFAULT 0"
    ") STRICT;";

/* What must never be, whoever asks. */
static const struct db_rule rules[] = {
    {"tx_written_once", "BEFORE UPDATE", "tx", NULL, "a transaction is written once", NULL},
    {"tx_kept", "BEFORE DELETE", "tx", NULL, "a transaction is never deleted", NULL},
    {"tx_counter_once", "BEFORE INSERT", "tx",
     "EXISTS (SELECT 1 FROM tx AS o WHERE o.pan_lookup = NEW.pan_lookup AND o.psn = NEW.psn AND "
     "o.atc = NEW.atc AND o.card_expiry = NEW.card_expiry AND (o.aid = NEW.aid OR length(o.aid) = "
     "0) AND NOT EXISTS (SELECT 1 FROM reversal JOIN authorisation USING (rrn) WHERE rrn = o.rrn "
     "AND arqc = 1))",
     "a counter of a card counts once", NULL},
    {"remise_kept", "BEFORE DELETE", "remise", NULL, "a remise is never deleted", NULL},
    {"remise_gapless", "BEFORE INSERT", "remise",
     "NEW.state <> 0 OR NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM remise WHERE "
     "contract = NEW.contract)",
     "remises are numbered without a gap and begin open", NULL},
    {"remise_identity", "BEFORE UPDATE OF remise, contract, number, opened", "remise", NULL,
     "the number of a remise never changes", NULL},
    {"remise_way", "BEFORE UPDATE OF state", "remise",
     "NOT ((OLD.state = 0 AND NEW.state = 1) OR (OLD.state = 1 AND NEW.state = 2) OR (OLD.state = "
     "2 AND NEW.state IN (2, 3, 4)))",
     "a remise goes open, closed, submitted, then collected or rejected", NULL},
    {"remise_frozen",
     "BEFORE UPDATE OF debits, debit_amount, credits, credit_amount, reversals, reversal_amount, "
     "closed, day",
     "remise", "OLD.state <> 0", "a closed remise is frozen", NULL},
    {"remise_document", "BEFORE UPDATE OF hash", "remise",
     "OLD.hash IS NOT NULL AND NEW.hash IS DISTINCT FROM OLD.hash",
     "a remise is sent again with the identical bytes", NULL},
    {"contract_currency", "BEFORE UPDATE OF id, currency", "contract", NULL,
     "a contract keeps its number and currency", NULL},
    {"reversal_in_time", "BEFORE INSERT", "reversal",
     "NEW.rrn IS NOT NULL AND coalesce((SELECT state FROM remise JOIN tx USING (remise) WHERE "
     "tx.rrn = NEW.rrn), 1) <> 0",
     "an annulation is possible only before the close", NULL},
    {"reversal_kept", "BEFORE DELETE", "reversal", NULL, "a reversal is never undone", NULL},
    {"suspense_kept", "BEFORE DELETE", "suspense", NULL, "a suspense item is never deleted", NULL},
    {"suspense_settled", "BEFORE UPDATE", "suspense", "OLD.settled <> 0",
     "the item is settled already", NULL},
    {"authorisation_begins", "BEFORE INSERT", "authorisation", "NEW.state <> 0",
     "a question to an issuer begins as asked", NULL},
    {"authorisation_way", "BEFORE UPDATE OF state", "authorisation",
     "NOT ((OLD.state = 0 AND NEW.state IN (1, 2, 3)) OR (OLD.state = 1 AND NEW.state = 3) OR "
     "(OLD.state = 3 AND NEW.state = 4))",
     "what an issuer was asked goes asked, then approved, refused or to be reversed, then reversed",
     NULL},
    {"authorisation_written_once",
     "BEFORE UPDATE OF rrn, terminal, date, stan, time, issuer, arqc, kind, amount, psn, atc, "
     "digest, pan_lookup, pan_masked, pan_sealed, asked, card_expiry, aid, signed",
     "authorisation", NULL, "a question to an issuer is written once", NULL},
    {"authorisation_kept", "BEFORE DELETE", "authorisation", NULL,
     "a question to an issuer is never deleted", NULL},
    {"acquirer_stays", "BEFORE UPDATE", "acquirer", NULL, "an acquirer keeps its number", NULL},
    {"acquirer_kept", "BEFORE DELETE", "acquirer", NULL, "an acquirer keeps its number", NULL},
    {"terminal_mediator_stays", "BEFORE UPDATE OF mediator", "terminal", NULL,
     "a terminal keeps its mediator", NULL},
    {"mediator_name_stays", "BEFORE UPDATE OF mediator, name", "mediator", NULL,
     "a mediator keeps its name", NULL},
    {"mediated_once", "BEFORE INSERT", "mediated",
     "EXISTS (SELECT 1 FROM mediated AS o JOIN tx ON tx.rrn = o.rrn WHERE o.mediator = "
     "NEW.mediator AND o.id = NEW.id)",
     "an order is paid once", NULL},
    {"mediated_kept", "BEFORE DELETE", "mediated", NULL, "what was passed on is never deleted",
     NULL},
    {"mediated_written_once", "BEFORE UPDATE OF rrn, mediator, id, r, message, challenge, device",
     "mediated", NULL, "what was passed on is written once", NULL},
    {"mediated_answered_once", "BEFORE UPDATE OF acknowledgement", "mediated",
     "OLD.acknowledgement <> ''", "a payment is acknowledged once", NULL},
    {"refund_within", "BEFORE INSERT", "refund",
     "NOT EXISTS (SELECT 1 FROM tx AS p WHERE p.rrn = NEW.payment AND p.kind = 0 AND p.amount "
     ">= " REFUNDED(
         "p.rrn") " + coalesce((SELECT amount FROM tx WHERE rrn = NEW.rrn), (SELECT amount "
                  "FROM authorisation WHERE rrn = NEW.rrn), 0))",
     "no more is given back than was paid", NULL},
    {"refund_kept", "BEFORE DELETE", "refund", NULL, "what a credit gives back stays", NULL},
    {"refund_written_once", "BEFORE UPDATE", "refund", NULL, "what a credit gives back stays",
     NULL},
    {"terminal_serial_stays", "BEFORE UPDATE OF serial", "terminal", "OLD.serial IS NOT NULL",
     "a terminal keeps its serial", NULL},
};

/* ---- of before ---- */

/* Questions to issuers. One is asked before its 0100 leaves, and its row says for good what came of
 * it; what is to be reversed at the issuer waits in it (state 3) until the issuer has said so.
 * Its number is DE 37, and that of the payment when one is kept. card.undone: the payment of this
 * counter was asked online and is reversed, so that the card's TC of the same counter may come,
 * once. */
static const char version_2[] =
    "CREATE TABLE authorisation ("
    "  rrn INTEGER PRIMARY KEY CHECK (rrn BETWEEN 1 AND 999999999999),"
    "  terminal INTEGER NOT NULL REFERENCES terminal,"
    "  date INTEGER NOT NULL CHECK (date BETWEEN 20000101 AND 99991231),"
    "  stan INTEGER NOT NULL CHECK (stan BETWEEN 0 AND 999999),"
    "  time INTEGER NOT NULL CHECK (time BETWEEN 0 AND 235959),"
    "  issuer TEXT NOT NULL CHECK (length(issuer) BETWEEN 1 AND 32),"
    "  arqc INTEGER NOT NULL CHECK (arqc IN (0, 1))," /* else a TC over the floor */
    "  kind INTEGER NOT NULL CHECK (kind IN (0, 1)),"
    "  amount INTEGER NOT NULL CHECK (amount BETWEEN 1 AND 999999999999),"
    "  psn INTEGER NOT NULL CHECK (psn BETWEEN 0 AND 255),"
    "  atc INTEGER NOT NULL CHECK (atc BETWEEN 0 AND 65535),"
    "  digest BLOB NOT NULL CHECK (length(digest) = 32),"
    "  pan_lookup BLOB NOT NULL CHECK (length(pan_lookup) = 32),"
    "  pan_masked TEXT NOT NULL,"
    "  pan_sealed BLOB NOT NULL,"
    "  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),"
    "  asked INTEGER NOT NULL,"
    "  answered INTEGER NOT NULL DEFAULT 0,"
    "  released INTEGER NOT NULL DEFAULT 0,"
    "  code TEXT NOT NULL DEFAULT '' CHECK (length(code) <= 2)," /* what the terminal was told: DE
                                                                    39, 44, 38 and 55 */
    "  reason TEXT NOT NULL DEFAULT '',"
    "  approval TEXT NOT NULL DEFAULT '' CHECK (length(approval) <= 6),"
    "  answer BLOB NOT NULL DEFAULT x'' CHECK (length(answer) <= 999),"
    "  CHECK ((state = 0) = (code = ''))"
    ") STRICT;"
    "CREATE UNIQUE INDEX authorisation_identity ON authorisation (terminal, date, stan);"
    "CREATE INDEX authorisation_card ON authorisation (pan_lookup, psn, atc);"
    "CREATE INDEX authorisation_asked ON authorisation (rrn) WHERE state = 0;"
    "CREATE INDEX authorisation_release ON authorisation (issuer, rrn) WHERE state = 3;"
    "CREATE TRIGGER authorisation_begins BEFORE INSERT ON authorisation WHEN NEW.state <> 0"
    "  BEGIN SELECT RAISE(ABORT, 'a question to an issuer begins as asked'); END;"
    "CREATE TRIGGER authorisation_way BEFORE UPDATE OF state ON authorisation"
    "  WHEN NOT ((OLD.state = 0 AND NEW.state IN (1, 2, 3)) OR (OLD.state = 1 AND NEW.state = 3) "
    "OR (OLD.state = 3 AND NEW.state = 4))"
    "  BEGIN SELECT RAISE(ABORT, 'what an issuer was asked goes asked, then approved, refused or "
    "to be reversed, then reversed'); END;"
    "CREATE TRIGGER authorisation_written_once"
    "  BEFORE UPDATE OF rrn, terminal, date, stan, time, issuer, arqc, kind, amount, psn, atc, "
    "digest, pan_lookup, pan_masked, pan_sealed, asked"
    "  ON authorisation BEGIN SELECT RAISE(ABORT, 'a question to an issuer is written once'); END;"
    "CREATE TRIGGER authorisation_kept BEFORE DELETE ON authorisation"
    "  BEGIN SELECT RAISE(ABORT, 'a question to an issuer is never deleted'); END;"
    "ALTER TABLE card ADD COLUMN undone INTEGER NOT NULL DEFAULT 0 CHECK (undone IN (0, 1));"
    "DROP TRIGGER card_forward;"
    "CREATE TRIGGER card_forward BEFORE UPDATE ON card WHEN NEW.atc < OLD.atc OR (NEW.atc = "
    "OLD.atc AND NEW.undone = OLD.undone)"
    "  BEGIN SELECT RAISE(ABORT, 'the counter of a card only grows'); END;";

/* Payees, counters and credits. The acquirer's own number and each terminal's serial (9F1E) are
 * what a card's signature names its payee by (crypto/payee.h); a terminal of before keeps its
 * number as its serial, as its telepay.conf has it, unless two have the same. A counter of a card
 * counts once: tx.aid is the application as signed (x'' of before: any). */
#define SAME_COUNTER                                                                               \
    "o.pan_lookup = NEW.pan_lookup AND o.psn = NEW.psn AND o.atc = NEW.atc AND o.card_expiry = "   \
    "NEW.card_expiry AND o.aid IN (NEW.aid, x'')"
static const char version_3[] =
    "CREATE TABLE acquirer ("
    "  one INTEGER PRIMARY KEY CHECK (one = 1),"
    "  id TEXT NOT NULL CHECK (length(id) = 16)"
    ") STRICT;"
    "INSERT INTO acquirer (one, id) VALUES (1, hex(randomblob(8)));"
    "CREATE TRIGGER acquirer_stays BEFORE UPDATE ON acquirer BEGIN SELECT RAISE(ABORT, 'an "
    "acquirer keeps its number'); END;"
    "CREATE TRIGGER acquirer_kept BEFORE DELETE ON acquirer BEGIN SELECT RAISE(ABORT, 'an acquirer "
    "keeps its number'); END;"
    "ALTER TABLE terminal ADD COLUMN serial TEXT CHECK (length(serial) = 8);"
    "UPDATE terminal SET serial = iif(length(id) = 8 AND (SELECT count(*) FROM terminal AS o WHERE "
    "o.id = terminal.id) = 1, id,"
    "  iif(EXISTS (SELECT 1 FROM terminal AS o WHERE o.id = printf('T%07d', terminal.terminal)), "
    "hex(randomblob(4)), printf('T%07d', terminal)));"
    "CREATE UNIQUE INDEX terminal_serial ON terminal (serial);"
    "CREATE TRIGGER terminal_serial_stays BEFORE UPDATE OF serial ON terminal WHEN OLD.serial IS "
    "NOT NULL"
    "  BEGIN SELECT RAISE(ABORT, 'a terminal keeps its serial'); END;"
    "ALTER TABLE contract ADD COLUMN credit_day INTEGER NOT NULL DEFAULT 0 CHECK (credit_day "
    "BETWEEN 0 AND 999999999999);"
    "CREATE INDEX tx_credit ON tx (acknowledged) WHERE kind = 1;"
    "DROP TABLE card;"
    "ALTER TABLE tx ADD COLUMN aid BLOB NOT NULL DEFAULT x'';"
    "CREATE INDEX tx_counter ON tx (pan_lookup, psn, atc);"
    "CREATE TRIGGER tx_counter_once BEFORE INSERT ON tx"
    "  WHEN EXISTS (SELECT 1 FROM tx AS o WHERE " SAME_COUNTER
    "    AND NOT EXISTS (SELECT 1 FROM reversal JOIN authorisation USING (rrn) WHERE rrn = o.rrn "
    "AND arqc = 1))"
    "  BEGIN SELECT RAISE(ABORT, 'a counter of a card counts once'); END;"
    "ALTER TABLE authorisation ADD COLUMN card_expiry INTEGER NOT NULL DEFAULT 0;" /* 0, of before:
                                                                                      any */
    "ALTER TABLE authorisation ADD COLUMN aid BLOB NOT NULL DEFAULT x'';"
    "CREATE INDEX reversal_unknown ON reversal (terminal, at) WHERE rrn IS NULL;"
    "CREATE TABLE refusal ("
    "  refusal INTEGER PRIMARY KEY,"
    "  at INTEGER NOT NULL,"
    "  contract TEXT NOT NULL,"
    "  terminal TEXT NOT NULL,"
    "  stan INTEGER NOT NULL,"
    "  amount INTEGER NOT NULL,"
    "  currency INTEGER NOT NULL,"
    "  pan_masked TEXT NOT NULL,"
    "  code TEXT NOT NULL,"
    "  reason TEXT NOT NULL"
    ") STRICT;"
    "CREATE TABLE refusal_day (" /* how many there were: of them at most REFUSALS_A_DAY (refusal.c)
                                    are kept */
    "  contract TEXT NOT NULL,"
    "  terminal TEXT NOT NULL,"
    "  day INTEGER NOT NULL,"
    "  count INTEGER NOT NULL,"
    "  PRIMARY KEY (contract, terminal, day)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER authorisation_card_written_once BEFORE UPDATE OF card_expiry, aid ON "
    "authorisation"
    "  BEGIN SELECT RAISE(ABORT, 'a question to an issuer is written once'); END;";

/* Verification of the cardholder: contract.no_cvm, the most that a card may pay by itself without
 * any; terminal.capabilities, 9F33 as a number (2098C8 for those of before). authorisation.signed:
 * no when no signature of the card covers the question; a TC is asked about again once a question
 * that went without an answer has been reversed, so that an identity may have several, the last
 * of which counts. */
static const char version_4[] =
    "ALTER TABLE contract ADD COLUMN no_cvm INTEGER NOT NULL DEFAULT 0 CHECK (no_cvm BETWEEN 0 AND "
    "999999999999);"
    "UPDATE contract SET no_cvm = min(floor, 2000);"
    "ALTER TABLE terminal ADD COLUMN capabilities INTEGER NOT NULL DEFAULT 2136264 CHECK "
    "(capabilities BETWEEN 0 AND 16777215);"
    "ALTER TABLE authorisation ADD COLUMN signed INTEGER NOT NULL DEFAULT 1 CHECK (signed IN (0, "
    "1));"
    "CREATE TRIGGER authorisation_signed_once BEFORE UPDATE OF signed ON authorisation"
    "  BEGIN SELECT RAISE(ABORT, 'a question to an issuer is written once'); END;"
    "DROP INDEX authorisation_identity;"
    "CREATE INDEX authorisation_identity ON authorisation (terminal, date, stan);";

/* The day on which books of before came to know payees; 0: they always did. What was signed until
 * then, and lay in a terminal's journal, names nobody. */
static const char version_5[] = "ALTER TABLE acquirer ADD COLUMN raised INTEGER NOT NULL DEFAULT 0;"
                                "DROP TRIGGER acquirer_stays;"
                                "UPDATE acquirer SET raised = CAST(strftime('%Y%m%d', 'now', "
                                "'localtime') AS INTEGER) WHERE EXISTS (SELECT 1 FROM terminal);"
                                "CREATE TRIGGER acquirer_stays BEFORE UPDATE ON acquirer BEGIN "
                                "SELECT RAISE(ABORT, 'an acquirer keeps its number'); END;";

/* Mediators: whose terminal it is, and what each passed on. */
static const char version_7[] =
    "CREATE TABLE mediator ("
    "  mediator INTEGER PRIMARY KEY,"
    "  name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 16),"
    "  open INTEGER NOT NULL CHECK (open IN (0, 1)),"
    "  added INTEGER NOT NULL"
    ") STRICT;"
    "ALTER TABLE terminal ADD COLUMN mediator INTEGER REFERENCES mediator;"
    "CREATE TABLE mediated ("
    "  rrn INTEGER PRIMARY KEY CHECK (rrn BETWEEN 1 AND 999999999999),"
    "  mediator INTEGER NOT NULL REFERENCES mediator,"
    "  id TEXT NOT NULL CHECK (length(id) = 26),"
    "  r BLOB NOT NULL CHECK (length(r) = 32),"
    "  message BLOB NOT NULL CHECK (length(message) = 32),"
    "  challenge TEXT NOT NULL,"
    "  device TEXT NOT NULL,"
    "  acknowledgement TEXT NOT NULL DEFAULT ''"
    ") STRICT;"
    "CREATE INDEX mediated_order ON mediated (mediator, id);";

/* Refunds that name their payment; others are taken where a contract says so. */
static const char version_8[] = "ALTER TABLE contract ADD COLUMN refund_alone INTEGER NOT NULL "
                                "DEFAULT 0 CHECK (refund_alone IN "
                                "(0, 1));" REFUND;

/* Where the point of sale of a contract is, and its number: they stand on tickets. */
static const char version_9[] =
    "ALTER TABLE contract ADD COLUMN siret TEXT NOT NULL DEFAULT '' CHECK (length(siret) IN (0, "
    "14));"
    "ALTER TABLE contract ADD COLUMN town TEXT NOT NULL DEFAULT '' CHECK (length(town) <= 40);"
    "ALTER TABLE contract ADD COLUMN postcode TEXT NOT NULL DEFAULT '' CHECK (length(postcode) <= "
    "10);";

static const struct db_migration migrations[] = {
    {"adds what issuers were asked (authorisation)", version_2},
    {"gives the acquirer a number and each terminal a serial, which cards sign; counts each "
     "counter "
     "of a card once; adds refusals and a day's sum of credits",
     version_3},
    {"adds what a card may pay without its holder verified, and what each terminal can do",
     version_4},
    {"writes down the day on which the books came to know payees", version_5},
    {"writes down whose the books are, and holds them to the same rules as those of a server", ""},
    {"adds mediators and what they pass on", version_7},
    {"adds which payment a credit gives back", version_8},
    {"adds SIRET, town and postcode of contracts, for tickets", version_9},
};

const struct db_schema ledger_schema = {
    .program = "telepay-acquirer",
    .upgrade = "telepay-acquirer upgrade",
    .mark = "suspense",
    .tables = tables,
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .migrations = migrations,
    .version = sizeof(migrations) / sizeof(migrations[0]) + 1,
};
