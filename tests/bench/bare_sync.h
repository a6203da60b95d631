/* Bare fdatasyncs on the disk of what is measured. */
#ifndef TP_TESTS_BARE_SYNC_H
#define TP_TESTS_BARE_SYNC_H

/* A share of a hundred fdatasyncs in that folder, each of a page more, is quicker than this;
 * seconds. Ends the program when the disk fails. */
double bare_sync_turn(const char *dir, double share);

#endif
