/* The table of faults: their names, what they do, and what terminal and acquirer must do about
 * each. */
#include "simcard/fault.h"

#include <stdlib.h>
#include <string.h>

#include "apdu/emvtags.h"
#include "base/text.h"

#define NUMBER_MAX 1000
#define ODA        "offline authentication failed"
#define ENDS       "end the transaction"

#define PLAIN(name, does, must)                                                                    \
    {                                                                                              \
        {name, does, must}, FAULT_TAKES_NOTHING, 0, 0                                              \
    }
#define NUMBER(name, n, max, d, m)                                                                 \
    {                                                                                              \
        {name, d, m}, FAULT_TAKES_NUMBER, n, max                                                   \
    }
#define HEXADECIMAL(name, n, max, d, m)                                                            \
    {                                                                                              \
        {name, d, m}, FAULT_TAKES_HEX, n, max                                                      \
    }

static const struct fault_kind kinds[FAULT_COUNT] = {
    [FAULT_EXPIRED_ICC_CERT] =
        PLAIN("expired-icc-certificate", "has a card certificate that ended in 2019", ODA),
    [FAULT_EXPIRED_ISSUER_CERT] =
        PLAIN("expired-issuer-certificate", "has an issuer certificate that ended in 2019", ODA),
    [FAULT_WRONG_PAN_CERT] =
        PLAIN("wrong-pan-certificate",
              "has a card certificate, rightly signed, for another card number", ODA),
    [FAULT_WRONG_ISSUER_HASH] =
        PLAIN("wrong-issuer-hash",
              "has an issuer exponent (9F32) that the certificate does not cover", ODA),
    [FAULT_ALTERED_DATA] =
        PLAIN("altered-data", "moves the expiry in a signed record ten years on", ODA),
    [FAULT_EXPIRED] = PLAIN("expired", "says that it expired in 2019", ODA ", expired application"),
    [FAULT_NOT_YET_EFFECTIVE] =
        PLAIN("not-yet-effective", "says that it is good from 2049 on", ODA ", not yet effective"),
    [FAULT_MISSING] = HEXADECIMAL(
        "missing[=TAG]", TAG_PAN, 0xFFFFFF, "lacks the data object TAG (5A) in its records",
        "5A 5F24 8C 8D: " ENDS "; of a certificate or 8E: ICC data missing"),
    [FAULT_TWICE] =
        HEXADECIMAL("twice[=TAG]", TAG_PAN, 0xFFFFFF, "has the data object TAG (5A) in two records",
                    ENDS ": redundant data (Book 3, 10.2)"),
    [FAULT_OTHER_TRACK2] = PLAIN("other-track2", "has another card number in 57 than in 5A",
                                 "go by 5A; issuer: compare"),
    [FAULT_HOSTILE_NAMES] =
        PLAIN("hostile-names", "has control characters in its label and cardholder's name",
              "print none of them"),
    [FAULT_WRONG_TEMPLATE] = PLAIN("wrong-template", "has its first record in template 77", ENDS),
    [FAULT_INDEFINITE_LENGTH] =
        PLAIN("indefinite-length", "has a record of indefinite length (80 … 00 00)",
              ENDS ": data do not parse"),
    [FAULT_TRAILING_BYTES] =
        PLAIN("trailing-bytes", "has bytes after the template of a record", ENDS),
    [FAULT_ZERO_PADDING] = PLAIN("zero-padding", "has 00 bytes between the objects of a record",
                                 "pass over them (Book 3, B1)"),
    [FAULT_WILD_AFL] =
        PLAIN("wild-afl", "has an AFL with file 0 and a last record before the first", ENDS),
    [FAULT_ODD_AFL] = PLAIN("odd-afl", "has an AFL whose last entry lacks a byte", ENDS),
    [FAULT_MISSING_RECORD] =
        PLAIN("missing-record", "names a record in the AFL that it does not have", ENDS),
    [FAULT_MANY_RECORDS] = PLAIN("many-records", "names 255 records in one entry of the AFL",
                                 ENDS ", reading no more than a bound"),
    [FAULT_AFL_OVERCOUNT] =
        PLAIN("afl-overcount", "has more signed records in an AFL entry than records", ENDS),
    [FAULT_HUGE_PDOL] = PLAIN("huge-pdol", "asks in its PDOL for more than a command holds", ENDS),
    [FAULT_BROKEN_PDOL] = PLAIN("broken-pdol", "has a PDOL that stops inside an entry", ENDS),
    [FAULT_UNKNOWN_CDOL] = PLAIN("unknown-cdol", "asks in CDOL1 for an object that nobody knows",
                                 "give zeros (Book 3, 5.4); " ODA),
    [FAULT_BROKEN_CDOL] = PLAIN("broken-cdol", "has a CDOL1 that stops inside an entry", ENDS),
    [FAULT_DDOL_WITHOUT_UN] =
        PLAIN("ddol-without-un", "signs without an unpredictable number: none in its DDOL",
              ODA " (Book 2, 6.5.1)"),
    [FAULT_TAG_LIST] = PLAIN("tag-list", "wants more than the AIP authenticated (9F4A is not 82)",
                             ODA " (Book 3, 10.3)"),
    [FAULT_UNKNOWN_INDEX] = PLAIN("unknown-index", "names an authority key (8F) that nobody has",
                                  ODA "; XDA: CA ECC key missing; acquirer: CA_KEY_UNKNOWN"),
    [FAULT_UNKNOWN_SUITE] =
        PLAIN("unknown-suite", "has a card certificate by elliptic curves of suite 12",
              "XDA: ECC key recovery failed; acquirer: ICC_CERT_ALGORITHM"),
    [FAULT_EMPTY_CVM_LIST] = PLAIN("empty-cvm-list", "has a CVM list without rules",
                                   "as without list: ICC data missing; " ODA),
    [FAULT_ODD_CVM_LIST] =
        PLAIN("odd-cvm-list", "has a CVM list whose last rule lacks a byte", ENDS),
    [FAULT_UNKNOWN_CVM] = PLAIN("unknown-cvm", "begins its CVM list with a method that is reserved",
                                "unrecognised CVM, next rule; " ODA),
    [FAULT_ENDLESS_RECORDS] = PLAIN("endless-records", "has a directory without last record",
                                    "stop reading it after a bound"),

    [FAULT_WRONG_SDAD] = PLAIN("wrong-sdad", "flips a bit of each signature",
                               "DDA or CDA failed; XDA signature verification failed; acquirer: "
                               "SDAD_TRAILER, XDA_SIGNATURE"),
    [FAULT_SDAD_HEADER] = PLAIN("sdad-header", "signs a block whose header is not 6A",
                                "DDA or CDA failed; acquirer: SDAD_HEADER"),
    [FAULT_SDAD_TRAILER] = PLAIN("sdad-trailer", "signs a block whose trailer is not BC",
                                 "DDA or CDA failed; acquirer: SDAD_TRAILER"),
    [FAULT_SDAD_FORMAT] = PLAIN("sdad-format", "signs a block of format 04 instead of 05",
                                "DDA, CDA or XDA failed; acquirer: SDAD_FORMAT, XDA_FORMAT"),
    [FAULT_LONG_DYNAMIC_NUMBER] =
        PLAIN("long-dynamic-number", "signs an ICC dynamic number longer than 8 bytes",
              "CDA failed, DDA does not look; acquirer: SDAD_DYNAMIC_DATA"),
    [FAULT_WRONG_DATA_HASH] = PLAIN("wrong-data-hash", "signs a hash of other transaction data",
                                    "CDA or XDA failed; acquirer: SDAD_DATA_HASH, XDA_SIGNATURE"),
    [FAULT_WRONG_UN] =
        PLAIN("wrong-un", "signs another unpredictable number", "CDA failed; acquirer: SDAD_HASH"),
    [FAULT_WRONG_CID] = PLAIN("wrong-cid", "shows a TC (9F27) over a signed ARQC",
                              "CDA or XDA failed; acquirer: SDAD_CID, XDA_SIGNATURE"),
    [FAULT_WRONG_AC] = PLAIN("wrong-ac", "gives a cryptogram of no key, rightly signed",
                             "only the issuer can tell, and declines"),
    [FAULT_HIGHER_AC] = PLAIN("higher-ac", "answers TC whatever was asked for",
                              ENDS " (Book 4, 6.3.7 and Book 3, 9.3.1)"),
    [FAULT_ALWAYS_AAC] =
        PLAIN("always-aac", "declines whatever was asked for", "the payment is declined"),
    [FAULT_ATC_REPLAY] = PLAIN("atc-replay", "counts no transaction: the ATC stays at 1",
                               "acquirer refuses the second payment: ATC_REPLAYED"),
    [FAULT_ATC_JUMP] =
        NUMBER("atc-jump[=N]", 1000, 65535, "shows an ATC N (1000) higher, FFFF at most",
               "issuer: outside its window"),
    [FAULT_ATC_BACK] = NUMBER("atc-back[=N]", 5, 65535, "shows an ATC N (5) lower, 1 at least",
                              "acquirer and issuer: ATC_REPLAYED when seen before"),
    [FAULT_ANY_ARPC] = PLAIN("any-arpc", "takes any issuer cryptogram for right",
                             "only who tests the card can tell: a wrong ARPC is answered 9000"),
    [FAULT_YES_CARD] = PLAIN("yes-card", "takes any PIN for right, and says so in its CVR",
                             "nothing: who can make such a card has its keys"),

    [FAULT_SHORT_SDAD] = PLAIN("short-sdad", "answers a signature one byte short",
                               "DDA, CDA or XDA failed; acquirer: SDAD_LENGTH, XDA_LENGTH"),
    [FAULT_UNSIGNED_CDA] =
        PLAIN("unsigned-cda", "answers without the signature that was asked for", "CDA failed"),
    [FAULT_FORMAT_1_CDA] = PLAIN(
        "format-1-cda", "answers in template 80 where a signature was asked for", "CDA failed"),
    [FAULT_AC_BESIDE_SDAD] = PLAIN("ac-beside-sdad", "adds a cryptogram (9F26) that is not signed",
                                   "CDA failed; acquirer: SDAD_DATA_HASH"),
    [FAULT_REPLAY_AC] = PLAIN("replay-ac", "gives its first GENERATE AC answer again for ever",
                              "CDA failed: another UN; acquirer: ATC_REPLAYED"),
    [FAULT_ARQC_AGAIN] = PLAIN("arqc-again", "answers an ARQC to the second GENERATE AC",
                               "counts as an AAC (Book 3, 9.3)"),
    [FAULT_RESERVED_CID] =
        PLAIN("reserved-cid", "answers a cryptogram of the reserved type 11", ENDS),
    [FAULT_DOUBLE_CID] = PLAIN("double-cid", "answers 9F27 twice, a TC before the true one", ENDS),
    [FAULT_LONG_IAD] = PLAIN("long-iad", "answers a 9F10 of more than 32 bytes", ENDS),
    [FAULT_AIP_DOWNGRADE] =
        PLAIN("aip-downgrade", "says in its AIP that it does no offline authentication",
              "as the TVR bit asks; acquirer: limits"),
    [FAULT_AIP_UPGRADE] = PLAIN("aip-upgrade", "says in its AIP that it does CDA",
                                ODA ", ICC data missing when it has no key"),
    [FAULT_GPO_REFUSED] = PLAIN("gpo-refused", "answers 6985 to GET PROCESSING OPTIONS",
                                "back to selection (Book 3, 10.1)"),
    [FAULT_GPO_WITHOUT_AFL] =
        PLAIN("gpo-without-afl", "answers no AFL to GET PROCESSING OPTIONS", ENDS),
    [FAULT_BLOCKED_APPLICATION] =
        PLAIN("blocked-application", "answers 6283 to SELECT of each application",
              "no application to take"),
    [FAULT_BLOCKED_CARD] =
        PLAIN("blocked-card", "answers 6A81 to SELECT", "card blocked: end (Book 1, 12.3.2)"),
    [FAULT_OTHER_NAME] = PLAIN("other-name", "answers SELECT with the name of another application",
                               "do not take it"),
    [FAULT_BROKEN_PSE] =
        PLAIN("broken-pse", "has directory records in template 77", "go by the list of AIDs"),
    [FAULT_EMPTY_PSE] =
        PLAIN("empty-pse", "has a directory without records", "go by the list of AIDs"),
    [FAULT_PIN_WEDGE] =
        PLAIN("pin-wedge", "answers 9000 to VERIFY, of which the card knows nothing",
              "issuer: 9F34 and CVR disagree"),
    [FAULT_PIN_LIES] = PLAIN("pin-lies", "always claims 15 tries, even when blocked",
                             "a bound of its own on PIN entry"),
    [FAULT_TRIES_HIDDEN] = PLAIN("tries-hidden", "does not say how many PIN tries are left (6A88)",
                                 "go on: 9F17 is optional"),
    [FAULT_SHORT_CHALLENGE] = PLAIN("short-challenge", "answers GET CHALLENGE with 4 bytes",
                                    "enciphered PIN failed (Book 2, 7.2)"),
    [FAULT_UNDECIPHERED] = PLAIN("undeciphered", "answers 6984 to VERIFY with an enciphered PIN",
                                 "PIN try limit exceeded (Book 3, 10.5.1)"),
    [FAULT_ISSUER_REFUSED] = PLAIN("issuer-refused", "answers 6300 to EXTERNAL AUTHENTICATE",
                                   "issuer authentication failed"),
    [FAULT_SCRIPT_REFUSED] = PLAIN("script-refused", "answers 6985 to each issuer script command",
                                   "script failed, in TVR and its result"),
    [FAULT_WARNING_RECORD] = PLAIN("warning-record", "answers READ RECORD with data and 6282",
                                   ENDS ": only 9000 is right"),
    [FAULT_STATUS] = HEXADECIMAL("status[=SW]", 0x6F00, 0xFFFF,
                                 "answers SW (6F00) to each command after selection",
                                 "as for that status word: " ENDS),
    [FAULT_RANDOM_SW] = PLAIN("random-sw", "answers each command with a random status word", ENDS),
    [FAULT_TRUNCATED_TLV] = PLAIN("truncated-tlv", "leaves the last byte out of each answer",
                                  ENDS ": data do not parse"),
    [FAULT_EMPTY] = PLAIN("empty", "answers 9000 without data", ENDS ": mandatory data missing"),
    [FAULT_OVERSIZED] =
        PLAIN("oversized", "answers with 300 bytes more than it should", ENDS ", no overrun"),
    [FAULT_NOISE] =
        PLAIN("noise", "answers random bytes of random length and 9000", ENDS ", no overrun"),
    [FAULT_ENDLESS_61] =
        PLAIN("endless-61", "promises more data (61xx) for ever", "stop after a bound"),
    [FAULT_ENDLESS_6C] =
        PLAIN("endless-6c", "corrects the wanted length (6Cxx) for ever", "stop after a bound"),
    [FAULT_BAD_ATR] = PLAIN("bad-atr", "sends an ATR whose check byte is wrong", "reject the card"),
    [FAULT_SLOW] = NUMBER("slow[=MS]", 300, 60000, "takes MS milliseconds (300) for each answer",
                          "wait, show progress"),
    [FAULT_MUTE] = NUMBER("mute[=N]", 1, NUMBER_MAX, "answers nothing from command N on",
                          "say so within the reader's waiting time"),
    [FAULT_TORN_OUT] = NUMBER("torn-out[=N]", 1, NUMBER_MAX, "leaves the reader at command N",
                              "end, nothing paid; with an AC given: keep it as unfinished"),
};

