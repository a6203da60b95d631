#include "apdu/emvtags.h"

#include <stdlib.h>

#define CARD     EMV_FROM_CARD
#define TERMINAL EMV_FROM_TERMINAL
#define ISSUER   EMV_FROM_ISSUER

/* EMV 4.4 Book 3, Annex A, table 37. Lengths are in bytes (n 12 is 6 bytes). Lengths over 252 and
 * those the standard leaves open are 0. At the end, and where noted, tags of others that pass
 * through our hands. */
static const struct emv_tag tags[] = {
    {0x42, "Issuer Identification Number (IIN)", EMV_N, 3, 3, CARD, EMV_PLAIN},
    {0x4F, "Application Dedicated File (ADF) Name", EMV_B, 5, 16, CARD, EMV_PLAIN},
    {0x50, "Application Label", EMV_ANS, 1, 16, CARD, EMV_PLAIN},
    {0x56, "Track 1 Data", EMV_ANS, 0, 76, CARD,
     EMV_SECRET}, /* ISO/IEC 7813; magnetic stripe, seen on cards with a contactless side */
    {0x57, "Track 2 Equivalent Data", EMV_B, 0, 19, CARD, EMV_SECRET},
    {0x5A, "Application Primary Account Number (PAN)", EMV_CN, 0, 10, CARD, EMV_PAN},
    {0x61, "Application Template", EMV_CONSTRUCTED, 0, 252, CARD, EMV_PLAIN},
    {0x6F, "File Control Information (FCI) Template", EMV_CONSTRUCTED, 0, 252, CARD, EMV_PLAIN},
    {0x70, "READ RECORD Response Message Template", EMV_CONSTRUCTED, 0, 252, CARD, EMV_PLAIN},
    {0x71, "Issuer Script Template 1", EMV_CONSTRUCTED, 0, 0, ISSUER, EMV_PLAIN},
    {0x72, "Issuer Script Template 2", EMV_CONSTRUCTED, 0, 0, ISSUER, EMV_PLAIN},
    {0x73, "Directory Discretionary Template", EMV_CONSTRUCTED, 0, 252, CARD, EMV_PLAIN},
    {0x77, "Response Message Template Format 2", EMV_CONSTRUCTED, 0, 0, CARD, EMV_PLAIN},
    {0x80, "Response Message Template Format 1", EMV_VAR, 0, 0, CARD, EMV_PLAIN},
    {0x81, "Amount, Authorised (Binary)", EMV_B, 4, 4, TERMINAL, EMV_PLAIN},
    {0x82, "Application Interchange Profile", EMV_B, 2, 2, CARD, EMV_PLAIN},
    {0x83, "Command Template", EMV_B, 0, 0, TERMINAL, EMV_PLAIN},
    {0x84, "Dedicated File (DF) Name", EMV_B, 5, 16, CARD, EMV_PLAIN},
    {0x86, "Issuer Script Command", EMV_B, 0, 0, ISSUER, EMV_PLAIN},
    {0x87, "Application Priority Indicator", EMV_B, 1, 1, CARD, EMV_PLAIN},
    {0x88, "Short File Identifier (SFI)", EMV_B, 1, 1, CARD, EMV_PLAIN},
    {0x89, "Authorisation Code", EMV_VAR, 6, 6, ISSUER, EMV_PLAIN},
    {0x8A, "Authorisation Response Code", EMV_AN, 2, 2, ISSUER, EMV_PLAIN},
    {0x8C, "Card Risk Management Data Object List 1 (CDOL1)", EMV_DOL, 0, 252, CARD, EMV_PLAIN},
    {0x8D, "Card Risk Management Data Object List 2 (CDOL2)", EMV_DOL, 0, 252, CARD, EMV_PLAIN},
    {0x8E, "Cardholder Verification Method (CVM) List", EMV_B, 10, 252, CARD, EMV_PLAIN},
    {0x8F, "Certification Authority Public Key Index", EMV_B, 1, 1, CARD, EMV_PLAIN},
    {0x90, "Issuer Public Key Certificate", EMV_B, 0, 248, CARD, EMV_PLAIN},
    {0x91, "Issuer Authentication Data", EMV_B, 8, 16, ISSUER, EMV_PLAIN},
    {0x92, "Issuer Public Key Remainder", EMV_B, 0, 248, CARD, EMV_PLAIN},
    {0x93, "Signed Static Application Data", EMV_B, 0, 248, CARD,
     EMV_SECRET}, /* with the issuer's key: a hash over the card number, of which few digits are
                     hidden */
    {0x94, "Application File Locator (AFL)", EMV_VAR, 0, 252, CARD, EMV_PLAIN},
    {0x95, "Terminal Verification Results", EMV_B, 5, 5, TERMINAL, EMV_PLAIN},
    {0x97, "Transaction Certificate Data Object List (TDOL)", EMV_DOL, 0, 252, CARD, EMV_PLAIN},
    {0x98, "Transaction Certificate (TC) Hash Value", EMV_B, 20, 20, TERMINAL, EMV_PLAIN},
    {0x99, "Transaction Personal Identification Number (PIN) Data", EMV_B, 0, 0, TERMINAL,
     EMV_SECRET},
    {0x9A, "Transaction Date", EMV_N, 3, 3, TERMINAL, EMV_PLAIN},
    {0x9B, "Transaction Status Information", EMV_B, 2, 2, TERMINAL, EMV_PLAIN},
    {0x9C, "Transaction Type", EMV_N, 1, 1, TERMINAL, EMV_PLAIN},
    {0x9D, "Directory Definition File (DDF) Name", EMV_B, 5, 16, CARD, EMV_PLAIN},
    {0xA5, "File Control Information (FCI) Proprietary Template", EMV_CONSTRUCTED, 0, 0, CARD,
     EMV_PLAIN},
    {0x5F20, "Cardholder Name", EMV_ANS, 2, 26, CARD, EMV_PERSONAL},
    {0x5F24, "Application Expiration Date", EMV_N, 3, 3, CARD, EMV_PLAIN},
    {0x5F25, "Application Effective Date", EMV_N, 3, 3, CARD, EMV_PLAIN},
    {0x5F28, "Issuer Country Code", EMV_N, 2, 2, CARD, EMV_PLAIN},
    {0x5F2A, "Transaction Currency Code", EMV_N, 2, 2, TERMINAL, EMV_PLAIN},
    {0x5F2D, "Language Preference", EMV_AN, 2, 8, CARD, EMV_PLAIN},
    {0x5F30, "Service Code", EMV_N, 2, 2, CARD, EMV_PLAIN},
    {0x5F34, "Application Primary Account Number (PAN) Sequence Number", EMV_N, 1, 1, CARD,
     EMV_PLAIN},
    {0x5F36, "Transaction Currency Exponent", EMV_N, 1, 1, TERMINAL, EMV_PLAIN},
    {0x5F50, "Issuer URL", EMV_ANS, 0, 0, CARD, EMV_PLAIN},
    {0x5F53, "International Bank Account Number (IBAN)", EMV_VAR, 0, 34, CARD, EMV_SECRET},
    {0x5F54, "Bank Identifier Code (BIC)", EMV_VAR, 8, 11, CARD, EMV_PLAIN},
    {0x5F55, "Issuer Country Code (alpha2 format)", EMV_A, 2, 2, CARD, EMV_PLAIN},
    {0x5F56, "Issuer Country Code (alpha3 format)", EMV_A, 3, 3, CARD, EMV_PLAIN},
    {0x5F57, "Account Type", EMV_N, 1, 1, TERMINAL, EMV_PLAIN},
    {0x7F60, "Biometric Information Template (BIT)", EMV_CONSTRUCTED, 0, 0, CARD, EMV_PLAIN},
    {0x9F01, "Acquirer Identifier", EMV_N, 6, 6, TERMINAL, EMV_PLAIN},
    {0x9F02, "Amount, Authorised (Numeric)", EMV_N, 6, 6, TERMINAL, EMV_PLAIN},
    {0x9F03, "Amount, Other (Numeric)", EMV_N, 6, 6, TERMINAL, EMV_PLAIN},
    {0x9F04, "Amount, Other (Binary)", EMV_B, 4, 4, TERMINAL, EMV_PLAIN},
    {0x9F05, "Application Discretionary Data", EMV_B, 1, 32, CARD,
     EMV_SECRET}, /* whatever the issuer likes */
    {0x9F06, "Application Identifier (AID) - terminal", EMV_B, 5, 16, TERMINAL, EMV_PLAIN},
    {0x9F07, "Application Usage Control", EMV_B, 2, 2, CARD, EMV_PLAIN},
    {0x9F08, "Application Version Number (card)", EMV_B, 2, 2, CARD, EMV_PLAIN},
    {0x9F09, "Application Version Number (terminal)", EMV_B, 2, 2, TERMINAL, EMV_PLAIN},
    {0x9F0A, "Application Selection Registered Proprietary Data (ASRPD)", EMV_B, 0, 0, CARD,
     EMV_PLAIN},
    {0x9F0B, "Cardholder Name Extended", EMV_ANS, 27, 45, CARD, EMV_PERSONAL},
    {0x9F0C, "Issuer Identification Number Extended (IINE)", EMV_N, 3, 4, CARD, EMV_PLAIN},
    {0x9F0D, "Issuer Action Code - Default", EMV_B, 5, 5, CARD, EMV_PLAIN},
    {0x9F0E, "Issuer Action Code - Denial", EMV_B, 5, 5, CARD, EMV_PLAIN},
    {0x9F0F, "Issuer Action Code - Online", EMV_B, 5, 5, CARD, EMV_PLAIN},
    {0x9F10, "Issuer Application Data", EMV_B, 0, 32, CARD, EMV_PLAIN},
    {0x9F11, "Issuer Code Table Index", EMV_N, 1, 1, CARD, EMV_PLAIN},
    {0x9F12, "Application Preferred Name", EMV_ANS, 1, 16, CARD, EMV_PLAIN},
    {0x9F13, "Last Online Application Transaction Counter (ATC) Register", EMV_B, 2, 2, CARD,
     EMV_PLAIN},
    {0x9F14, "Lower Consecutive Offline Limit", EMV_B, 1, 1, CARD, EMV_PLAIN},
    {0x9F15, "Merchant Category Code", EMV_N, 2, 2, TERMINAL, EMV_PLAIN},
    {0x9F16, "Merchant Identifier", EMV_ANS, 15, 15, TERMINAL, EMV_PLAIN},
    {0x9F17, "Personal Identification Number (PIN) Try Counter", EMV_B, 1, 1, CARD, EMV_PLAIN},
    {0x9F18, "Issuer Script Identifier", EMV_B, 4, 4, ISSUER, EMV_PLAIN},
    {0x9F19, "Token Requestor ID", EMV_N, 6, 6, CARD, EMV_PLAIN},
    {0x9F1A, "Terminal Country Code", EMV_N, 2, 2, TERMINAL, EMV_PLAIN},
    {0x9F1B, "Terminal Floor Limit", EMV_B, 4, 4, TERMINAL, EMV_PLAIN},
    {0x9F1C, "Terminal Identification", EMV_AN, 8, 8, TERMINAL, EMV_PLAIN},
    {0x9F1D, "Terminal Risk Management Data", EMV_B, 1, 8, TERMINAL, EMV_PLAIN},
    {0x9F1E, "Interface Device (IFD) Serial Number", EMV_AN, 8, 8, TERMINAL, EMV_PLAIN},
    {0x9F1F, "Track 1 Discretionary Data", EMV_ANS, 0, 0, CARD, EMV_SECRET},
    {0x9F20, "Track 2 Discretionary Data", EMV_CN, 0, 0, CARD, EMV_SECRET},
    {0x9F21, "Transaction Time", EMV_N, 3, 3, TERMINAL, EMV_PLAIN},
    {0x9F22, "Certification Authority Public Key Index (terminal)", EMV_B, 1, 1, TERMINAL,
     EMV_PLAIN},
    {0x9F23, "Upper Consecutive Offline Limit", EMV_B, 1, 1, CARD, EMV_PLAIN},
    {0x9F24, "Payment Account Reference (PAR)", EMV_AN, 29, 29, CARD,
     EMV_PERSONAL}, /* names the account, for as long as it lives */
    {0x9F25, "Last 4 Digits of PAN", EMV_N, 2, 2, CARD, EMV_PLAIN},
    {0x9F26, "Application Cryptogram", EMV_B, 8, 8, CARD, EMV_PLAIN},
    {0x9F27, "Cryptogram Information Data", EMV_B, 1, 1, CARD, EMV_PLAIN},
    {0x9F2D, "ICC PIN Encipherment Public Key Certificate", EMV_B, 0, 248, CARD,
     EMV_SECRET}, /* with the issuer's key: the card number, as of 9F46 */
    {0x9F2E, "ICC PIN Encipherment Public Key Exponent", EMV_B, 1, 3, CARD, EMV_PLAIN},
    {0x9F2F, "ICC PIN Encipherment Public Key Remainder", EMV_B, 0, 248, CARD, EMV_PLAIN},
    {0x9F30, "Biometric Terminal Capabilities", EMV_B, 3, 3, TERMINAL, EMV_PLAIN},
    {0x9F31, "Card BIT Group Template", EMV_B, 0, 0, CARD, EMV_SECRET},
    {0x9F32, "Issuer Public Key Exponent", EMV_B, 1, 3, CARD, EMV_PLAIN},
    {0x9F33, "Terminal Capabilities", EMV_B, 3, 3, TERMINAL, EMV_PLAIN},
    {0x9F34, "Cardholder Verification Method (CVM) Results", EMV_B, 3, 3, TERMINAL, EMV_PLAIN},
    {0x9F35, "Terminal Type", EMV_N, 1, 1, TERMINAL, EMV_PLAIN},
    {0x9F36, "Application Transaction Counter (ATC)", EMV_B, 2, 2, CARD, EMV_PLAIN},
    {0x9F37, "Unpredictable Number", EMV_B, 4, 4, TERMINAL, EMV_PLAIN},
    {0x9F38, "Processing Options Data Object List (PDOL)", EMV_DOL, 0, 252, CARD, EMV_PLAIN},
    {0x9F39, "Point-of-Service (POS) Entry Mode", EMV_N, 1, 1, TERMINAL, EMV_PLAIN},
    {0x9F3A, "Amount, Reference Currency", EMV_B, 4, 4, TERMINAL, EMV_PLAIN},
    {0x9F3B, "Application Reference Currency", EMV_N, 2, 8, CARD, EMV_PLAIN},
    {0x9F3C, "Transaction Reference Currency Code", EMV_N, 2, 2, TERMINAL, EMV_PLAIN},
    {0x9F3D, "Transaction Reference Currency Exponent", EMV_N, 1, 1, TERMINAL, EMV_PLAIN},
    {0x9F40, "Additional Terminal Capabilities", EMV_B, 5, 5, TERMINAL, EMV_PLAIN},
    {0x9F41, "Transaction Sequence Counter", EMV_N, 2, 4, TERMINAL, EMV_PLAIN},
    {0x9F42, "Application Currency Code", EMV_N, 2, 2, CARD, EMV_PLAIN},
    {0x9F43, "Application Reference Currency Exponent", EMV_N, 1, 4, CARD, EMV_PLAIN},
    {0x9F44, "Application Currency Exponent", EMV_N, 1, 1, CARD, EMV_PLAIN},
    {0x9F45, "Data Authentication Code", EMV_B, 2, 2, CARD, EMV_PLAIN},
    {0x9F46, "ICC Public Key Certificate", EMV_B, 0, 248, CARD,
     EMV_SECRET}, /* whoever has the issuer's key reads the card number in it: Book 2, table 14 */
    {0x9F47, "ICC Public Key Exponent", EMV_B, 1, 3, CARD, EMV_PLAIN},
    {0x9F48, "ICC Public Key Remainder", EMV_B, 0, 248, CARD, EMV_PLAIN},
    {0x9F49, "Dynamic Data Authentication Data Object List (DDOL)", EMV_DOL, 0, 252, CARD,
     EMV_PLAIN},
    {0x9F4A, "Static Data Authentication Tag List", EMV_DOL, 0, 252, CARD, EMV_PLAIN},
    {0x9F4B, "Signed Dynamic Application Data", EMV_B, 0, 248, CARD, EMV_PLAIN},
    {0x9F4C, "ICC Dynamic Number", EMV_B, 2, 8, CARD, EMV_PLAIN},
    {0x9F4D, "Log Entry", EMV_B, 2, 2, CARD, EMV_PLAIN},
    {0x9F4E, "Merchant Name and Location", EMV_ANS, 0, 0, TERMINAL, EMV_PLAIN},
    {0x9F4F, "Log Format", EMV_DOL, 0, 252, CARD, EMV_PLAIN},
    {0x9F5A, "Application Program Identifier", EMV_B, 1, 16, CARD, EMV_PLAIN}, /* Book C-3 */
    {0x9F5B, "Issuer Script Results", EMV_B, 5, 0, TERMINAL,
     EMV_PLAIN}, /* Book 4, Annex A5; the tag is the schemes' own, not in Annex A */
    {0x9F66, "Terminal Transaction Qualifiers (TTQ)", EMV_B, 4, 4, TERMINAL,
     EMV_PLAIN},                                              /* EMV contactless Book A, 5.7 */
    {0x9F6B, "Track 2 Data", EMV_B, 0, 19, CARD, EMV_SECRET}, /* EMV contactless Book C-2 */
    {0x9F6C, "Card Transaction Qualifiers (CTQ)", EMV_B, 2, 2, CARD,
     EMV_PLAIN}, /* EMV contactless Book C-3, A.2 */
    {0x9F6D, "Contactless Reader Capabilities", EMV_B, 1, 1, TERMINAL,
     EMV_PLAIN}, /* EMV contactless Book C-4, 4.3.3 */
    {0x9F6E, "Third Party Data, Form Factor Indicator or Enhanced Reader Capabilities", EMV_B, 4,
     32, CARD, EMV_PLAIN}, /* one tag for each of three schemes: Books C-2, C-3, C-4 */
    {0x9F7C, "Merchant Custom Data", EMV_B, 20, 32, TERMINAL,
     EMV_PLAIN}, /* EMV contactless Book C-2; 32 bytes here */
    {0xBF0C, "File Control Information (FCI) Issuer Discretionary Data", EMV_CONSTRUCTED, 0, 222,
     CARD, EMV_PLAIN},
    {0xBF4A, "Offline BIT Group Template", EMV_CONSTRUCTED, 0, 0, CARD, EMV_PLAIN},
    {0xBF4B, "Online BIT Group Template", EMV_CONSTRUCTED, 0, 0, CARD, EMV_PLAIN},
    {0xBF4C, "Biometric Try Counters Template", EMV_CONSTRUCTED, 0, 0, CARD, EMV_PLAIN},
    {0xBF4D, "Preferred Attempts Template", EMV_CONSTRUCTED, 0, 0, CARD, EMV_PLAIN},
    {0xBF4E, "Biometric Verification Data Template", EMV_CONSTRUCTED, 0, 0, TERMINAL, EMV_SECRET},
    /* telepay's own: doc/protocol.md. The static data holds the card number among the rest. */
    {0xDF01, "Static Data to be Authenticated", EMV_B, 0, 0, TERMINAL, EMV_SECRET},
    {0xDF02, "PDOL Values", EMV_B, 0, 0, TERMINAL, EMV_PLAIN},
    {0xDF03, "CDOL1 Values", EMV_B, 0, 0, TERMINAL, EMV_PLAIN},
    {0xDF04, "CDOL2 Values", EMV_B, 0, 0, TERMINAL, EMV_PLAIN},
    {0xDF05, "GENERATE AC Response Data", EMV_B, 0, 0, CARD, EMV_PLAIN},
    {0xDF06, "CDOL1 as Used", EMV_B, 0, 0, TERMINAL, EMV_PLAIN},
    {0xDF07, "CDOL2 as Used", EMV_B, 0, 0, TERMINAL, EMV_PLAIN},
    {0xDF08, "DDOL Values", EMV_B, 0, 0, TERMINAL, EMV_PLAIN},
    {0xDF09, "DDA Signature", EMV_B, 0, 0, CARD, EMV_PLAIN},
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
