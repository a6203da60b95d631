#include "apdu/emvtags.h"

#include <stdlib.h>

#include "base/text.h"

#define CARD     EMV_FROM_CARD
#define TERMINAL EMV_FROM_TERMINAL
#define ISSUER   EMV_FROM_ISSUER

/* EMV 4.4 Book 3, Annex A, table 37. Lengths are in bytes (n 12 is 6 bytes). Lengths over 252 and
 * those the standard leaves open are 0. At the end, and where noted, tags of others that pass
 * through our hands. */
static const struct emv_tag tags[] = {
    {0x42, N_("Issuer Identification Number (IIN)"), EMV_N, 3, 3, CARD, EMV_PLAIN},
    {0x4F, N_("Application Dedicated File (ADF) Name"), EMV_B, 5, 16, CARD, EMV_PLAIN},
    {0x50, N_("Application Label"), EMV_ANS, 1, 16, CARD, EMV_PLAIN},
    {0x56, N_("Track 1 Data"), EMV_ANS, 0, 76, CARD,
     EMV_SECRET}, /* ISO/IEC 7813; magnetic stripe, seen on cards with a contactless side */
    {0x57, N_("Track 2 Equivalent Data"), EMV_B, 0, 19, CARD, EMV_SECRET},
    {0x5A, N_("Application Primary Account Number (PAN)"), EMV_CN, 0, 10, CARD, EMV_PAN},
    {0x61, N_("Application Template"), EMV_CONSTRUCTED, 0, 252, CARD, EMV_PLAIN},
    {0x6F, N_("File Control Information (FCI) Template"), EMV_CONSTRUCTED, 0, 252, CARD, EMV_PLAIN},
    {0x70, N_("READ RECORD Response Message Template"), EMV_CONSTRUCTED, 0, 252, CARD, EMV_PLAIN},
    {0x71, N_("Issuer Script Template 1"), EMV_CONSTRUCTED, 0, 0, ISSUER, EMV_PLAIN},
    {0x72, N_("Issuer Script Template 2"), EMV_CONSTRUCTED, 0, 0, ISSUER, EMV_PLAIN},
    {0x73, N_("Directory Discretionary Template"), EMV_CONSTRUCTED, 0, 252, CARD, EMV_PLAIN},
    {0x77, N_("Response Message Template Format 2"), EMV_CONSTRUCTED, 0, 0, CARD, EMV_PLAIN},
    {0x80, N_("Response Message Template Format 1"), EMV_VAR, 0, 0, CARD, EMV_PLAIN},
    {0x81, N_("Amount, Authorised (Binary)"), EMV_B, 4, 4, TERMINAL, EMV_PLAIN},
    {0x82, N_("Application Interchange Profile"), EMV_B, 2, 2, CARD, EMV_PLAIN},
    {0x83, N_("Command Template"), EMV_B, 0, 0, TERMINAL, EMV_PLAIN},
    {0x84, N_("Dedicated File (DF) Name"), EMV_B, 5, 16, CARD, EMV_PLAIN},
    {0x86, N_("Issuer Script Command"), EMV_B, 0, 0, ISSUER, EMV_PLAIN},
    {0x87, N_("Application Priority Indicator"), EMV_B, 1, 1, CARD, EMV_PLAIN},
    {0x88, N_("Short File Identifier (SFI)"), EMV_B, 1, 1, CARD, EMV_PLAIN},
    {0x89, N_("Authorisation Code"), EMV_VAR, 6, 6, ISSUER, EMV_PLAIN},
    {0x8A, N_("Authorisation Response Code"), EMV_AN, 2, 2, ISSUER, EMV_PLAIN},
    {0x8C, N_("Card Risk Management Data Object List 1 (CDOL1)"), EMV_DOL, 0, 252, CARD, EMV_PLAIN},
    {0x8D, N_("Card Risk Management Data Object List 2 (CDOL2)"), EMV_DOL, 0, 252, CARD, EMV_PLAIN},
    {0x8E, N_("Cardholder Verification Method (CVM) List"), EMV_B, 10, 252, CARD, EMV_PLAIN},
    {0x8F, N_("Certification Authority Public Key Index"), EMV_B, 1, 1, CARD, EMV_PLAIN},
    {0x90, N_("Issuer Public Key Certificate"), EMV_B, 0, 248, CARD, EMV_PLAIN},
    {0x91, N_("Issuer Authentication Data"), EMV_B, 8, 16, ISSUER, EMV_PLAIN},
    {0x92, N_("Issuer Public Key Remainder"), EMV_B, 0, 248, CARD, EMV_PLAIN},
    {0x93, N_("Signed Static Application Data"), EMV_B, 0, 248, CARD,
     EMV_SECRET}, /* with the issuer's key: a hash over the card number, of which few digits are
                     hidden */
    {0x94, N_("Application File Locator (AFL)"), EMV_VAR, 0, 252, CARD, EMV_PLAIN},
    {0x95, N_("Terminal Verification Results"), EMV_B, 5, 5, TERMINAL, EMV_PLAIN},
    {0x97, N_("Transaction Certificate Data Object List (TDOL)"), EMV_DOL, 0, 252, CARD, EMV_PLAIN},
    {0x98, N_("Transaction Certificate (TC) Hash Value"), EMV_B, 20, 20, TERMINAL, EMV_PLAIN},
    {0x99, N_("Transaction Personal Identification Number (PIN) Data"), EMV_B, 0, 0, TERMINAL,
     EMV_SECRET},
    {0x9A, N_("Transaction Date"), EMV_N, 3, 3, TERMINAL, EMV_PLAIN},
    {0x9B, N_("Transaction Status Information"), EMV_B, 2, 2, TERMINAL, EMV_PLAIN},
    {0x9C, N_("Transaction Type"), EMV_N, 1, 1, TERMINAL, EMV_PLAIN},
    {0x9D, N_("Directory Definition File (DDF) Name"), EMV_B, 5, 16, CARD, EMV_PLAIN},
    {0xA5, N_("File Control Information (FCI) Proprietary Template"), EMV_CONSTRUCTED, 0, 0, CARD,
     EMV_PLAIN},
    {0x5F20, N_("Cardholder Name"), EMV_ANS, 2, 26, CARD, EMV_PERSONAL},
    {0x5F24, N_("Application Expiration Date"), EMV_N, 3, 3, CARD, EMV_PLAIN},
    {0x5F25, N_("Application Effective Date"), EMV_N, 3, 3, CARD, EMV_PLAIN},
    {0x5F28, N_("Issuer Country Code"), EMV_N, 2, 2, CARD, EMV_PLAIN},
    {0x5F2A, N_("Transaction Currency Code"), EMV_N, 2, 2, TERMINAL, EMV_PLAIN},
    {0x5F2D, N_("Language Preference"), EMV_AN, 2, 8, CARD, EMV_PLAIN},
    {0x5F30, N_("Service Code"), EMV_N, 2, 2, CARD, EMV_PLAIN},
    {0x5F34, N_("Application Primary Account Number (PAN) Sequence Number"), EMV_N, 1, 1, CARD,
     EMV_PLAIN},
    {0x5F36, N_("Transaction Currency Exponent"), EMV_N, 1, 1, TERMINAL, EMV_PLAIN},
    {0x5F50, N_("Issuer URL"), EMV_ANS, 0, 0, CARD, EMV_PLAIN},
    {0x5F53, N_("International Bank Account Number (IBAN)"), EMV_VAR, 0, 34, CARD, EMV_SECRET},
    {0x5F54, N_("Bank Identifier Code (BIC)"), EMV_VAR, 8, 11, CARD, EMV_PLAIN},
    {0x5F55, N_("Issuer Country Code (alpha2 format)"), EMV_A, 2, 2, CARD, EMV_PLAIN},
    {0x5F56, N_("Issuer Country Code (alpha3 format)"), EMV_A, 3, 3, CARD, EMV_PLAIN},
    {0x5F57, N_("Account Type"), EMV_N, 1, 1, TERMINAL, EMV_PLAIN},
    {0x7F60, N_("Biometric Information Template (BIT)"), EMV_CONSTRUCTED, 0, 0, CARD, EMV_PLAIN},
    {0x9F01, N_("Acquirer Identifier"), EMV_N, 6, 6, TERMINAL, EMV_PLAIN},
    {0x9F02, N_("Amount, Authorised (Numeric)"), EMV_N, 6, 6, TERMINAL, EMV_PLAIN},
    {0x9F03, N_("Amount, Other (Numeric)"), EMV_N, 6, 6, TERMINAL, EMV_PLAIN},
    {0x9F04, N_("Amount, Other (Binary)"), EMV_B, 4, 4, TERMINAL, EMV_PLAIN},
    {0x9F05, N_("Application Discretionary Data"), EMV_B, 1, 32, CARD,
     EMV_SECRET}, /* whatever the issuer likes */
    {0x9F06, N_("Application Identifier (AID) - terminal"), EMV_B, 5, 16, TERMINAL, EMV_PLAIN},
    {0x9F07, N_("Application Usage Control"), EMV_B, 2, 2, CARD, EMV_PLAIN},
    {0x9F08, N_("Application Version Number (card)"), EMV_B, 2, 2, CARD, EMV_PLAIN},
    {0x9F09, N_("Application Version Number (terminal)"), EMV_B, 2, 2, TERMINAL, EMV_PLAIN},
    {0x9F0A, N_("Application Selection Registered Proprietary Data (ASRPD)"), EMV_B, 0, 0, CARD,
     EMV_PLAIN},
    {0x9F0B, N_("Cardholder Name Extended"), EMV_ANS, 27, 45, CARD, EMV_PERSONAL},
    {0x9F0C, N_("Issuer Identification Number Extended (IINE)"), EMV_N, 3, 4, CARD, EMV_PLAIN},
    {0x9F0D, N_("Issuer Action Code - Default"), EMV_B, 5, 5, CARD, EMV_PLAIN},
    {0x9F0E, N_("Issuer Action Code - Denial"), EMV_B, 5, 5, CARD, EMV_PLAIN},
    {0x9F0F, N_("Issuer Action Code - Online"), EMV_B, 5, 5, CARD, EMV_PLAIN},
    {0x9F10, N_("Issuer Application Data"), EMV_B, 0, 32, CARD, EMV_PLAIN},
    {0x9F11, N_("Issuer Code Table Index"), EMV_N, 1, 1, CARD, EMV_PLAIN},
    {0x9F12, N_("Application Preferred Name"), EMV_ANS, 1, 16, CARD, EMV_PLAIN},
    {0x9F13, N_("Last Online Application Transaction Counter (ATC) Register"), EMV_B, 2, 2, CARD,
     EMV_PLAIN},
    {0x9F14, N_("Lower Consecutive Offline Limit"), EMV_B, 1, 1, CARD, EMV_PLAIN},
    {0x9F15, N_("Merchant Category Code"), EMV_N, 2, 2, TERMINAL, EMV_PLAIN},
    {0x9F16, N_("Merchant Identifier"), EMV_ANS, 15, 15, TERMINAL, EMV_PLAIN},
    {0x9F17, N_("Personal Identification Number (PIN) Try Counter"), EMV_B, 1, 1, CARD, EMV_PLAIN},
    {0x9F18, N_("Issuer Script Identifier"), EMV_B, 4, 4, ISSUER, EMV_PLAIN},
    {0x9F19, N_("Token Requestor ID"), EMV_N, 6, 6, CARD, EMV_PLAIN},
    {0x9F1A, N_("Terminal Country Code"), EMV_N, 2, 2, TERMINAL, EMV_PLAIN},
    {0x9F1B, N_("Terminal Floor Limit"), EMV_B, 4, 4, TERMINAL, EMV_PLAIN},
    {0x9F1C, N_("Terminal Identification"), EMV_AN, 8, 8, TERMINAL, EMV_PLAIN},
    {0x9F1D, N_("Terminal Risk Management Data"), EMV_B, 1, 8, TERMINAL, EMV_PLAIN},
    {0x9F1E, N_("Interface Device (IFD) Serial Number"), EMV_AN, 8, 8, TERMINAL, EMV_PLAIN},
    {0x9F1F, N_("Track 1 Discretionary Data"), EMV_ANS, 0, 0, CARD, EMV_SECRET},
    {0x9F20, N_("Track 2 Discretionary Data"), EMV_CN, 0, 0, CARD, EMV_SECRET},
    {0x9F21, N_("Transaction Time"), EMV_N, 3, 3, TERMINAL, EMV_PLAIN},
    {0x9F22, N_("Certification Authority Public Key Index (terminal)"), EMV_B, 1, 1, TERMINAL,
     EMV_PLAIN},
    {0x9F23, N_("Upper Consecutive Offline Limit"), EMV_B, 1, 1, CARD, EMV_PLAIN},
    {0x9F24, N_("Payment Account Reference (PAR)"), EMV_AN, 29, 29, CARD,
     EMV_PERSONAL}, /* names the account, for as long as it lives */
    {0x9F25, N_("Last 4 Digits of PAN"), EMV_N, 2, 2, CARD, EMV_PLAIN},
    {0x9F26, N_("Application Cryptogram"), EMV_B, 8, 8, CARD, EMV_PLAIN},
    {0x9F27, N_("Cryptogram Information Data"), EMV_B, 1, 1, CARD, EMV_PLAIN},
    {0x9F2D, N_("ICC PIN Encipherment Public Key Certificate"), EMV_B, 0, 248, CARD,
     EMV_SECRET}, /* with the issuer's key: the card number, as of 9F46 */
    {0x9F2E, N_("ICC PIN Encipherment Public Key Exponent"), EMV_B, 1, 3, CARD, EMV_PLAIN},
    {0x9F2F, N_("ICC PIN Encipherment Public Key Remainder"), EMV_B, 0, 248, CARD, EMV_PLAIN},
    {0x9F30, N_("Biometric Terminal Capabilities"), EMV_B, 3, 3, TERMINAL, EMV_PLAIN},
    {0x9F31, N_("Card BIT Group Template"), EMV_B, 0, 0, CARD, EMV_SECRET},
    {0x9F32, N_("Issuer Public Key Exponent"), EMV_B, 1, 3, CARD, EMV_PLAIN},
    {0x9F33, N_("Terminal Capabilities"), EMV_B, 3, 3, TERMINAL, EMV_PLAIN},
    {0x9F34, N_("Cardholder Verification Method (CVM) Results"), EMV_B, 3, 3, TERMINAL, EMV_PLAIN},
    {0x9F35, N_("Terminal Type"), EMV_N, 1, 1, TERMINAL, EMV_PLAIN},
    {0x9F36, N_("Application Transaction Counter (ATC)"), EMV_B, 2, 2, CARD, EMV_PLAIN},
    {0x9F37, N_("Unpredictable Number"), EMV_B, 4, 4, TERMINAL, EMV_PLAIN},
    {0x9F38, N_("Processing Options Data Object List (PDOL)"), EMV_DOL, 0, 252, CARD, EMV_PLAIN},
    {0x9F39, N_("Point-of-Service (POS) Entry Mode"), EMV_N, 1, 1, TERMINAL, EMV_PLAIN},
    {0x9F3A, N_("Amount, Reference Currency"), EMV_B, 4, 4, TERMINAL, EMV_PLAIN},
    {0x9F3B, N_("Application Reference Currency"), EMV_N, 2, 8, CARD, EMV_PLAIN},
    {0x9F3C, N_("Transaction Reference Currency Code"), EMV_N, 2, 2, TERMINAL, EMV_PLAIN},
    {0x9F3D, N_("Transaction Reference Currency Exponent"), EMV_N, 1, 1, TERMINAL, EMV_PLAIN},
    {0x9F40, N_("Additional Terminal Capabilities"), EMV_B, 5, 5, TERMINAL, EMV_PLAIN},
    {0x9F41, N_("Transaction Sequence Counter"), EMV_N, 2, 4, TERMINAL, EMV_PLAIN},
    {0x9F42, N_("Application Currency Code"), EMV_N, 2, 2, CARD, EMV_PLAIN},
    {0x9F43, N_("Application Reference Currency Exponent"), EMV_N, 1, 4, CARD, EMV_PLAIN},
    {0x9F44, N_("Application Currency Exponent"), EMV_N, 1, 1, CARD, EMV_PLAIN},
    {0x9F45, N_("Data Authentication Code"), EMV_B, 2, 2, CARD, EMV_PLAIN},
    {0x9F46, N_("ICC Public Key Certificate"), EMV_B, 0, 248, CARD,
     EMV_SECRET}, /* whoever has the issuer's key reads the card number in it: Book 2, table 14 */
    {0x9F47, N_("ICC Public Key Exponent"), EMV_B, 1, 3, CARD, EMV_PLAIN},
    {0x9F48, N_("ICC Public Key Remainder"), EMV_B, 0, 248, CARD, EMV_PLAIN},
    {0x9F49, N_("Dynamic Data Authentication Data Object List (DDOL)"), EMV_DOL, 0, 252, CARD,
     EMV_PLAIN},
    {0x9F4A, N_("Static Data Authentication Tag List"), EMV_DOL, 0, 252, CARD, EMV_PLAIN},
    {0x9F4B, N_("Signed Dynamic Application Data"), EMV_B, 0, 248, CARD, EMV_PLAIN},
    {0x9F4C, N_("ICC Dynamic Number"), EMV_B, 2, 8, CARD, EMV_PLAIN},
    {0x9F4D, N_("Log Entry"), EMV_B, 2, 2, CARD, EMV_PLAIN},
    {0x9F4E, N_("Merchant Name and Location"), EMV_ANS, 0, 0, TERMINAL, EMV_PLAIN},
    {0x9F4F, N_("Log Format"), EMV_DOL, 0, 252, CARD, EMV_PLAIN},
    {0x9F5A, N_("Application Program Identifier"), EMV_B, 1, 16, CARD, EMV_PLAIN}, /* Book C-3 */
    {0x9F5B, N_("Issuer Script Results"), EMV_B, 5, 0, TERMINAL,
     EMV_PLAIN}, /* Book 4, Annex A5; the tag is the schemes' own, not in Annex A */
    {0x9F66, N_("Terminal Transaction Qualifiers (TTQ)"), EMV_B, 4, 4, TERMINAL,
     EMV_PLAIN},                                                  /* EMV contactless Book A, 5.7 */
    {0x9F6B, N_("Track 2 Data"), EMV_B, 0, 19, CARD, EMV_SECRET}, /* EMV contactless Book C-2 */
    {0x9F6C, N_("Card Transaction Qualifiers (CTQ)"), EMV_B, 2, 2, CARD,
     EMV_PLAIN}, /* EMV contactless Book C-3, A.2 */
    {0x9F6D, N_("Contactless Reader Capabilities"), EMV_B, 1, 1, TERMINAL,
     EMV_PLAIN}, /* EMV contactless Book C-4, 4.3.3 */
    {0x9F6E, N_("Third Party Data, Form Factor Indicator or Enhanced Reader Capabilities"), EMV_B,
     4, 32, CARD, EMV_PLAIN}, /* one tag for each of three schemes: Books C-2, C-3, C-4 */
    {0x9F7C, N_("Merchant Custom Data"), EMV_B, 20, 32, TERMINAL,
     EMV_PLAIN}, /* EMV contactless Book C-2; 32 bytes here */
    {0xBF0C, N_("File Control Information (FCI) Issuer Discretionary Data"), EMV_CONSTRUCTED, 0,
     222, CARD, EMV_PLAIN},
    {0xBF4A, N_("Offline BIT Group Template"), EMV_CONSTRUCTED, 0, 0, CARD, EMV_PLAIN},
    {0xBF4B, N_("Online BIT Group Template"), EMV_CONSTRUCTED, 0, 0, CARD, EMV_PLAIN},
    {0xBF4C, N_("Biometric Try Counters Template"), EMV_CONSTRUCTED, 0, 0, CARD, EMV_PLAIN},
    {0xBF4D, N_("Preferred Attempts Template"), EMV_CONSTRUCTED, 0, 0, CARD, EMV_PLAIN},
    {0xBF4E, N_("Biometric Verification Data Template"), EMV_CONSTRUCTED, 0, 0, TERMINAL,
     EMV_SECRET},
    /* telepay's own: doc/protocol.md. The static data holds the card number among the rest. */
    {0xDF01, N_("Static Data to be Authenticated"), EMV_B, 0, 0, TERMINAL, EMV_SECRET},
    {0xDF02, N_("PDOL Values"), EMV_B, 0, 0, TERMINAL, EMV_PLAIN},
    {0xDF03, N_("CDOL1 Values"), EMV_B, 0, 0, TERMINAL, EMV_PLAIN},
    {0xDF04, N_("CDOL2 Values"), EMV_B, 0, 0, TERMINAL, EMV_PLAIN},
    {0xDF05, N_("GENERATE AC Response Data"), EMV_B, 0, 0, CARD, EMV_PLAIN},
    {0xDF06, N_("CDOL1 as Used"), EMV_B, 0, 0, TERMINAL, EMV_PLAIN},
    {0xDF07, N_("CDOL2 as Used"), EMV_B, 0, 0, TERMINAL, EMV_PLAIN},
    {0xDF08, N_("DDOL Values"), EMV_B, 0, 0, TERMINAL, EMV_PLAIN},
    {0xDF09, N_("DDA Signature"), EMV_B, 0, 0, CARD, EMV_PLAIN},
};

#define TAGS (sizeof(tags) / sizeof(tags[0]))

static int compare(const void *key, const void *row)
{
    const uint32_t wanted = *(const uint32_t *)key, have = ((const struct emv_tag *)row)->tag;

    return wanted < have ? -1 : wanted > have;
}

const struct emv_tag *emv_tag_find(uint32_t tag)
{
    return bsearch(&tag, tags, TAGS, sizeof(tags[0]), compare);
}

enum emv_shown emv_tag_shown(uint32_t tag)
{
    const struct emv_tag *known = emv_tag_find(tag);

    return known != NULL ? known->shown : EMV_SECRET;
}

size_t emv_tag_count(void)
{
    return TAGS;
}

const struct emv_tag *emv_tag_at(size_t i)
{
    return i < TAGS ? &tags[i] : NULL;
}
