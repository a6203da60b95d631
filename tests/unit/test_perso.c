/* The factory: what it refuses, what it writes, what it never shows. */
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/date.h"
#include "base/file.h"
#include "card_rig.h"
#include "crypto/capk.h"
#include "simcard/inproc.h"

static void rm_rf(const char *dir)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    ck_assert_int_eq(system(command), 0);
}

static void must_refuse(const struct perso_params *p, const char *word)
{
    struct card_profile *card;
    struct tp_error e = {TP_OK, ""};

    ck_assert_int_eq(perso_make(&card, rig_scheme(), p, &e), TP_ERR_USAGE);
    ck_assert_msg(strstr(e.text, word) != NULL, "\"%s\" does not speak of \"%s\"", e.text, word);
    ck_assert_ptr_null(card);
}

START_TEST(refuses_what_cannot_be)
    {
        struct perso_params good, p;

        rig_params(&good);
        p = good, p.pan = "9990150000000017";
        must_refuse(&p, "999014"); /* another issuer's */
        p = good, p.pan = "99901400000";
        must_refuse(&p, "12 to 19");
        p = good, p.pan = "99901400000000000048";
        must_refuse(&p, "12 to 19");
        p = good, p.pan = "999014000000001X";
        must_refuse(&p, "12 to 19");
        p = good, p.pan = "9990140000000018";
        must_refuse(&p, "which would be 5"); /* by hand 9+9+9+0+2+4+2 = 35 */
        p = good, p.apps[0].aid = "A0000000031010";
        must_refuse(&p, "begin with F");
        p = good, p.name = "X";
        must_refuse(&p, "26");
        p = good, p.name = "ABCDEFGHIJKLMNOPQRSTUVWXYZ/";
        must_refuse(&p, "26");
        p = good, p.pin = span_str("123");
        must_refuse(&p, "PIN");
        p = good, p.pin = span_str("12a4");
        must_refuse(&p, "PIN");
        p = good, p.expiry = 20491231;
        must_refuse(&p, "outlive");
        p = good, p.cvm = "pin,thumb";
        must_refuse(&p, "thumb");
        p = good, p.pdol = "9F3";
        must_refuse(&p, "PDOL");
        p = good, p.apps[0].aid = "F0000000";
        must_refuse(&p, "5 to 16");
        p = good, p.apps[0].label = "";
        must_refuse(&p, "label");
        p = good, p.exponent = 5;
        must_refuse(&p, "exponent");
        p = good, p.cdol1 = "9F02069F";
        must_refuse(&p, "CDOL1");
        p = good, p.cdol1 = "9F0206 9505";
        must_refuse(&p, "unpredictable"); /* Book 2, 6.6.1: the signature is over it */
        p = good, p.cdol2 = "8A02";
        must_refuse(&p, "unpredictable");
        p = good, p.cdol1 = "9F3704 9F02FF";
        must_refuse(&p, "a command holds");
        p = good, p.cdol2 = "";
        must_refuse(&p, "CDOL2");
        p = good, p.method = PERSO_DDA, p.ddol = "9A03";
        must_refuse(&p, "DDOL");
        p = good, p.aip = "39";
        must_refuse(&p, "AIP");
        p = good, p.iac_online = "FC";
        must_refuse(&p, "online");
        p = good, p.auc = "FF0000";
        must_refuse(&p, "usage");
        p = good, p.sfi[PERSO_SIGNED] = 11;
        must_refuse(&p, "files 1 to 10");
        p = good, p.record_max = 16;
        must_refuse(&p, "254");
    }
END_TEST

START_TEST(makes_what_looks_real_when_told_to)
    {
        struct scheme_params sp;
        struct scheme *s;
        struct perso_params p;
        struct card_profile *card;
        struct tp_error e;

        rig_params(&p);
        p.pan = "9990140000000018";
        p.any_check_digit = p.live_identifiers = true;
        p.apps[0].aid = "A0000000031010";
        ck_ok(perso_make(&card, rig_scheme(), &p, &e));
        profile_free(&card);
        scheme_defaults(&sp);
        sp.iin = "497010";
        sp.live_identifiers = true;
        ck_ok(scheme_new(&s, &sp, &e));
        scheme_free(&s);
    }
END_TEST

