#!/bin/sh
# lint.sh: what `make lint` checks. All of it runs; the exit code says whether
# anything was found.
set -u
cd "$(dirname "$0")/.." || exit 1
GO=${GO:-go}
export GOFLAGS=-buildvcs=false
status=0

echo "== tools"
GOBIN=$PWD/bin/tools $GO -C tools install tool || exit 1

echo "== format (gofumpt)"
# testdata holds samples that are wrong on purpose.
files=$(find . -name '*.go' -not -path './.*' -not -path './bin/*' -not -path './dist/*' -not -path '*/testdata/*')
# shellcheck disable=SC2086
unformatted=$(bin/tools/gofumpt -l $files) || status=1
if [ -n "$unformatted" ]; then
	echo "$unformatted"
	echo "make fmt rewrites them"
	status=1
fi

echo "== vet"
$GO vet ./... || status=1
$GO -C tools vet ./... || status=1

echo "== staticcheck"
bin/tools/staticcheck ./... || status=1

echo "== go.mod"
$GO mod tidy -diff || status=1

echo "== laws (internal/lint)"
$GO test -count=1 ./internal/lint || status=1

if command -v shellcheck >/dev/null; then
	echo "== shellcheck"
	find . \( -name '*.sh' -o -path ./.ci/run \) -not -path './bin/*' -not -path './dist/*' -exec shellcheck {} + || status=1
fi
exit $status
