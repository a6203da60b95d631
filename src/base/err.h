/* The one error list of the house. A function that can fail returns enum tp_err, 0 is success;
 * where people need to know more it also fills a struct tp_error with a sentence that names the
 * object and the remedy. A status word of a card, a decline or a failed verification is an outcome,
 * not an error. */
#ifndef TP_BASE_ERR_H
#define TP_BASE_ERR_H

#define TP_MUST_CHECK __attribute__((warn_unused_result))

enum tp_err {
    TP_OK = 0,
    TP_ERR_USAGE,     /* the user's or the caller's words are off */
    TP_ERR_FORMAT,    /* bytes or text from outside do not parse */
    TP_ERR_RANGE,     /* a value does not fit a limit or a buffer */
    TP_ERR_NOT_FOUND, /* what was named is not there */
    TP_ERR_EXISTS,    /* what should be made is there already, or differs */
    TP_ERR_STATE,     /* not allowed in the state the thing is in */
    TP_ERR_CANCELLED, /* the person said no, or left */
    TP_ERR_NO_READER, /* no card reader, or no service that reaches one */
    TP_ERR_NO_CARD,   /* no card in the reader */
    TP_ERR_CARD,      /* the card left, is mute, or answered what no card may answer */
    TP_ERR_PEER,      /* the other side cannot be reached or answered nonsense */
    TP_ERR_TIMEOUT,   /* the other side did not answer in time */
    TP_ERR_SECURITY,  /* a signature, certificate or credential fails */
    TP_ERR_IO,        /* a file, disk or database fails */
    TP_ERR_UNKNOWN,   /* a database went away at the commit: it may have kept it, or not */
    TP_ERR_AGAIN, /* another transaction of the books was in the way: the same may be tried again */
    TP_ERR_NO_MEMORY,
    TP_ERR_INTERNAL, /* a fault of ours, or of a library below */
    TP_ERR_COUNT
};

struct tp_error {
    enum tp_err code;
    char text[480];
};

/* Fills *e (which may be NULL) with the code and a sentence without a final full stop, which is
 * UTF-8 without control characters whatever is put into it (word_make_shown), and returns
 * the code, so that a caller can write: return tp_fail(e, TP_ERR_IO, "cannot write %s: %s", path,
 * strerror(errno)). */
enum tp_err tp_fail(struct tp_error *e, enum tp_err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "subject: " before the sentence already in *e; keeps and returns its code. */
enum tp_err tp_error_prefix(struct tp_error *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A short word for a code ("no card"), for messages that have nothing better. Never NULL. */
const char *tp_err_text(enum tp_err code);

#endif