START_TEST(records_hold_what_a_strict_terminal_checks)
    {
        static const struct {
            uint32_t tag;
            const char *value; /* NULL: only there */
        } objects[] = {
            {0x57, "9990140000000015D301220100000F"},
            {0x5F20, "4455504F4E542F4D41524945"},
            {0x5A, "9990140000000015"},
            {0x5F24, "301231"},
            {0x5F25, "200101"},
            {0x5F28, "0250"},
            {0x5F30, "0201"},
            {0x5F34, "07"},
            {0x8E, "000000000000000001031F03"},
            {0x8F, "01"},
            {0x9F07, "FF00"},
            {0x9F08, "0001"},
            {0x9F0D, NULL},
            {0x9F0E, NULL},
            {0x9F0F, NULL},
            {0x9F32, "03"},
            {0x9F42, "0978"},
            {0x9F44, "02"},
            {0x9F46, NULL},
            {0x9F47, "03"},
            {0x9F48, NULL},
            {0x9F49, "9F3704"},
            {0x9F4A, "82"},
            {0x90, NULL},
            {0x8C, "9F02069F03069F1A0295055F2A029A039C019F37049F35019F34039F33039F1E089F09029F41049"
                   "F06079F7C20"},
            {0x8D, "8A029F02069F03069F1A0295055F2A029A039C019F37049F34039108"},
        };
        struct perso_params p;
        struct card_profile *card;
        struct tp_error e;

        rig_params(&p);
        p.name = "DUPONT/MARIE";
        p.issuer = PERSO_ISSUER_CDOL2;
        p.psn = 7;
        ck_ok(perso_make(&card, rig_scheme(), &p, &e));
        for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
            struct span v;

            ck_assert_msg(profile_object(card, objects[i].tag, &v) == TP_OK, "%X is missing",
                          (unsigned)objects[i].tag);
            if (objects[i].value != NULL)
                ck_hex(v, objects[i].value);
        }
        for (size_t i = 0; i < card->records_n; i++)
            ck_assert_uint_le(card->records[i].n, 254);
        ck_assert_str_eq(card->pan, RIG_PAN);
        profile_free(&card);
    }
END_TEST

START_TEST(odd_pan_is_padded)
    {
        struct perso_params p;
        struct card_profile *card;
        struct span v;
        struct tp_error e;

        rig_params(&p);
        p.pan = "9990140000000000004";
        ck_ok(perso_make(&card, rig_scheme(), &p, &e));
        ck_ok(profile_object(card, 0x5A, &v));
        ck_hex(v, "9990140000000000004F");
        ck_ok(profile_object(card, 0x57, &v));
        ck_hex(v, "9990140000000000004D301220100000");
        profile_free(&card);
    }
END_TEST

static struct card_profile *make(const struct perso_params *p)
{
    struct card_profile *card;
    struct tp_error e;

    ck_assert_msg(perso_make(&card, rig_scheme(), p, &e) == TP_OK, "%s", e.text);
    return card;
}

/* What a terminal gathers by the AFL (Book 3, 10.2 and 10.3) and the check of the card's
 * certificate over it: whatever the files, the chain holds. */
static enum emv_check chain_of(const struct card_profile *card, uint32_t cert_tag,
                               enum emv_icc_key which, size_t *records)
{
    static uint8_t raw[4096];
    struct buf data = BUF_OF(raw);
    struct span afl = {card->afl.p, card->afl.n}, entry, cert, exponent, remainder = {NULL, 0};
    struct emv_cert_info info = {0};
    enum emv_check outcome;

    *records = 0;
    while (afl.n > 0) {
        ck_ok(span_take(&afl, 4, &entry));
        ck_assert_uint_eq(entry.p[0] & 7, 0);
        ck_assert_uint_le(entry.p[3], entry.p[2] - entry.p[1] + 1U);
        for (unsigned n = entry.p[1]; n <= entry.p[2]; n++) {
            const struct profile_record *r =
                profile_record((struct card_profile *)(uintptr_t)card, entry.p[0] >> 3, (uint8_t)n);
            struct tlv template;

            ck_assert_ptr_nonnull(r);
            struct span in = {r->data, r->n};

            ck_ok(tlv_next(&in, &template));
            ck_assert_uint_eq(in.n, 0);
            if (n - entry.p[1] < entry.p[3])
                ck_ok(buf_put(&data, template.value));
            ++*records;
        }
    }
    ck_ok(buf_put(&data, SPAN_OF(card->aip)));
    ck_ok(profile_object(card, cert_tag, &cert));
    ck_ok(profile_object(card, cert_tag + 1, &exponent)); /* 9F47 after 9F46, 9F2E after 9F2D */
    if (profile_object(card, cert_tag + 2, &remainder) != TP_OK)
        remainder = span_of(NULL, 0);
    ck_ok(emv_icc_cert_check(
        &outcome, &info, which, emv_privkey_public(rig_scheme()->issuer), cert, remainder, exponent,
        which == EMV_ICC_KEY ? buf_span(&data) : span_of(NULL, 0), card->pan, RIG_DATE));
    emv_pubkey_free(&info.key);
    return outcome;
}

