/* Commands to the card: EMV 4.4 Book 3, 6. */
#include "kernel/kernel_priv.h"

enum tp_err command_send(struct transaction *tx, const struct capdu *command, struct span *data,
                         uint16_t *sw)
{
    struct buf response = BUF_OF(tx->response);
    enum tp_err r;

    secret_wipe(tx->response, sizeof(tx->response));
    response.cap =
        APDU_SHORT_RESPONSE_MAX - 2; /* EMV 4.3 Book 1, 9.4.1: at most 256 bytes of data */
    r = reader_transmit(tx->reader, command, &response, sw, tx->e);
    *data = buf_span(&response);
    return r;
}

enum tp_err command_read_record(struct transaction *tx, uint8_t sfi, uint8_t record,
                                struct span *data, uint16_t *sw)
{
    const struct capdu c = {.ins = INS_READ_RECORD,
                            .p1 = record,
                            .p2 = (uint8_t)(sfi << 3 | RECORD_BY_NUMBER),
                            .le = 256};

    return command_send(tx, &c, data, sw);
}

enum tp_err command_get_data(struct transaction *tx, uint32_t tag, size_t n, struct span *value)
{
    const struct capdu c = {
        .cla = 0x80, .ins = INS_GET_DATA, .p1 = (uint8_t)(tag >> 8), .p2 = (uint8_t)tag, .le = 256};
    struct span data;
    struct tlv object;
    uint16_t sw;
    enum tp_err r = command_send(tx, &c, &data, &sw);

    *value = (struct span){NULL, 0};
    if (r != TP_OK || sw != SW_OK)
        return r;
    if (tlv_next(&data, &object) == TP_OK && object.tag == tag && (n == 0 || object.value.n == n))
        *value = object.value;
    return TP_OK;
}
