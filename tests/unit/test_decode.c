/* What data of EMV mean. Most of the values and what they mean are those of openemv/emv-utils'
 * tests (tools/CMakeLists.txt for emv-decode, tests/emv_atr_parse_test.c), in our words; others are
 * of the clause that is named. */
#include "unit.h"

#include <jansson.h>
#include <stdio.h>

#include "decode/decode.h"

static struct decode *decoder(void)
{
    static struct decode d;
    static struct names *names;

    memset(&d, 0, sizeof(d));
    if (names == NULL)
        ck_ok(names_new(&names));
    d.names = names;
    d.shown.all = true;
    return &d;
}

static char *printed(json_t *objects)
{
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);

    ck_assert_ptr_nonnull(to);
    decode_print(to, objects);
    fclose(to);
    json_decref(objects);
    return text;
}

/* What is printed has the lines, "|" between them, in this order. */
static void has_lines(json_t *objects, const char *lines)
{
    char *text = printed(objects), *at = text, *copy = strdup(lines), *save = NULL;

    for (char *line = strtok_r(copy, "|", &save); line != NULL; line = strtok_r(NULL, "|", &save)) {
        char *found = strstr(at, line);

        ck_assert_msg(found != NULL, "no \"%s\" in\n%s", line, text);
        at = found + strlen(line);
    }
    free(copy);
    free(text);
}

static struct span bytes_of(const char *hex)
{
    static uint8_t room[1024];
    struct buf b = BUF_OF(room);

    ck_ok(hex_decode(&b, hex));
    return buf_span(&b);
}

struct expected {
    const char *hex, *lines;
};