START_TEST(records_in_any_file)
    {
        static const struct {
            uint8_t sfi[PERSO_FILES];
            size_t record_max, records;
            const char *afl;
        } lines[] = {
            {{1, 2, 3}, 254, 6, "080101001001020218010300"},
            {{10, 7, 9}, 254, 6, "500101003801020248010300"},
            {{4, 4, 4}, 254, 6, "200101002002030220040600"},
            {{2, 1, 2},
             254,
             6,
             "100101000801020210020400"}, /* the open file goes on after the signed one */
            {{1, 2, 3}, 32, 0, NULL},
        };

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            struct perso_params p;
            size_t records;

            rig_params(&p);
            memcpy(p.sfi, lines[i].sfi, sizeof(p.sfi));
            p.record_max = lines[i].record_max;
            struct card_profile *card = make(&p);

            ck_assert_str_eq(emv_check_name(chain_of(card, 0x9F46, EMV_ICC_KEY, &records)),
                             emv_check_name(EMV_CHECK_OK));
            ck_assert_uint_eq(records, card->records_n);
            if (lines[i].afl != NULL) {
                ck_hex(span_of(card->afl.p, card->afl.n), lines[i].afl);
                ck_assert_uint_eq(records, lines[i].records);
            } else {
                ck_assert_uint_gt(records,
                                  10); /* and none longer than wanted but with one object alone */
                for (size_t k = 0; k < card->records_n; k++) {
                    struct span in = {card->records[k].data, card->records[k].n};
                    struct tlv template, object;
                    size_t objects = 0;

                    ck_ok(tlv_next(&in, &template));
                    while (tlv_next(&template.value, &object) == TP_OK)
                        objects++;
                    ck_assert(card->records[k].n <= 32 || objects == 1);
                }
            }
            profile_free(&card);
        }
    }
END_TEST

START_TEST(a_key_for_the_pin)
    {
        struct perso_params p;
        struct card_profile *card;
        struct span v;
        size_t records;

        rig_params(&p);
        p.pin_bits = 1024;
        p.cvm = "enciphered-pin,none";
        card = make(&p);
        ck_assert_ptr_nonnull(card->pin_key);
        ck_assert_str_eq(emv_check_name(chain_of(card, 0x9F2D, EMV_ICC_PIN_KEY, &records)),
                         emv_check_name(EMV_CHECK_OK));
        ck_assert_str_eq(emv_check_name(chain_of(card, 0x9F46, EMV_ICC_KEY, &records)),
                         emv_check_name(EMV_CHECK_OK));
        profile_free(&card);

        /* no DDA, and still a key: Book 2, 7.1 takes the card's own where there is none for PINs */
        p.pin_bits = 0;
        p.method = PERSO_SDA;
        card = make(&p);
        ck_assert_ptr_null(card->pin_key);
        ck_assert_ptr_nonnull(card->key);
        ck_ok(profile_object(card, 0x9F46, &v));
        ck_ok(profile_object(card, 0x93, &v));
        ck_hex(SPAN_OF(card->aip), "5800");
        profile_free(&card);

        p.pin_bits = 768;
        card = make(&p);
        ck_assert_ptr_null(card->key);
        ck_assert_ptr_nonnull(card->pin_key);
        profile_free(&card);
    }
END_TEST

/* AIP: Book 3, table 41. 91 holds an ARPC and an ARC (10 bytes, method 1) or an ARPC and a CSU (8
 * bytes, method 2): Book 2, 8.2. */
