#!/bin/sh
# version.sh NEXT prints the version of this checkout: the tag without its v, or
# tag-commits-ghash after it, or NEXT-dev-commits-ghash before the first tag.
# Outside git (a source archive) it is NEXT-dev.
set -u
cd "$(dirname "$0")/.." || exit 1
g() { git -c safe.directory="$PWD" "$@" 2>/dev/null; }

# Not `describe --dirty`: that writes .git/index, as root under sudo.
dirty=
g -c diff.autoRefreshIndex=false diff --quiet HEAD || dirty=-dirty

if tag=$(g describe --tags --match 'v[0-9]*'); then
	echo "${tag#v}$dirty"
elif hash=$(g rev-parse --short HEAD); then
	echo "$1-dev-$(g rev-list --count HEAD)-g$hash$dirty"
else
	echo "$1-dev"
fi