const struct card_fault_text *card_fault_at(size_t i)
{
    return i < FAULT_COUNT ? &kinds[i].text : NULL;
}

const struct fault_kind *fault_find(const char *name, size_t n, enum fault *which)
{
    for (size_t i = 0; i < FAULT_COUNT; i++) {
        const char *has = kinds[i].text.name;

        if (strcspn(has, "[") != n || strncmp(has, name, n) != 0)
            continue;
        *which = (enum fault)i;
        return &kinds[i];
    }
    return NULL;
}

enum tp_err fault_parse(struct fault_set *f, enum fault *which, const char *spec,
                        struct tp_error *e)
{
    const size_t n = strcspn(spec, "=");
    const struct fault_kind *kind = fault_find(spec, n, which);
    unsigned long number;
    char *end;

    if (kind == NULL)
        return tp_fail(e, TP_ERR_USAGE, "no fault is called \"%.*s\": --fault list shows all",
                       (int)n, spec);
    number = kind->number_default;
    if (spec[n] == '=' && kind->takes == FAULT_TAKES_NOTHING)
        return tp_fail(e, TP_ERR_USAGE, "\"%s\": the fault %s takes no number", spec,
                       kind->text.name);
    if (spec[n] == '=') {
        const bool hex = kind->takes == FAULT_TAKES_HEX;

        number = strtoul(spec + n + 1, &end, hex ? 16 : 10);
        if (*end != '\0' || end == spec + n + 1 || number == 0 || number > kind->number_max)
            return tp_fail(e, TP_ERR_USAGE,
                           hex ? N_("\"%s\": the fault %s takes hexadecimal digits from 1 to %X")
                               : N_("\"%s\": the fault %s takes a number from 1 to %u"),
                           spec, kind->text.name, kind->number_max);
    }
    f->on[*which] = true;
    f->number[*which] = (unsigned)number;
    return TP_OK;
}