START_TEST(how_an_issuer_reaches_the_card)
    {
        static const struct {
            enum emv_cvn cvn;
            enum perso_issuer issuer;
            unsigned arpc;
            const char *aip, *cdol2;
        } lines[] = {
            {EMV_CVN_18, PERSO_ISSUER_CDOL2, 0, "3900",
             "8A029F02069F03069F1A0295055F2A029A039C019F37049F34039108"},
            {EMV_CVN_10, PERSO_ISSUER_CDOL2, 0, "3900",
             "8A029F02069F03069F1A0295055F2A029A039C019F37049F3403910A"},
            {EMV_CVN_18, PERSO_ISSUER_CDOL2, 1, "3900",
             "8A029F02069F03069F1A0295055F2A029A039C019F37049F3403910A"},
            {EMV_CVN_18, PERSO_ISSUER_EXTERNAL, 0, "3D00",
             "8A029F02069F03069F1A0295055F2A029A039C019F37049F3403"},
            {EMV_CVN_10, PERSO_ISSUER_NONE, 0, "3900",
             "8A029F02069F03069F1A0295055F2A029A039C019F37049F3403"},
            {EMV_CCD_AES, PERSO_ISSUER_CDOL2, 0, "3900",
             "8A029F02069F03069F1A0295055F2A029A039C019F37049F34039108"},
            {EMV_CCD_3DES, PERSO_ISSUER_CDOL2, 0, "3900",
             "8A029F02069F03069F1A0295055F2A029A039C019F37049F34039108"},
        };

        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            struct perso_params p;
            struct span v;

            rig_params(&p);
            p.cvn = lines[i].cvn;
            p.issuer = lines[i].issuer;
            p.arpc = lines[i].arpc;
            struct card_profile *card = make(&p);

            ck_hex(SPAN_OF(card->aip), lines[i].aip);
            ck_ok(profile_object(card, 0x8D, &v));
            ck_hex(v, lines[i].cdol2);
            ck_assert_int_eq(card->cvn, lines[i].cvn);
            ck_assert_uint_eq(card->ac_key.n, 16);
            profile_free(&card);
        }
    }
END_TEST

/* Of what the Common Core Definitions of Books 2 and 3 forbid, each alone: refused with its clause;
 * and the same of a Visa card is taken. */
struct forbidden {
    enum perso_issuer issuer;
    unsigned arpc;
    const char *cdol2, *ddol, *aip;
    uint8_t format;
    bool block_on_tries;
    uint32_t not_online, not_unable; /* risks taken out of the usual ones */
    const char *clause;
};

static const struct forbidden forbidden[] = {
    {.issuer = PERSO_ISSUER_EXTERNAL, .clause = "Book 3, 6.5.4"},
    {.issuer = PERSO_ISSUER_NONE, .clause = "Book 3, 6.5.5.3"},
    {.cdol2 = "91089F3704", .clause = "Book 3, 6.5.5.3"},
    {.cdol2 = "8A0291089F37049814", .clause = "Book 3, 9.2.2"},
    {.cdol2 = "8A0291089F37049F3A04", .clause = "Book 3, table CCD 6"},
    {.arpc = 1, .clause = "Book 2, 8.2"},
    {.ddol = "", .clause = "Book 2, 6.5.1"},
    {.ddol = "9F37049A03", .clause = "Book 2, 6.5.1"},
    {.aip = "2900", .clause = "Book 3, 10.5"},
    {.format = 1, .clause = "Book 3, 6.2"},
    {.block_on_tries = true, .clause = "Book 3, 9.2.3.3"},
    {.not_online = CARD_RISK_NOT_COMPLETED, .clause = "Book 3, 9.2.3.3"},
    {.not_online = CARD_RISK_GO_ONLINE, .clause = "10.11.1.1"},
    {.not_unable = CARD_RISK_AMOUNT_MAXIMUM, .clause = "Book 3, 9.2.3.3"},
};

START_TEST(what_the_common_core_forbids)
    {
        const struct forbidden *f = &forbidden[_i];
        static const enum emv_cvn kinds[] = {EMV_CCD_3DES, EMV_CCD_AES, EMV_CVN_18};

        for (size_t i = 0; i < 3; i++) {
            struct card_profile *card = NULL;
            struct perso_params p;
            struct tp_error e = {TP_OK, ""};

            rig_params(&p);
            p.cvn = kinds[i];
            p.issuer = f->issuer;
            p.arpc = f->arpc;
            p.cdol2 = f->cdol2;
            p.ddol = f->ddol;
            p.aip = f->aip;
            p.format = f->format != 0 ? f->format : 2;
            p.block_on_tries = f->block_on_tries;
            p.ask_online &= ~f->not_online;
            p.decline_unable &= ~f->not_unable;
            if (kinds[i] == EMV_CVN_18) {
                card = make(&p);
                profile_free(&card);
                continue;
            }
            ck_assert_int_eq(perso_make(&card, rig_scheme(), &p, &e), TP_ERR_USAGE);
            ck_assert_int_eq(e.code, TP_ERR_USAGE);
            ck_assert_ptr_null(card);
            ck_assert_msg(strstr(e.text, f->clause) != NULL &&
                              strstr(e.text, "Common Core") != NULL,
                          "%s", e.text);
        }
    }
