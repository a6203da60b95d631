#!/bin/sh
# valid-documents.sh DIR: what recording_proxy.py wrote there is valid against the schemas of ISO 20022, and there is some of it.
for kind in 011.001.14 012.001.13; do
    xmllint --nonet --noout --schema "$TELEPAY_DATADIR/caaa.$kind.xsd" "$1"/*-caaa."${kind%%.*}".xml 2>&1 || exit 1
done
