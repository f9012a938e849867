#!/bin/sh
# changelog.sh DEB_VERSION turns the newest part of CHANGELOG.md into Debian's
# form: the list under its first heading, wrapped, dated SOURCE_DATE_EPOCH.
set -eu
cd "$(dirname "$0")/.."

echo "baton ($1) unstable; urgency=medium"
echo
awk '/^## / { n++; next } n == 1 && /^\* / { sub(/^\* /, ""); item = $0; print item; next } n == 1 && /^  / { sub(/^ +/, ""); print "\t" $0 }' CHANGELOG.md |
	awk '/^\t/ { sub(/^\t/, " "); line = line $0; next } { if (line) print line; line = $0 } END { if (line) print line }' |
	while IFS= read -r item; do
		echo "$item" | fold -s -w 74 | sed -e '1s/^/  * /' -e '2,$s/^/    /' -e 's/ *$//'
	done
echo
echo " -- $MAINTAINER  $(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")"