END_TEST

/* AES keys are diversified by AES over the PAN, option C (Book 2, A1.4.3): here with OpenSSL alone,
 * from the scheme's own key. */
START_TEST(aes_master_keys)
    {
        UNHEX(input, "00000000000000009990140000000015"
                     "07");
        uint8_t block[16], want[32];
        int n;
        struct perso_params p;
        EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();

        /* PAN and PSN, right-justified in 16 bytes */
        memcpy(block, input.p + 1, 16);
        ck_assert_int_eq(
            EVP_EncryptInit_ex2(aes, EVP_aes_128_ecb(), rig_scheme()->ac_aes_key.p, NULL, NULL), 1);
        ck_assert_int_eq(EVP_EncryptUpdate(aes, want, &n, block, 16), 1);
        EVP_CIPHER_CTX_free(aes);
        rig_params(&p);
        p.psn = 7;
        p.cvn = EMV_CCD_AES;
        p.issuer = PERSO_ISSUER_CDOL2;
        struct card_profile *card = make(&p);

        ck_assert(secret_eq(secret_span(&card->ac_key), span_of(want, 16)));
        profile_free(&card);
    }
END_TEST

START_TEST(lists_of_the_card_s_own)
    {
        struct perso_params p;
        struct card_profile *card;
        struct span v;

        rig_params(&p);
        p.cdol1 = "9F3704 DF7A05 9F0206";
        p.cdol2 = "8A02 9F3704 91 10";
        p.ddol = "";
        p.pdol = "";
        p.terminal_lower = 0;
        p.terminal_upper = 255;
        p.auc = "8000";
        p.iac_denial = "0000000000";
        p.cvm_x = 5000;
        p.cvm_y = 10000;
        p.cvm = "none-under-x,pin";
        card = make(&p);
        ck_ok(profile_object(card, 0x8C, &v));
        ck_hex(v, "9F3704DF7A059F0206");
        ck_hex(span_of(card->cdol2.p, card->cdol2.n), "8A029F37049110");
        ck_assert_int_eq(profile_object(card, 0x9F49, &v), TP_ERR_NOT_FOUND);
        ck_assert_uint_eq(card->pdol.n, 0);
        ck_ok(profile_object(card, 0x9F14, &v));
        ck_hex(v, "00");
        ck_ok(profile_object(card, 0x9F23, &v));
        ck_hex(v, "FF");
        ck_ok(profile_object(card, 0x9F07, &v));
        ck_hex(v, "8000");
        ck_ok(profile_object(card, 0x8E, &v));
        ck_hex(v, "0000138800002710"
                  "1F06"
                  "0103"); /* amounts in binary: Book 3, 10.5 */
        profile_free(&card);
    }
END_TEST

START_TEST(cvm_lists)
    {
        uint8_t raw[64];
        struct buf b = BUF_OF(raw);
        struct tp_error e;

        ck_ok(perso_cvm_list(&b, 0, 0, "pin-or-next,online-pin,signature,none-always,5E06", &e));
        ck_hex(buf_span(&b), "0000000000000000"
                             "4103"
                             "0203"
                             "1E03"
                             "1F00"
                             "5E06");
        b.n = 0;
        ck_ok(perso_cvm_list(&b, 0, 0, "", &e));
        ck_hex(buf_span(&b), "0000000000000000");
        b.n = 0;
        ck_assert_int_eq(perso_cvm_list(&b, 0, 0, "pin,,none", &e), TP_ERR_USAGE);
    }
END_TEST

static void check_mode(const char *dir, const char *name, mode_t mode)
{
    char path[128];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, mode);
}

