#!/bin/sh
# licenses.sh prints the licences of the modules that are linked into baton, and
# Go's own: their terms ask for that in binaries.
set -eu
cd "$(dirname "$0")/.."
GO=${GO:-go}

goroot=$($GO env GOROOT)
echo "The Go standard library and runtime"
echo
cat "$goroot/LICENSE"
$GO list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/baton | LC_ALL=C sort -u |
	while read -r module version dir; do
		[ -n "$module" ] || continue
		printf '\n%s\n%s %s\n\n' "----------------------------------------" "$module" "$version"
		find "$dir" -maxdepth 1 \( -iname 'LICEN[SC]E*' -o -iname 'COPYING*' -o -iname 'NOTICE*' \) | LC_ALL=C sort | while read -r f; do cat "$f"; done
	done
