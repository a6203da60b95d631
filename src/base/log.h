/* Words for the people who run the programs, on stderr: "telepay: no card in reader". Never
 * secrets, PANs only masked. */
#ifndef TP_BASE_LOG_H
#define TP_BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_NOTE, LOG_LEVEL_TRACE };

/* name stands before each line (it must stay valid); lines above the level are dropped; a daemon's
 * lines carry the time, and leave by a thread of their own, so that a stderr that nobody reads
 * stops no other: what does not fit its queue is dropped, counted, and the count told. exit() waits
 * for the queue, at most LOG_FLUSH_MS. */
#define LOG_FLUSH_MS 1000
void log_start(const char *name, enum log_level level, int daemon);
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* For lines that anybody can cause, known or not: a note, of which a daemon says LOG_STRANGER_BURST
 * at once and then one each LOG_STRANGER_MS; those between are counted, and the count told. */
#define LOG_STRANGER_BURST 20
#define LOG_STRANGER_MS    500
void log_stranger(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