START_TEST(objects_are_in_the_words_of_their_clause)
    {
        static const struct expected rows[] = {
            {"810400000320", "81  Amount, Authorised (Binary)  [4]  00000320|800 minor units"},
            {"9A032212159A034912319A03500101", "2022-12-15|2049-12-31|1950-01-01"},
            {"9F2103111542", "11:15:42"},
            {"9C0100", "goods and services"},
            {"9F390105", "integrated circuit card, CVV can be checked"},
            {"571040123456789095D2512201197339300F",
             "card 40123456789095|expires 12/25|service code 201|discretionary data 197339300"},
            {"820259009F15025999",
             "SDA supported|Cardholder verification is supported|Terminal risk management is to be "
             "performed|CDA supported|9F15|retail"},
            {"9F3B06097808260840", "Euro|Pound Sterling|US Dollar"},
            {"9F3B06097801230840", "Euro|does not have|US Dollar"},
            {"5F2D04656E6672", "English|French"},
            {"5F2D04454E4652", "English|French"},
            {"5F2D04656EFFFF", "English|not known"},
            {"9F0A0400010102", "European Cards Stakeholders Group|credit"},
            {"9F0A050003020400", "ep2|pre-paid"},
            {"9F0A03000101", "cut off"},
            {"9F6E0E0528000332310001010840000000",
             "country: Netherlands|product extension|device type 21: telephone|fleet card"},
            {"9F6E0B0250000330350002000200",
             "country: France|product extension|device type 05: wristband|transit"},
            {"9F6E04238C0000",
             "mobile telephone|Passcode capable|Two-way messaging|Cloud based payment credentials"},
            {"9F6E049CD04003",
             "Contact mode supported|partial online mode|Contactless mobile supported|Try another "
             "interface|Mobile CVM supported|Online PIN supported|Plaintext offline PIN|CVM "
             "required|2.7 or later"},
            {"9F1D086C7A800000000000",
             "PIN verified online (contactless)|Signature (contactless)|No CVM required "
             "(contactless)|CDCVM (contactless)|PIN verified online (contact)|Signature "
             "(contact)|performed by ICC (contact)|No CVM required (contact)|Plaintext PIN "
             "verification performed by ICC (contact)|Mag-stripe mode contactless transactions "
             "not supported"},
            {"9F270160", "TC|payment system-specific cryptogram 20"},
            {"9F270101", "AAC|no advice required|service not allowed"},
            {"9F27018A", "ARQC|advice required|PIN try limit exceeded"},
            {"89063130363630398A023030910A50FC6205038200003030",
             "\"106609\"|00: approved|50FC620503820000|response code 00"},
            {"8A0230309108A584F94900820000",
             "00: approved|A584F949|Issuer approves online transaction|reset offline counters"},
            {"910AFC436535D614F3730010", "FC436535D614F373|response code of M/Chip: 0010"},
            {"7211860F04DA9F6B0A00000005000091986352", "86  Issuer Script Command|PUT DATA|9F6B"},
            {"72459F18048000000086158424000210FEBF34F00B7CE770DC61DA847BFB1E59862504DA8E0020000000"
             "0000000000420141035E031F020000000000000000AC7F4DF1D624A0ED",
             "9F18|86|PIN CHANGE/UNBLOCK|86|PUT DATA|8E00"},
            /* longer than Book C-2 lets it be: said, and not read on */
            {"9F6E2505280003323100010108400000000000000000000000000000000000000000000000000000",
             "its length should be 4 to 32"},
            {"950400008000", "its length should be 5\n"},
            {"9F5B0120", "its length should be at least 5\n"},
            /* Book 3, table 46; Book 4, A1, A4 */
            {"95050000008000", "byte 4 bit 8: Transaction exceeds floor limit|Book 3, C5"},
            {"9F350134", "cardholder|unattended, online only"},
            {"9F34034103020000",
             "Plaintext PIN verification performed by ICC|If terminal supports the CVM|Successful"},
            /* Book 3, 10.2: SFI 1, record 1; SFI 2, records 1 to 3, the first signed */
            {"94080801010010010301",
             "file 1 (SFI), records 1 to 1, the first 0|file 2 (SFI), records 1 to 3, the first 1"},
            {"80023900", "80  Response Message Template Format 1"},
            {"800E3900080101001001030118010200",
             "82  Application|94  Application File|file 3 (SFI)"},
            {"9F38039F1A02", "9F1A  Terminal Country Code  [2]"},
            /* ISO/IEC 8859-7: alpha, beta (Unicode's 8859-7.TXT) */
            {"9F1101079F1202E1E2", "ISO/IEC 8859-7|\"αβ\""},
            {"5F30020201", "international, chip|authorised as usual|no restrictions"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct decode *d = decoder();
            json_t *objects;

            ck_ok(decode_tlv(&objects, d, bytes_of(rows[i].hex), NULL));
            has_lines(objects, rows[i].lines);
        }
    }
END_TEST

START_TEST(issuer_application_data_of_each_kind)
    {
        static const struct expected rows[] = {
            {"0FA526A83100000000000001500000000F240000000000000000000000000000",
             "Common Core Definitions|triple DES|index 26|second GENERATE AC not requested|first "
             "GENERATE AC gave ARQC|tries left 3|CDA performed|Last online transaction not "
             "completed"},
            {"0110A04003223000000000001126980002FF",
             "M/Chip 4|index 01|number 10: Mastercard's session key, counters not|not "
             "requested|ARQC|tries left 3|CDA returned in first|PIN verification not "
             "performed|Domestic|Lower cumulative|Upper cumulative"},
            {"0110A04203A20000000000000000000000FF00000000000000FF",
             "M/Chip Advance|index 01|tries left 3|CDA returned in first|Issuer "
             "discretionary|Last online transaction not completed|PIN verification not "
             "performed|Domestic"},
            {"06011203A000000F0300001030800000046920AE952C48",
             "Visa's layout, format 1|index 01|12 (CVN 18)|not requested|ARQC"},
            {"1F43FE82A0000000000000000003075300000000000000000000000000000000",
             "Visa's layout, format 4|CVN '43'|index FE|operating system of the mobile "
             "device|finger|not requested|ARQC"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            json_t *objects;

            ck_ok(decode_value(&objects, decoder(), 0x9F10, bytes_of(rows[i].hex), NULL));
            has_lines(objects, rows[i].lines);
        }
    }
END_TEST

START_TEST(asn1_stands_among_other_peoples_data)
    {
        json_t *objects;

        ck_ok(decode_tlv(
            &objects, decoder(),
            bytes_of(
                "305D0101000101FF0203FFFFFF02037FFFFF0500060388370306092A864886F70D01010B090009"
                "0140090141090142090143090380FC01090580FE5555550908032B312E30652D330A03FFFFFE0A"
                "037FFFFE0D04C27B03021A054A6F6E6573"),
            NULL));
        has_lines(objects, "SEQUENCE|false|true|-1|8388607|NULL|2.999.3|1.2.840.113549.1.1.11, "
                           "sha256WithRSAEncryption|ENUMERATED|-2|8388606|RELATIVE-OID|\"Jones\"");
    }
END_TEST

/* Each with one byte of a good one changed, and the check byte made right: which clause refuses. */
START_TEST(an_atr_is_held_against_the_rules_of_emv)
    {
        static const struct {
            const char *atr;
            size_t at;
            uint8_t byte;
            const char *clause;
        } rows[] = {
            {"3BF41300FFD0000A3F0300DEADBEEFDC", 2, 0x14, "8.3.3.1"},
            {"3BF41300FFD0000A3F0300DEADBEEFDC", 4, 0x01, "8.3.3.3"},
            {"3BF41300FFD0000A3F0300DEADBEEFDC", 5, 0xD2, "8.3.3.4"},
            {"3BF41300FFD0000A3F0300DEADBEEFDC", 6, 0x10, "8.3.3.5"},
            {"3BF41300FFD0000A3F0300DEADBEEFDC", 6, 0x01, "8.3.3.5"},
            {"3BF41300FFD0000A3F0300DEADBEEFDC", 7, 0x01, "8.3.3.7"},
            {"3BF41300FFD0000A3F0300DEADBEEFDC", 8, 0x30, "8.3.3.8"},
            {"3BF41300FFD0000A3F0300DEADBEEFDC", 9, 0x08, "reserved classes"},
            {"3BF41300FF9101717C4100DEADBEEFE6", 2, 0x23, "8.3.3.1"},
            {"3BF41300FF9101717C4100DEADBEEFE6", 4, 0x01, "8.3.3.3"},
            {"3BF41300FF9101717C4100DEADBEEFE6", 5, 0x92, "8.3.3.4"},
            {"3BF41300FF9101717C4100DEADBEEFE6", 6, 0x11, "8.3.3.5"},
            {"3BF41300FF9101717C4100DEADBEEFE6", 7, 0x70, "8.3.3.8"},
            {"3BF41300FF9101717C4100DEADBEEFE6", 8, 0x0F, "8.3.3.9"},
            {"3BF41300FF9101717C4100DEADBEEFE6", 9, 0x46, "8.3.3.10"},
            {"3BF41300FF9101717C4100DEADBEEFE6", 10, 0x01, "8.3.3.11"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            uint8_t atr[33];
            struct span in = bytes_of(rows[i].atr);
            json_t *objects;
            char *text;

            ck_ok(decode_atr(&objects, decoder(), in, NULL));
            text = printed(objects);
            ck_assert_msg(strstr(text, "refuses") == NULL, "%s", text);
            free(text);
            memcpy(atr, in.p, in.n);
            atr[in.n - 1] ^= atr[rows[i].at] ^ rows[i].byte;
            atr[rows[i].at] = rows[i].byte;
            ck_ok(decode_atr(&objects, decoder(), span_of(atr, in.n), NULL));
            has_lines(objects, rows[i].clause);
        }
    }
END_TEST

START_TEST(an_atr_says_what_it_holds)
    {
        static const struct expected rows[] = {
            {"3BDA18FF81B1FE751F030031F573C78A40009000B0",
             "TS  3B|direct|10 historical bytes|TA1  18|F 372, D 12: 31|TC1  FF|TD1  81|TD2  "
             "B1|TA3  FE|254 bytes|TB3  75|TA4  03|A (5 V) B (3 V)|status word 9000|TCK  B0"},
            {"3B6500002063CB6800", "TB1  00|TC1  00|[5]  2063CB6800|T=0"},
        };
        json_t *objects;
        struct tp_error e;

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            ck_ok(decode_atr(&objects, decoder(), bytes_of(rows[i].hex), NULL));
            has_lines(objects, rows[i].lines);
        }
        ck_assert_int_eq(decode_atr(&objects, decoder(), bytes_of("3BDA18FF81B1FE"), &e),
                         TP_ERR_FORMAT);
        ck_assert_msg(strstr(e.text, "cut short") != NULL, "%s", e.text);
        has_lines(objects, "TD2  B1|cut short");
    }
END_TEST

/* The offsets are counted in the bytes by hand. */
START_TEST(a_fault_is_told_with_its_place_and_what_was_before_it)
    {
        static const struct {
            const char *hex, *fault, *lines;
        } rows[] = {
            {"9F2701809F36", "offset 4: tag 9F36 has no length", "ARQC|9F36 has no length"},
            {"9F270180950500000080", "offset 4: tag 95 says 5 bytes, but 4 are left", "ARQC"},
            {"7080", "offset 0: tag 70 has an indefinite length", "!"},
            {"9F", "offset 0: a tag is cut off", "!"},
            {"820285", "offset 0: tag 82 says 2 bytes, but 1 are left", "!"},
            {"8285", "offset 0: tag 82 has a length of over four bytes", "!"},
            {"828201", "offset 0: the length of tag 82 is cut off", "!"},
            {"1FFFFFFFFF0101", "offset 0: a tag of over four bytes", "!"},
            /* padding before, between and behind objects: Book 3, B1 */
            {"00FF9F270180000095", "offset 8: tag 95 has no length", "ARQC"},
            /* emv-utils' padding_test: what follows a broken template is decoded all the same */
            {"701870105F2A0208409F1A0208409F15025999123456789ABCDED002DEAD",
             "offset 19:", "US Dollar|United States|5999|offset 19|offset 20|D0  [2]  DEAD"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct tp_error e = {TP_OK, ""};
            json_t *objects;

            ck_assert_int_eq(decode_tlv(&objects, decoder(), bytes_of(rows[i].hex), &e),
                             TP_ERR_FORMAT);
            ck_assert_msg(strncmp(e.text, rows[i].fault, strlen(rows[i].fault)) == 0, "%s", e.text);
            has_lines(objects, rows[i].lines);
        }
    }
END_TEST

START_TEST(templates_within_templates_have_an_end)
    {
        uint8_t room[1024];
        size_t n = sizeof(room);
        struct tp_error e;
        json_t *objects;
        char *text;

        while (n >= 4 && sizeof(room) - n < 255) { /* 70 70 70 … around each other */
            const size_t held = sizeof(room) - n;

            if (held < 0x80) {
                room[--n] = (uint8_t)held;
            } else {
                room[--n] = (uint8_t)held;
                room[--n] = 0x81;
            }
            room[--n] = 0x70;
        }
        ck_assert_int_eq(decode_tlv(&objects, decoder(), span_of(room + n, sizeof(room) - n), &e),
                         TP_ERR_FORMAT);
        ck_assert_msg(strstr(e.text, "24 deep") != NULL, "%s", e.text);
        text = printed(objects);
        free(text);
    }
END_TEST

START_TEST(what_may_not_be_seen_is_masked)
    {
        struct decode *d = decoder();
        json_t *objects;
        char *text, whole[200];

        snprintf(
            whole, sizeof(whole), "%s",
            "70365A08476173900101001057124761739001010010D25122011234567890FF5F200441424344DF70"
            "024242830A4761739001010010AAAA");
        d->shown.all = false;
        d->shown.personal = true;
        ck_ok(decode_tlv(&objects, d, bytes_of(whole), NULL));
        text = printed(objects);
        ck_assert_msg(strstr(text, "4761739001010010") == NULL, "%s", text);
        ck_assert_msg(strstr(text, "476173******0010") != NULL, "%s", text);
        ck_assert_msg(strstr(text, "251220112345") == NULL, "%s", text);
        ck_assert_msg(strstr(text, "4242") == NULL, "%s", text);
        ck_assert_msg(strstr(text, "ABCD") != NULL, "%s", text);
        free(text);
    }
END_TEST

START_TEST(lists_of_tags_with_lengths_and_with_values)
    {
        uint8_t values[] = {0x00, 0x00, 0x00, 0x00, 0x12, 0x50, 0x09, 0x78};
        struct tp_error e;
        json_t *objects;

        ck_ok(decode_dol(&objects, decoder(), bytes_of("9F02065F2A02"), span_of(NULL, 0), NULL));
        has_lines(objects, "9F02  Amount, Authorised (Numeric)  [6]|5F2A  Transaction Currency");
        ck_ok(decode_dol(&objects, decoder(), bytes_of("9F02065F2A02"), SPAN_OF(values), NULL));
        has_lines(objects, "9F02|12.50 EUR|5F2A|Euro");
        ck_assert_int_eq(
            decode_dol(&objects, decoder(), bytes_of("9F02065F2A02"), span_of(values, 7), &e),
            TP_ERR_FORMAT);
        has_lines(objects, "9F02|asks for 2 bytes of 5F2A, but 1 are left");
        ck_assert_int_eq(
            decode_dol(&objects, decoder(), bytes_of("9F02065F"), span_of(NULL, 0), &e),
            TP_ERR_FORMAT);
        has_lines(objects, "9F02|the list is cut off");
        ck_ok(decode_tags(&objects, decoder(), bytes_of("829F36"), NULL));
        has_lines(objects, "82  Application Interchange Profile|9F36  Application Transaction");
    }
END_TEST

/* Book 1, 11.3.5 and 12.2; Book 3, 6.5. */
START_TEST(status_words_mean_what_the_command_says)
    {
        static const struct {
            uint16_t sw;
            uint8_t ins;
            const char *lines;
        } rows[] = {
            {0x9000, 0, "9000|done"},
            {0x63C2, 0x20, "PIN is wrong|2 left"},
            {0x6985, 0xAE, "no further cryptogram"},
            {0x6985, 0xA8, "another is chosen"},
            {0x6985, 0, "conditions of use"},
            {0x6283, 0xA4, "the application is blocked"},
            {0x6A81, 0xA4, "the card is blocked"},
            {0x6C0A, 0, "wrong length|10 bytes"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            json_t *objects;

            ck_ok(decode_status(&objects, rows[i].sw, rows[i].ins));
            has_lines(objects, rows[i].lines);
        }
    }
END_TEST

START_TEST(a_command_and_its_answer)
    {
        uint8_t command[64], answer[64];
        struct buf c = BUF_OF(command), a = BUF_OF(answer);
        struct decode *d = decoder();
        json_t *objects;
        char *text;

        ck_ok(hex_decode(&c, "80AE9000"));
        ck_ok(hex_decode(&a, "77089F270180820200009000"));
        ck_ok(decode_exchange(&objects, decoder(), buf_span(&c), buf_span(&a), NULL));
        has_lines(objects, "GENERATE AC|ARQC is asked for, with a CDA signature|9000: done");
        c.n = a.n = 0;
        ck_ok(hex_decode(&c, "0020008008241234FFFFFFFFFF"));
        ck_ok(hex_decode(&a, "63C1"));
        d->shown.all = true; /* a PIN is masked all the same */
        ck_ok(decode_exchange(&objects, d, buf_span(&c), buf_span(&a), NULL));
        text = printed(objects);
        ck_assert_msg(strstr(text, "241234") == NULL, "%s", text);
        ck_assert_msg(strstr(text, "PIN, plain") != NULL && strstr(text, "1 left") != NULL, "%s",
                      text);
        free(text);
    }
END_TEST

/* A card's list that asks for what is itself laid out by that list, and parts within parts. */
START_TEST(values_within_values_end)
    {
        uint8_t command[64], nested[512];
        struct buf c = BUF_OF(command), n = BUF_OF(nested);
        struct decode *d = decoder();
        json_t *objects;

        decode_learn(d, span_of((const uint8_t *)"\x8C\x03\xDF\x03\x10", 5));
        ck_ok(hex_decode(&c, "80AE40001001020304050607080910111213141516"));
        ck_ok(decode_exchange(&objects, d, buf_span(&c), span_of(NULL, 0), NULL));
        has_lines(objects, "GENERATE AC|DF03|0102030405060708");
        for (size_t i = 40; i > 0; i--) { /* a response in a response in a response */
            const size_t inside = 4 * (i - 1);
            const uint8_t head[] = {0xDF, 0x05, 0x81, (uint8_t)inside};

            ck_ok(buf_put(&n, span_of(head, sizeof(head))));
        }
        ck_ok(decode_tlv(&objects, decoder(), buf_span(&n), NULL));
        has_lines(objects, "DF05");
    }
END_TEST

/* The value of that member of the computed chain of suite 10 (vectors/xda-p256.json, made by an
 * independent program). */
static char *of_chain(const char *member)
{
    char path[512];
    json_t *file;

    snprintf(path, sizeof(path), "%s/vectors/xda-p256.json", getenv("TESTS_SRCDIR"));
    file = json_load_file(path, 0, NULL);
    ck_assert_ptr_nonnull(file);
    char *value = strdup(json_string_value(
        json_object_get(json_array_get(json_object_get(file, "chains"), 0), member)));

    json_decref(file);
    return value;
}

static void chain_says(struct decode *d, const char *member, uint32_t tag, const char *lines)
{
    char *hex = of_chain(member);
    json_t *objects = NULL;

    ck_ok(decode_value(&objects, d, tag, bytes_of(hex), NULL));
    has_lines(objects, lines);
    free(hex);
}

/* Where the fields stand: Book 2, tables 35 and 36. */
START_TEST(certificates_by_elliptic_curves_stand_in_clear)
    {
        struct decode *d = decoder();
        struct capk_store *keys;
        char *self_signed = of_chain("ca_self_signed_table29"), *cert = of_chain("90");
        json_t *list = json_pack("{s:[{s:s}]}", "keys", "self_signed", self_signed),
               *objects = NULL;

        ck_ok(capk_store_new(&keys));
        chain_says(d, "90", 0x90,
                   "issuer identifier 999014|expires 2030-12-31|serial number 000001|signed with "
                   "key 02 of F000000014|algorithm suite 10: a curve of 256 bits|key x "
                   "7A1CFAD7672868437159ED630920B5305C2B24BA949C9995A0215629653A5F9E|12.3");
        d->keys = keys;
        chain_says(d, "90", 0x90, "not checked: no key 02 of F000000014 is known");
        ck_ok(capk_store_take(keys, list, "list", NULL));
        ck_ok(capk_store_need(keys, (const uint8_t[5]){0xF0, 0, 0, 0, 0x14}, NULL));
        chain_says(d, "90", 0x90, "good: signed with that key");
        cert[strlen(cert) - 1] ^= 1;
        ck_ok(decode_value(&objects, d, 0x90, bytes_of(cert), NULL));
        has_lines(objects, "not good: ");
        chain_says(d, "9F46", 0x9F46,
                   "expires 2030-12-31 23:59 UTC|serial number 000000000007|hash algorithm "
                   "02|algorithm suite 10: a curve of 256 bits|key x "
                   "B1A37F517F52DE51106F8663A0FF82E1573DCF830E736F3664D4C7DD6A11A8C3|12.4");
        chain_says(d, "9F2D", 0x9F2D, "expires 2030-12-31 23:59 UTC|algorithm suite 00|12.4");
        capk_store_free(&keys);
        json_decref(list);
        free(self_signed);
        free(cert);
    }
END_TEST

START_TEST(codes_by_letters_and_numbers)
    {
        static const struct {
            enum decode_code kind;
            const char *code, *name;
        } rows[] = {
            {DECODE_COUNTRY, "528", "Netherlands"},
            {DECODE_COUNTRY, "GBR", "United Kingdom"},
            {DECODE_COUNTRY, "US", "United States"},
            {DECODE_CURRENCY, "978", "Euro"},
            {DECODE_CURRENCY, "HKD", "Hong Kong Dollar"},
            {DECODE_CURRENCY, "826", "Pound Sterling"},
            {DECODE_LANGUAGE, "fr", "French"},
            {DECODE_LANGUAGE, "zh", "Chinese"},
            {DECODE_LANGUAGE, "wln", "Walloon"},
        };
        json_t *objects;
        struct tp_error e;

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            ck_ok(decode_code(&objects, decoder(), rows[i].kind, rows[i].code, NULL));
            has_lines(objects, rows[i].name);
        }
        ck_assert_int_eq(decode_code(&objects, decoder(), DECODE_COUNTRY, "ZZ", &e),
                         TP_ERR_NOT_FOUND);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("decode");
    TCase *c = tcase_create("decode");

    tcase_add_test(c, objects_are_in_the_words_of_their_clause);
    tcase_add_test(c, issuer_application_data_of_each_kind);
    tcase_add_test(c, asn1_stands_among_other_peoples_data);
    tcase_add_test(c, an_atr_is_held_against_the_rules_of_emv);
    tcase_add_test(c, an_atr_says_what_it_holds);
    tcase_add_test(c, a_fault_is_told_with_its_place_and_what_was_before_it);
    tcase_add_test(c, templates_within_templates_have_an_end);
    tcase_add_test(c, what_may_not_be_seen_is_masked);
    tcase_add_test(c, lists_of_tags_with_lengths_and_with_values);
    tcase_add_test(c, status_words_mean_what_the_command_says);
    tcase_add_test(c, a_command_and_its_answer);
    tcase_add_test(c, values_within_values_end);
    tcase_add_test(c, certificates_by_elliptic_curves_stand_in_clear);
    tcase_add_test(c, codes_by_letters_and_numbers);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
