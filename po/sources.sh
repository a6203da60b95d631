#!/bin/sh
# sources.sh OUT: the texts of all sources that are translated, as a template of catalogues (run in the top folder).
# Of each name the number of the argument that is translated: as it is, or a format of printf.
texts='_ N_ gettext ngettext:1,2 TEXT:4 NUMBER:7 FLAG:3 RISKS:3 SPECIAL:4 complain:2 fetch_say:2 listing_add:3 note_failed:2 oda_failed:2'
formats='tp_fail:3 tp_error_prefix:2 log_error:1 log_note:1 log_trace:1 log_stranger:1 line_of:2 say:2 listing_means:3 listing_fault:3 lesson_says:3 lesson_line:4 lesson_message:4'
# shellcheck disable=SC2046,SC2086 # words
find po src drivers apdu simcard -name '*.[ch]' | LC_ALL=C sort | xgettext --files-from=- --output="$1" --from-code=UTF-8 --language=C --no-location --package-name=telepay \
    --keyword $(printf ' --keyword=%s' $texts $formats) $(printf ' --flag=%s:c-format' $formats) --flag=argp_error:2:pass-c-format
