/* The texts of the C library's argp (argp-help.c, argp-parse.c), which looks for them in the
 * catalogue of the program. Never compiled: here they are found by sources.sh. */
N_("Usage:")
N_("  or: ")
N_(" [OPTION...]")
N_("Try `%s --help' or `%s --usage' for more information.\n")
N_("Mandatory or optional arguments to long options are also mandatory or optional for any "
   "corresponding short options.")
N_("Give this help list")
N_("Give a short usage message")
N_("Print program version")
N_("%s: Too many arguments\n")
