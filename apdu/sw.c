#include "apdu/sw.h"

#include <stddef.h>

#include "apdu/apdu.h"
#include "base/text.h"

/* ISO/IEC 7816-4, tables 5 and 6. mask says which bits must agree, so that a family stands once,
 * behind its exact rows. */
static const struct {
    uint16_t sw, mask;
    const char *text;
} words[] = {
    {0x6100, 0xFF00, N_("done, more response bytes are waiting")},
    {0x6200, 0xFFFF, N_("warning, nothing was changed in the card")},
    {0x6281, 0xFFFF, N_("part of the returned data may be corrupted")},
    {0x6282, 0xFFFF, N_("end of the file reached before all bytes were read")},
    {0x6283, 0xFFFF, N_("the selected application is blocked")},
    {0x6284, 0xFFFF, N_("the file control information is not formatted as ISO 7816-4 says")},
    {0x6285, 0xFFFF, N_("the selected file has ended its life")},
    {0x6286, 0xFFFF, N_("no input data from a sensor of the card")},
    {0x6200, 0xFF00, N_("warning, nothing was changed in the card")},
    {0x6300, 0xFFFF, N_("authentication failed")},
    {0x6381, 0xFFFF, N_("the last write filled the file")},
    {0x63C0, 0xFFF0, N_("verification failed, some tries are left")},
    {0x6300, 0xFF00, N_("warning, something was changed in the card")},
    {0x6400, 0xFFFF, N_("execution error, nothing was changed in the card")},
    {0x6401, 0xFFFF, N_("the card wants an immediate response")},
    {0x6400, 0xFF00, N_("execution error, nothing was changed in the card")},
    {0x6581, 0xFFFF, N_("memory failure in the card")},
    {0x6500, 0xFF00, N_("execution error, something was changed in the card")},
    {0x6600, 0xFF00, N_("security problem in the card")},
    {0x6700, 0xFFFF, N_("wrong length")},
    {0x6881, 0xFFFF, N_("logical channels are not supported")},
    {0x6882, 0xFFFF, N_("secure messaging is not supported")},
    {0x6883, 0xFFFF, N_("the last command of the chain was expected")},
    {0x6884, 0xFFFF, N_("command chaining is not supported")},
    {0x6800, 0xFF00, N_("functions of the class byte are not supported")},
    {0x6981, 0xFFFF, N_("the command does not fit the file's structure")},
    {0x6982, 0xFFFF, N_("security status not satisfied")},
    {0x6983, 0xFFFF, N_("the PIN is blocked")},
    {0x6984, 0xFFFF, N_("the reference data is invalidated")},
    {0x6985, 0xFFFF, N_("conditions of use not satisfied")},
    {0x6986, 0xFFFF, N_("command not allowed, no file is selected")},
    {0x6987, 0xFFFF, N_("secure messaging data objects are missing")},
    {0x6988, 0xFFFF, N_("secure messaging data objects are incorrect")},
    {0x6900, 0xFF00, N_("command not allowed")},
    {0x6A80, 0xFFFF, N_("incorrect parameters in the data field")},
    {0x6A81, 0xFFFF, N_("function not supported, or the card is blocked")},
    {0x6A82, 0xFFFF, N_("file or application not found")},
    {0x6A83, 0xFFFF, N_("record not found")},
    {0x6A84, 0xFFFF, N_("not enough memory in the file")},
    {0x6A85, 0xFFFF, N_("the length does not agree with the TLV structure")},
    {0x6A86, 0xFFFF, N_("incorrect parameters P1-P2")},
    {0x6A87, 0xFFFF, N_("the length does not agree with P1-P2")},
    {0x6A88, 0xFFFF, N_("referenced data not found")},
    {0x6A89, 0xFFFF, N_("the file exists already")},
    {0x6A8A, 0xFFFF, N_("the name of the application exists already")},
    {0x6A00, 0xFF00, N_("wrong parameters P1-P2")},
    {0x6B00, 0xFF00, N_("wrong parameters P1-P2")},
    {0x6C00, 0xFF00, N_("wrong length expected, the card says the right one")},
    {0x6D00, 0xFF00, N_("instruction not supported")},
    {0x6E00, 0xFF00, N_("class not supported")},
    {0x6F00, 0xFF00, N_("no precise diagnosis")},
    {0x9000, 0xFFFF, N_("done")},
};

const char *sw_text(uint16_t sw)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if ((sw & words[i].mask) == words[i].sw)
            return words[i].text;
    return N_("a status word that ISO 7816-4 does not know");
}

static const struct {
    uint8_t ins;
    uint16_t sw, mask;
    const char *text;
} after[] = {
    {INS_SELECT, SW_SELECTED_FILE_INVALIDATED, 0xFFFF, N_("the application is blocked")},
    {INS_SELECT, SW_FUNCTION_NOT_SUPPORTED, 0xFFFF,
     N_("the card is blocked, or does not select by this name")},
    {INS_SELECT, SW_FILE_NOT_FOUND, 0xFFFF, N_("the card has no such application, or no other")},
    {INS_READ_RECORD, SW_RECORD_NOT_FOUND, 0xFFFF, N_("the file has no such record")},
    {INS_GET_PROCESSING_OPTIONS, SW_CONDITIONS, 0xFFFF,
     N_("the application cannot be used for this transaction: another is chosen")},
    {INS_GENERATE_AC, SW_CONDITIONS, 0xFFFF,
     N_("no further cryptogram: the transaction has had its own")},
    {INS_EXTERNAL_AUTHENTICATE, SW_AUTHENTICATION_FAILED, 0xFFFF,
     N_("issuer authentication failed")},
    {INS_EXTERNAL_AUTHENTICATE, SW_CONDITIONS, 0xFFFF,
     N_("issuer authentication was done already in this transaction")},
    {INS_VERIFY, SW_PIN_TRIES_LEFT, 0xFFF0, N_("the PIN is wrong, some tries are left")},
    {INS_VERIFY, SW_PIN_BLOCKED, 0xFFFF, N_("no PIN tries are left: the PIN is blocked")},
    {INS_VERIFY, SW_REFERENCE_INVALIDATED, 0xFFFF,
     N_("no PIN tries are left, or the card does not take a PIN of this form")},
    {INS_GET_DATA, SW_REFERENCED_DATA_NOT_FOUND, 0xFFFF, N_("the card has no such data object")},
    {INS_GET_DATA, SW_FUNCTION_NOT_SUPPORTED, 0xFFFF,
     N_("the card does not give this data object")},
    {INS_INTERNAL_AUTHENTICATE, SW_CONDITIONS, 0xFFFF,
     N_("the card does not authenticate itself in this state")},
};

const char *sw_text_after(uint8_t ins, uint16_t sw)
{
    for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++)
        if (after[i].ins == ins && (sw & after[i].mask) == after[i].sw)
            return after[i].text;
    return sw_text(sw);
}