START_TEST(scheme_and_card_come_back_from_their_folders)
    {
        char dir[64] = "/tmp/telepay-perso-XXXXXX", path[128];
        struct scheme *again;
        struct capk_store *store;
        struct perso_params p;
        struct card_profile *made, *read;
        struct card *card;
        struct tp_error e;

        ck_assert_ptr_nonnull(mkdtemp(dir));
        snprintf(path, sizeof(path), "%s/scheme", dir);
        ck_ok(scheme_save(rig_scheme(), path, &e));
        ck_assert_int_eq(scheme_save(rig_scheme(), path, &e), TP_ERR_EXISTS);
        check_mode(path, "authority.key", 0600);
        check_mode(path, "issuer.key", 0600);
        check_mode(path, "issuer.secret", 0600);
        check_mode(path, "issuer-aes.secret", 0600);
        ck_ok(scheme_load(&again, path, &e));
        ck_assert(
            span_eq(secret_span(&again->smi_aes_key), secret_span(&rig_scheme()->smi_aes_key)));
        ck_assert(span_eq(secret_span(&again->ac_key), secret_span(&rig_scheme()->ac_key)));

        /* the public part as acquirer and terminal load it, its SHA-1 recomputed there */
        snprintf(path, sizeof(path), "%s/scheme/authority.json", dir);
        ck_ok(capk_store_new(&store));
        ck_assert_msg(capk_store_load(store, path, &e) == TP_OK, "%s", e.text);
        UNHEX(rid, "F000000014");
        const struct capk *key = capk_find(store, rid, 1, 0);

        ck_assert_ptr_nonnull(key);
        ck_assert(!key->live);
        ck_assert_int_ge(key->expiry, again->issuer_expiry);
        ck_assert(span_eq(emv_pubkey_modulus(key->key),
                          emv_pubkey_modulus(emv_privkey_public(again->authority))));
        capk_store_free(&store);

        rig_params(&p);
        p.apps[1] = (struct perso_app){"F00000001410102020", "SECOND", "ZWEITE", 5, true, true};
        p.apps_n = 2;
        ck_ok(perso_make(&made, again, &p, &e));
        snprintf(path, sizeof(path), "%s/cards/marie", dir);
        ck_ok(perso_save(made, path, &e));
        ck_assert_int_eq(perso_save(made, path, &e), TP_ERR_EXISTS);
        check_mode(path, "card.key", 0600);
        check_mode(path, "card.secret", 0600);
        check_mode(path, "state", 0600);
        ck_ok(profile_load(&read, path, &e));
        ck_assert_uint_eq(read->records_n, made->records_n);
        ck_assert_uint_eq(read->apps_n, 2);
        ck_assert_str_eq(read->apps[1].preferred, "ZWEITE");
        ck_assert_uint_eq(read->apps[1].priority, 0x85); /* Book 1, table 13 */
        ck_assert(read->apps[1].blocked && !read->apps[0].blocked);
        ck_assert(span_eq(span_of(read->other_pan_icc_cert.p, read->other_pan_icc_cert.n),
                          span_of(made->other_pan_icc_cert.p, made->other_pan_icc_cert.n)));
        for (size_t i = 0; i < made->records_n; i++)
            ck_assert_int_eq(
                memcmp(read->records[i].data, made->records[i].data, made->records[i].n), 0);
        ck_assert(secret_eq(secret_span(&read->pin_block), secret_span(&made->pin_block)));
        ck_assert(secret_eq(secret_span(&read->ac_key), secret_span(&made->ac_key)));
        profile_free(&read);
        ck_ok(card_open(&card, path, CARD_DURABLE, &e));
        card_close(&card);
        ck_ok(card_open(&card, path, CARD_MEMORY, &e));
        card_close(&card);
        profile_free(&made);
        scheme_free(&again);
        rm_rf(dir);
    }
END_TEST

START_TEST(broken_folders_are_refused_with_words)
    {
        static const struct {
            const char *text;
            enum tp_err r;
        } lines[] = {
            {"", TP_ERR_FORMAT},
            {"{", TP_ERR_FORMAT},
            {"{}", TP_ERR_FORMAT},
            {"[1]", TP_ERR_FORMAT},
            {"{\"version\":2}", TP_ERR_FORMAT},
            {"{\"version\":1,\"applications\":[{\"aid\":\"F0\",\"label\":\"X\",\"preferred\":\"\","
             "\"priority\":1}]}",
             TP_ERR_FORMAT},
        };
        char dir[64] = "/tmp/telepay-perso-XXXXXX", path[128];
        struct card *card;
        struct tp_error e;

        ck_assert_ptr_nonnull(mkdtemp(dir));
        ck_assert_int_eq(card_open(&card, dir, CARD_DURABLE, &e), TP_ERR_NOT_FOUND);
        snprintf(path, sizeof(path), "%s/card.json", dir);
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            ck_ok(file_replace(path, span_str(lines[i].text), 0600, &e));
            ck_assert_int_eq(card_open(&card, dir, CARD_DURABLE, &e), lines[i].r);
            ck_assert_ptr_null(card);
            ck_assert_ptr_nonnull(strstr(e.text, "card.json"));
        }
        struct scheme *scheme;

        ck_assert_int_eq(scheme_load(&scheme, dir, &e), TP_ERR_NOT_FOUND);
        ck_assert_ptr_nonnull(strstr(e.text, "telepay-perso init"));
        rm_rf(dir);
    }
