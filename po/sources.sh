#!/bin/sh
# sources.sh OUT: the texts of all sources that are translated, as a template of catalogues (run in the top folder).
find po src drivers apdu simcard -name '*.[ch]' | LC_ALL=C sort | xgettext --files-from=- --output="$1" --from-code=UTF-8 --language=C --no-location --package-name=telepay \
    --keyword --keyword=_ --keyword=N_ --keyword=gettext --keyword=ngettext:1,2 --keyword=tp_fail:3 --keyword=tp_error_prefix:2 --keyword=log_error:1 --keyword=log_note:1 \
    --keyword=log_trace:1 --keyword=log_stranger:1 --keyword=line_of:2 --keyword=fetch_say:2 --keyword=complain:2 --keyword=lesson_says:3 --keyword=lesson_line:4 --keyword=lesson_message:4 --keyword=oda_failed:2 --keyword=note_failed:2 --keyword=TEXT:4 --keyword=NUMBER:7 --keyword=FLAG:3 --keyword=RISKS:3 --keyword=SPECIAL:4 --flag=tp_fail:3:c-format --flag=tp_error_prefix:2:c-format --flag=log_error:1:c-format \
    --flag=log_note:1:c-format --flag=log_trace:1:c-format --flag=log_stranger:1:c-format --flag=line_of:2:c-format --flag=lesson_says:3:c-format --flag=lesson_line:4:c-format \
    --flag=lesson_message:4:c-format --flag=argp_error:2:pass-c-format
