#!/bin/sh
# fuzz.sh TIME runs each fuzz target of the module for TIME (a Go duration). New
# inputs that go on finding things are kept in Go's cache; one that fails is
# written to the package's testdata/fuzz, from where every `go test` runs it.
set -u
cd "$(dirname "$0")/.." || exit 1
time=${1:?duration, such as 60s}
GO=${GO:-go}
export GOFLAGS=-buildvcs=false
status=0

log=$(mktemp)
trap 'rm -f "$log"' EXIT
targets=$(find . -name '*_test.go' -not -path './.*' -not -path '*/testdata/*' \
	-exec awk 'match($0, /^func Fuzz[A-Za-z0-9_]*/) { f = FILENAME; sub("/[^/]*$", "", f); print f ":" substr($0, 6, RLENGTH - 5) }' {} + | sort)
for target in $targets; do
	package=${target%:*}
	name=${target#*:}
	if $GO test -run '^$' -fuzz "^$name\$" -fuzztime "$time" "$package" >"$log" 2>&1; then
		printf '   %-40s %s\n' "${package#./} $name" "$(grep '^fuzz: elapsed' "$log" | tail -n 1 | sed 's/^fuzz: //')"
	else
		printf '   %-40s FAILED\n' "${package#./} $name"
		cat "$log"
		status=1
	fi
done
exit $status