END_TEST

/* A folder of before that rule, or one that somebody changed: no card of it is put into a reader.
 */
START_TEST(a_folder_that_the_common_core_forbids)
    {
        char dir[64] = "/tmp/telepay-perso-XXXXXX";
        struct card_profile *card;
        struct perso_params p;
        struct card *opened;
        struct tp_error e = {TP_OK, ""};

        ck_assert_ptr_nonnull(mkdtemp(dir));
        rig_params(&p);
        p.cvn = EMV_CCD_3DES;
        p.issuer = PERSO_ISSUER_CDOL2;
        card = make(&p);
        card->block_on_tries = true;
        ck_ok(perso_save(card, dir, &e));
        profile_free(&card);
        ck_assert_int_eq(card_open(&opened, dir, CARD_DURABLE, &e), TP_ERR_FORMAT);
        ck_assert_ptr_null(opened);
        ck_assert_msg(strstr(e.text, "card.json") != NULL &&
                          strstr(e.text, "Book 3, 9.2.3.3") != NULL,
                      "%s", e.text);
        rm_rf(dir);
    }
END_TEST

START_TEST(a_card_in_the_inprocess_reader)
    {
        struct rig r;
        struct perso_params p;
        struct reader *reader;
        struct tp_error e;
        uint8_t raw[300];

        rig_params(&p);
        p.t0 = true; /* the reader follows 61xx */
        rig_start(&r, &p);
        const struct inproc_card in = card_inproc(r.card);

        UNHEX(aid, "F0000000141010");
        struct buf answer = BUF_OF(raw);
        uint16_t sw;

        ck_ok(inproc_open(&reader, &in));
        ck_ok(reader_connect(reader, &e));
        ck_assert_uint_eq(reader_atr(reader).p[0], 0x3B);
        ck_ok(reader_transmit(reader,
                              &(struct capdu){.ins = INS_SELECT, .p1 = 4, .data = aid, .le = 256},
                              &answer, &sw, &e));
        ck_assert_uint_eq(sw, 0x9000);
        ck_assert_uint_eq(raw[0], 0x6F);
        reader_close(&reader);
        rig_end(&r);
    }
END_TEST

START_TEST(smaller_and_other_keys)
    {
        struct scheme_params sp;
        struct scheme *s;
        struct perso_params p;
        struct card_profile *card;
        struct tp_error e;

        scheme_defaults(&sp);
        sp.exponent = 65537;
        sp.authority_bits = 1024;
        sp.issuer_bits = 1024; /* does not fit its certificate: a remainder (92) is needed */
        sp.iin = "99901477";
        ck_ok(scheme_new(&s, &sp, &e));
        rig_params(&p);
        p.pan = "9990147700000005";
        p.bits = 768;
        ck_ok(perso_make(&card, s, &p, &e));
        struct span v;

        ck_ok(profile_object(card, 0x92, &v));
        ck_assert_uint_eq(v.n, 36); /* Book 2, table 6: NI - NCA + 36 */
        ck_ok(profile_object(card, 0x9F32, &v));
        ck_hex(v, "010001");
        profile_free(&card);
        scheme_free(&s);
        sp.iin = "99x014";
        ck_assert_int_eq(scheme_new(&s, &sp, &e), TP_ERR_USAGE);
        sp.iin = "497010";
        ck_assert_int_eq(scheme_new(&s, &sp, &e), TP_ERR_USAGE);
        ck_assert_ptr_nonnull(strstr(e.text, "--live-identifiers"));
        sp.iin = "999014";
        sp.issuer_bits = 4096;
        ck_assert_int_eq(scheme_new(&s, &sp, &e), TP_ERR_USAGE);
    }
END_TEST

/* Book 2, D1: CDA 240 bytes less 9F10's (D1.2.1), which has 3 + 7 with CVN 10 and 18, 3 + 32 for
 * the Common Core; a certificate of a card key 247 bytes, and so its issuer's key (D1.1); no card
 * key longer than its issuer's. SDA alone: no card key, the issuer's up to 248 bytes. */
