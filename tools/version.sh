#!/bin/sh
# version.sh NEXT prints the version of this checkout: the tag without its v, or
# tag-commits-ghash after it, or NEXT-dev-commits-ghash before the first tag.
# Outside git (a source archive) it is NEXT-dev.
set -u
cd "$(dirname "$0")/.." || exit 1
g() { git -c safe.directory="$PWD" "$@" 2>/dev/null; }

# --dirty refreshes the index, under sudo as root's file: let it have a copy.
if index=$(g rev-parse --git-path index) && [ -f "$index" ]; then
	GIT_INDEX_FILE=$(mktemp)
	export GIT_INDEX_FILE
	trap 'rm -f "$GIT_INDEX_FILE"' EXIT
	cp "$index" "$GIT_INDEX_FILE"
fi

if tag=$(g describe --tags --match 'v[0-9]*' --dirty); then
	echo "${tag#v}"
elif hash=$(g describe --always --dirty --exclude '*'); then
	echo "$1-dev-$(g rev-list --count HEAD)-g$hash"
else
	echo "$1-dev"
fi
