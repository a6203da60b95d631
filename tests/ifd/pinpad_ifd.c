/* A card reader with keypad and display for tests: an IFD handler (IFD specification 3.0,
 * PCSC/ifdhandler.h) that the private pcscd of with-pcscd loads. The card in it is whoever connects
 * to its port and speaks vpcd's protocol: telepay-simcard --vpcd 127.0.0.1:35965.
 *
 * DEVICENAME of its configuration is a folder through which a test plays the person at the reader
 * and says what kind of reader it is: port      the port to listen on, decimal mode      words:
 * "steps" has START, GET_KEY_PRESSED and FINISH in the place of DIRECT; "blind" has not even
 * GET_KEY_PRESSED; "none" no keypad; "plain" no display; "max8" takes 4 to 8 digits and refuses a
 * structure that wants more; "properties" answers IFD_PIN_PROPERTIES only; "unplugged" is no longer
 * there; "mute" has a card that does not answer to reset; "refuse" answers 6B80; "broken" fails;
 * "hold" keeps what the card answered until a file "go" is there keys      a line for each entry:
 * digits, then the OK key; or "cancel" or "timeout". No line: nobody is there, which is a time-out
 *     log       what the handler saw: "verify " and the structure in hex, "display " and what it
 * shows. Never a PIN
 *
 * It reads PIN_VERIFY_STRUCTURE as PC/SC part 10, 2.5.2, and CCID 1.1, 6.1.11, say, for any format,
 * so that a wrong one gives a wrong command. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <ifdhandler.h>
#include <reader.h>

#define CONTROL(feature) (0x42330000U + (feature))
#define HEAD             19 /* of PIN_VERIFY_STRUCTURE */
#define COMMAND_MAX      64
#define ANSWER_SECONDS   10
#define HOLD_SECONDS     30
#define DIGITS_MAX       15

enum { VPCD_OFF, VPCD_ON, VPCD_RESET, VPCD_ATR = 4 };

static struct {
    char folder[200];
    int listening, card;
    uint8_t atr[MAX_ATR_SIZE];
    size_t atr_n;
    bool powered;
    uint8_t pending[2]; /* START is over, FINISH gives this */
    size_t pending_n;
} reader = {.listening = -1, .card = -1};

static FILE *file(const char *name, const char *how)
{
    char path[260];

    snprintf(path, sizeof(path), "%s/%s", reader.folder, name);
    return fopen(path, how);
}

static bool mode(const char *word)
{
    FILE *f = file("mode", "r");
    char text[32];
    bool found = false;

    while (f != NULL && !found && fscanf(f, "%31s", text) == 1)
        found = strcmp(text, word) == 0;
    if (f != NULL)
        fclose(f);
    return found;
}

static void note(const char *what, const uint8_t *p, size_t n)
{
    FILE *f = file("log", "a");

    if (f == NULL)
        return;
    fprintf(f, "%s", what);
    for (size_t i = 0; i < n; i++)
        fprintf(f, "%s%02X", i == 0 ? " " : "", p[i]);
    fprintf(f, "\n");
    fclose(f);
}

/* The next line of keys, which is gone afterwards. */
static void next_entry(char line[32])
{
    char rest[512];
    FILE *f = file("keys", "r");
    size_t n = 0;

    snprintf(line, 32, "timeout");
    if (f == NULL)
        return;
    if (fgets(line, 32, f) == NULL)
        snprintf(line, 32, "timeout");
    line[strcspn(line, "\n")] = '\0';
    n = fread(rest, 1, sizeof(rest), f);
    fclose(f);
    f = file("keys", "w");
    if (f != NULL) {
        fwrite(rest, 1, n, f);
        fclose(f);
    }
    explicit_bzero(rest, sizeof(rest));
}

/* ---- the card: vpcd's protocol, the reader's side ---- */

static void card_gone(void)
{
    if (reader.card >= 0)
        close(reader.card);
    reader.card = -1;
    reader.powered = false;
    reader.atr_n = 0;
}