static const struct {
    const char *what;
    enum emv_cvn cvn;
    unsigned issuer;
    enum perso_method method;
    unsigned bits, pin_bits;
    const char *cvm, *refused;
} sizes[] = {
    {"CDA", EMV_CVN_18, 1840, PERSO_CDA, 1840, 0, "none", NULL},
    {"CDA, more", EMV_CVN_10, 1976, PERSO_CDA, 1848, 0, "none", "kind 10 has at most 1840"},
    {"CDA, 9F10 of 32 bytes", EMV_CCD_AES, 1640, PERSO_CDA, 1640, 0, "none", NULL},
    {"CDA, 9F10 of 32 bytes, more", EMV_CCD_3DES, 1976, PERSO_CDA, 1648, 0, "none",
     "kind ccd-3des has at most 1640"},
    {"DDA", EMV_CVN_18, 1976, PERSO_DDA, 1976, 0, "none", NULL},
    {"DDA, more", EMV_CVN_18, 1976, PERSO_DDA, 1984, 0, "none", "at most 1976"},
    {"DDA under a short issuer", EMV_CVN_18, 1408, PERSO_DDA, 1416, 0, "none",
     "its issuer's of 1408"},
    {"DDA under an issuer too long", EMV_CVN_18, 1984, PERSO_DDA, 1152, 0, "none",
     "does not fit a record"},
    {"SDA under that one", EMV_CVN_18, 1984, PERSO_SDA, 1152, 0, "none", NULL},
    {"SDA, PIN under the card's key", EMV_CVN_18, 1976, PERSO_SDA, 1976, 0, "enciphered-pin", NULL},
    {"SDA, the PIN has its key", EMV_CVN_18, 1976, PERSO_SDA, 1152, 1976, "enciphered-pin", NULL},
    {"a PIN's, more", EMV_CVN_18, 1976, PERSO_CDA, 1152, 1984, "enciphered-pin",
     "PINs has at most 1976"},
    {"a PIN's under a short issuer", EMV_CVN_18, 1408, PERSO_CDA, 1152, 1416, "enciphered-pin",
     "PINs of 1416"},
};

START_TEST(keys_as_large_as_each_method_allows)
    {
        struct scheme_params sp;
        struct scheme *s;
        struct perso_params p;
        struct card_profile *card = NULL;
        struct tp_error e;

        scheme_defaults(&sp);
        sp.issuer_bits = sizes[_i].issuer;
        ck_ok(scheme_new(&s, &sp, &e));
        rig_params(&p);
        p.method = sizes[_i].method;
        p.cvn = sizes[_i].cvn;
        p.issuer = PERSO_ISSUER_CDOL2;
        p.bits = sizes[_i].bits;
        p.pin_bits = sizes[_i].pin_bits;
        p.cvm = sizes[_i].cvm;
        if (sizes[_i].refused == NULL) {
            ck_assert_msg(perso_make(&card, s, &p, &e) == TP_OK, "%s: %s", sizes[_i].what, e.text);
            for (size_t i = 0; i < card->records_n; i++) /* Book 3, 7: a record with its template */
                ck_assert_uint_le(card->records[i].n, 254);
        } else {
            ck_assert_int_eq(perso_make(&card, s, &p, &e), TP_ERR_USAGE);
            ck_assert_msg(strstr(e.text, sizes[_i].refused) != NULL, "%s: %s", sizes[_i].what,
                          e.text);
        }
        profile_free(&card);
        scheme_free(&s);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("perso");
    TCase *t = tcase_create("perso");

    tcase_set_timeout(t, 120);
    tcase_add_test(t, refuses_what_cannot_be);
    tcase_add_test(t, makes_what_looks_real_when_told_to);
    tcase_add_test(t, records_hold_what_a_strict_terminal_checks);
    tcase_add_test(t, odd_pan_is_padded);
    tcase_add_test(t, records_in_any_file);
    tcase_add_test(t, a_key_for_the_pin);
    tcase_add_test(t, how_an_issuer_reaches_the_card);
    tcase_add_loop_test(t, keys_as_large_as_each_method_allows, 0,
                        sizeof(sizes) / sizeof(sizes[0]));
    tcase_add_loop_test(t, what_the_common_core_forbids, 0,
                        sizeof(forbidden) / sizeof(forbidden[0]));
    tcase_add_test(t, aes_master_keys);
    tcase_add_test(t, lists_of_the_card_s_own);
    tcase_add_test(t, cvm_lists);
    tcase_add_test(t, scheme_and_card_come_back_from_their_folders);
    tcase_add_test(t, broken_folders_are_refused_with_words);
    tcase_add_test(t, a_folder_that_the_common_core_forbids);
    tcase_add_test(t, a_card_in_the_inprocess_reader);
    tcase_add_test(t, smaller_and_other_keys);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
