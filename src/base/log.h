/* Words for the people who run the programs, on stderr: "telepay: no card in reader". Never secrets, PANs only masked. */
#ifndef TP_BASE_LOG_H
#define TP_BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_NOTE, LOG_LEVEL_TRACE };

/* name stands before each line (it must stay valid); lines above the level are dropped; a daemon's lines carry the time. */
void log_start(const char *name, enum log_level level, int daemon);
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