static bool send_message(const uint8_t *p, size_t n)
{
    uint8_t raw[2 + 65535];

    if (reader.card < 0 || n > 65535)
        return false;
    raw[0] = (uint8_t)(n >> 8);
    raw[1] = (uint8_t)n;
    memcpy(raw + 2, p, n);
    return send(reader.card, raw, n + 2, MSG_NOSIGNAL) == (ssize_t)(n + 2);
}

static bool receive_message(uint8_t *p, size_t cap, size_t *n)
{
    uint8_t head[2];

    if (recv(reader.card, head, 2, MSG_WAITALL) != 2)
        return false;
    *n = (size_t)(head[0] << 8 | head[1]);
    return *n <= cap && (*n == 0 || recv(reader.card, p, *n, MSG_WAITALL) == (ssize_t)*n);
}

static bool control_card(uint8_t what)
{
    return send_message(&what, 1);
}

static bool read_atr(void)
{
    if (control_card(VPCD_ATR) && receive_message(reader.atr, sizeof(reader.atr), &reader.atr_n) &&
        reader.atr_n > 0)
        return true;
    card_gone();
    return false;
}

static bool present(void)
{
    const struct timeval limit = {ANSWER_SECONDS, 0};
    const int one = 1;
    uint8_t byte;

    if (reader.card >= 0) {
        const ssize_t n = recv(reader.card, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

        if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)))
            return true;
        card_gone();
        return false; /* that it left is seen before the next comes */
    }
    reader.card = accept4(reader.listening, NULL, NULL, SOCK_CLOEXEC);
    if (reader.card < 0)
        return false;
    (void)setsockopt(reader.card, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(reader.card, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return read_atr();
}

static bool exchange(const uint8_t *command, size_t n, uint8_t *answer, size_t cap,
                     size_t *answer_n)
{
    if (send_message(command, n) && receive_message(answer, cap, answer_n) && *answer_n >= 2)
        return true;
    card_gone();
    return false;
}

/* ---- secure PIN entry ---- */

static bool legal(const uint8_t *s, size_t n)
{
    const uint8_t most = mode("max8") ? 8 : DIGITS_MAX;

    if (n < HEAD + 5 || n > HEAD + COMMAND_MAX)
        return false;
    return (s[15] | (size_t)s[16] << 8) == n - HEAD && s[17] == 0 && s[18] == 0 /* ulDataLength */
           && s[5] <= most && s[6] >= 1 && s[6] <= s[5]  /* wPINMaxExtraDigit */
           && (s[7] & 0x07) != 0 && s[7] <= 0x07         /* bEntryValidationCondition */
           && (s[8] == 0 || !mode("plain")) && s[8] <= 1 /* a message needs a display */
           && (s[4] & 0xE0) == 0 && s[11] == 0;          /* RFU; bMsgIndex */
}

static void put_bits(uint8_t *p, size_t at, size_t n, unsigned v)
{
    for (size_t i = 0; i < n; i++) {
        const size_t bit = at + n - 1 - i;
        const uint8_t mask = (uint8_t)(0x80U >> (bit % 8));

        p[bit / 8] = (uint8_t)((v >> i & 1) != 0 ? p[bit / 8] | mask : p[bit / 8] & ~mask);
    }
}

/* CCID 1.1, 6.1.11.4 to 6.1.11.6: the digits into the command, whose data begin at its sixth byte.
 */
static void insert(uint8_t *command, size_t n, const uint8_t *s, const char *digits)
{
    const size_t count = strlen(digits);
    const bool bytes = (s[2] & 0x80) != 0, right = (s[2] & 0x04) != 0;
    const size_t unit = bytes ? 8 : 1, type = s[2] & 0x03;
    const size_t width = type == 1 ? 4 : 8; /* 1: BCD; 0: binary, 2: ASCII */
    const size_t block = (size_t)(s[3] & 0x0F) * 8, length_bits = s[3] >> 4;
    const size_t length_at = (size_t)(s[4] & 0x0F) * ((s[4] & 0x10) != 0 ? 8 : 1);
    size_t at = (size_t)(s[2] >> 3 & 0x0F) * unit;

    if (right && block >= count * width)
        at += block - count * width;
    if ((at + count * width + 7) / 8 > n - 5 || (length_at + length_bits + 7) / 8 > n - 5)
        return;
    for (size_t i = 0; i < count; i++)
        put_bits(command + 5, at + i * width, width,
                 type == 2 ? (unsigned)digits[i] : (unsigned)digits[i] - '0');
    put_bits(command + 5, length_at, length_bits, (unsigned)count);
}

static void hold(void)
{
    const struct timespec pause = {0, 20 * 1000000L};

    note("held", NULL, 0);
    for (int i = 0; i < HOLD_SECONDS * 50; i++) {
        FILE *f = file("go", "r");

        if (f != NULL) {
            fclose(f);
            return;
        }
        nanosleep(&pause, NULL);
    }
}

static const char *prompt(uint16_t language)
{
    switch (language & 0xFF) {
    case 0x0C:
        return "display Code ?";
    case 0x07:
        return "display PIN eingeben";
    default:
        return "display Enter PIN";
    }
}

static size_t status(uint8_t *answer, unsigned sw)
{
    answer[0] = (uint8_t)(sw >> 8);
    answer[1] = (uint8_t)sw;
    return 2;
}

/* One entry at the keypad, to the card where a PIN came of it; 0: the card left. */
static size_t verify(const uint8_t *s, size_t n, uint8_t *answer, size_t cap)
{
    uint8_t command[COMMAND_MAX];
    char entry[32];
    size_t answer_n = 0;

    note("verify", s, n);
    if (mode("refuse") || !legal(s, n))
        return status(answer, 0x6B80);
    if (s[8] == 1)
        note(prompt((uint16_t)(s[9] | s[10] << 8)), NULL, 0);
    next_entry(entry);
    if (strcmp(entry, "timeout") == 0)
        return status(answer, 0x6400);
    if (strcmp(entry, "cancel") == 0)
        return status(answer, 0x6401);
    if (strlen(entry) < s[6] || strlen(entry) > s[5] ||
        strspn(entry, "0123456789") != strlen(entry))
        return status(answer, 0x6403);
    memcpy(command, s + HEAD, n - HEAD);
    insert(command, n - HEAD, s, entry);
    if (!exchange(command, n - HEAD, answer, cap, &answer_n))
        answer_n = 0;
    explicit_bzero(command, sizeof(command));
    explicit_bzero(entry, sizeof(entry));
    if (mode("hold"))
        hold();
    return answer_n;
}

/* ---- what the reader is ---- */

static size_t feature(uint8_t *out, uint8_t tag)
{
    const uint32_t code = CONTROL(tag);

    out[0] = tag;
    out[1] = 4;
    for (size_t i = 0; i < 4; i++)
        out[2 + i] = (uint8_t)(code >> (24 - 8 * i));
    return 6;
}

static size_t features(uint8_t *out)
{
    const bool steps = mode("steps"), blind = mode("blind");
    size_t n = 0;

    if (!mode("none") && (steps || blind)) {
        n += feature(out + n, FEATURE_VERIFY_PIN_START);
        if (!blind)
            n += feature(out + n, FEATURE_GET_KEY_PRESSED);
        n += feature(out + n, FEATURE_VERIFY_PIN_FINISH);
        n += feature(out + n, FEATURE_ABORT);
    } else if (!mode("none")) {
        n += feature(out + n, FEATURE_VERIFY_PIN_DIRECT);
    }
    n += feature(out + n,
                 mode("properties") ? FEATURE_IFD_PIN_PROPERTIES : FEATURE_GET_TLV_PROPERTIES);
    return n;
}

static size_t tlv_properties(uint8_t *out)
{
    const bool display = !mode("plain");
    const uint8_t tlv[] = {
        PCSCv2_PART10_PROPERTY_wLcdLayout,
        2,
        display ? 0x10 : 0,
        display ? 0x02 : 0,
        PCSCv2_PART10_PROPERTY_bEntryValidationCondition,
        1,
        0x07,
        PCSCv2_PART10_PROPERTY_bTimeOut2,
        1,
        0x00,
        PCSCv2_PART10_PROPERTY_bMinPINSize,
        1,
        mode("max8") ? 4 : 1,
        PCSCv2_PART10_PROPERTY_bMaxPINSize,
        1,
        mode("max8") ? 8 : DIGITS_MAX,
        PCSCv2_PART10_PROPERTY_dwMaxAPDUDataSize,
        4,
        0x08,
        0x00,
        0x01,
        0x00,
    };

    memcpy(out, tlv, sizeof(tlv));
    return sizeof(tlv);
}

RESPONSECODE IFDHControl(DWORD Lun, DWORD dwControlCode, PUCHAR TxBuffer, DWORD TxLength,
                         PUCHAR RxBuffer, DWORD RxLength, LPDWORD pdwBytesReturned)
{
    const bool steps = mode("steps") || mode("blind");
    size_t n;

    (void)Lun;
    *pdwBytesReturned = 0;
    if (RxLength < 64 && dwControlCode != CONTROL(FEATURE_VERIFY_PIN_FINISH) &&
        dwControlCode != CONTROL(FEATURE_GET_KEY_PRESSED))
        return IFD_ERROR_INSUFFICIENT_BUFFER;
    if (dwControlCode == CM_IOCTL_GET_FEATURE_REQUEST) {
        *pdwBytesReturned = features(RxBuffer);
    } else if (dwControlCode == CONTROL(FEATURE_GET_TLV_PROPERTIES) && !mode("properties")) {
        *pdwBytesReturned = tlv_properties(RxBuffer);
    } else if (dwControlCode == CONTROL(FEATURE_IFD_PIN_PROPERTIES) && mode("properties")) {
        memcpy(RxBuffer, mode("plain") ? "\x00\x00\x07\x00" : "\x10\x02\x07\x00", 4);
        *pdwBytesReturned = 4;
    } else if (mode("none")) {
        return IFD_NOT_SUPPORTED;
    } else if (mode("broken") && dwControlCode == CONTROL(FEATURE_VERIFY_PIN_DIRECT)) {
        return IFD_COMMUNICATION_ERROR;
    } else if (dwControlCode ==
               CONTROL(steps ? FEATURE_VERIFY_PIN_START : FEATURE_VERIFY_PIN_DIRECT)) {
        n = verify(TxBuffer, TxLength, RxBuffer, RxLength);
        if (n == 0)
            return IFD_COMMUNICATION_ERROR;
        if (!steps) {
            *pdwBytesReturned = n;
        } else {
            memcpy(reader.pending, RxBuffer, 2);
            reader.pending_n = 2;
            RxBuffer[0] = RxBuffer[1] = 0;
        }
    } else if (steps && !mode("blind") && dwControlCode == CONTROL(FEATURE_GET_KEY_PRESSED)) {
        static unsigned asked;

        RxBuffer[0] = asked++ % 3 != 2                                      ? 0x2B
                      : reader.pending[0] == 0x64 && reader.pending[1] == 0 ? 0x0E
                      : reader.pending[0] == 0x64                           ? 0x1B
                                                                            : 0x0D;
        *pdwBytesReturned = 1;
    } else if (steps && dwControlCode == CONTROL(FEATURE_VERIFY_PIN_FINISH) &&
               reader.pending_n == 2) {
        memcpy(RxBuffer, reader.pending, 2);
        reader.pending_n = 0;
        *pdwBytesReturned = 2;
    } else {
        return IFD_NOT_SUPPORTED;
    }
    return IFD_SUCCESS;
}

/* ---- the rest of an IFD handler ---- */

RESPONSECODE IFDHCreateChannelByName(DWORD Lun, LPSTR DeviceName)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int one = 1;
    unsigned port = 0;
    FILE *f;

    (void)Lun;
    snprintf(reader.folder, sizeof(reader.folder), "%s", DeviceName);
    f = file("port", "r");
    if (f == NULL || fscanf(f, "%u", &port) != 1 || port > 65535)
        port = 0;
    if (f != NULL)
        fclose(f);
    at.sin_port = htons((uint16_t)port);
    reader.listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (reader.listening < 0 ||
        setsockopt(reader.listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        bind(reader.listening, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
        listen(reader.listening, 4) != 0)
        return IFD_COMMUNICATION_ERROR;
    return IFD_SUCCESS;
}

RESPONSECODE IFDHCreateChannel(DWORD Lun, DWORD Channel)
{
    (void)Lun;
    (void)Channel;
    return IFD_NOT_SUPPORTED;
}

RESPONSECODE IFDHCloseChannel(DWORD Lun)
{
    (void)Lun;
    card_gone();
    if (reader.listening >= 0)
        close(reader.listening);
    reader.listening = -1;
    return IFD_SUCCESS;
}

RESPONSECODE IFDHGetCapabilities(DWORD Lun, DWORD Tag, PDWORD Length, PUCHAR Value)
{
    (void)Lun;
    switch (Tag) {
    case TAG_IFD_ATR:
    case SCARD_ATTR_ATR_STRING:
        if (*Length < reader.atr_n)
            return IFD_ERROR_INSUFFICIENT_BUFFER;
        *Length = reader.atr_n;
        memcpy(Value, reader.atr, reader.atr_n);
        return IFD_SUCCESS;
    case TAG_IFD_SLOTS_NUMBER:
    case TAG_IFD_SIMULTANEOUS_ACCESS:
        *Length = 1;
        Value[0] = 1;
        return IFD_SUCCESS;
    case TAG_IFD_SLOT_THREAD_SAFE:
    case TAG_IFD_THREAD_SAFE:
        *Length = 1;
        Value[0] = 0;
        return IFD_SUCCESS;
    default:
        return IFD_ERROR_TAG;
    }
}

RESPONSECODE IFDHSetCapabilities(DWORD Lun, DWORD Tag, DWORD Length, PUCHAR Value)
{
    (void)Lun;
    (void)Tag;
    (void)Length;
    (void)Value;
    return IFD_NOT_SUPPORTED;
}

RESPONSECODE IFDHSetProtocolParameters(DWORD Lun, DWORD Protocol, UCHAR Flags, UCHAR PTS1,
                                       UCHAR PTS2, UCHAR PTS3)
{
    (void)Lun;
    (void)Protocol;
    (void)Flags;
    (void)PTS1;
    (void)PTS2;
    (void)PTS3;
    return IFD_SUCCESS;
}

RESPONSECODE IFDHPowerICC(DWORD Lun, DWORD Action, PUCHAR Atr, PDWORD AtrLength)
{
    (void)Lun;
    if (reader.card < 0)
        return Action == IFD_POWER_DOWN ? IFD_SUCCESS : IFD_COMMUNICATION_ERROR;
    if (mode("mute") && Action != IFD_POWER_DOWN)
        return IFD_ERROR_POWER_ACTION;
    if (Action == IFD_POWER_DOWN) {
        reader.powered = false;
        return control_card(VPCD_OFF) ? IFD_SUCCESS : IFD_ERROR_POWER_ACTION;
    }
    if (!control_card(reader.powered && Action == IFD_RESET ? VPCD_RESET : VPCD_ON) ||
        !read_atr() || *AtrLength < reader.atr_n)
        return IFD_ERROR_POWER_ACTION;
    reader.powered = true;
    memcpy(Atr, reader.atr, reader.atr_n);
    *AtrLength = reader.atr_n;
    return IFD_SUCCESS;
}

RESPONSECODE IFDHTransmitToICC(DWORD Lun, SCARD_IO_HEADER SendPci, PUCHAR TxBuffer, DWORD TxLength,
                               PUCHAR RxBuffer, PDWORD RxLength, PSCARD_IO_HEADER RecvPci)
{
    size_t n = 0;

    (void)Lun;
    (void)RecvPci;
    (void)SendPci;
    if (mode("unplugged")) {
        *RxLength = 0;
        return IFD_NO_SUCH_DEVICE;
    }
    if (!exchange(TxBuffer, TxLength, RxBuffer, *RxLength, &n)) {
        *RxLength = 0;
        return IFD_COMMUNICATION_ERROR;
    }
    *RxLength = n;
    return IFD_SUCCESS;
}

RESPONSECODE IFDHICCPresence(DWORD Lun)
{
    (void)Lun;
    if (mode("unplugged"))
        return IFD_NO_SUCH_DEVICE;
    return present() ? IFD_SUCCESS : IFD_ICC_NOT_PRESENT;
}
