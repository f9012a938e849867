#!/bin/sh
# test.sh all|race|e2e: the test runs behind make test, make race and make e2e.
#
# all = vet, unit tests (shuffled, under the race detector), the tests with Alloc in
# their name without it (it makes sync.Pool forget at random), a few seconds of
# each fuzz target, and the end-to-end tests. Tests that need root, a peer or a
# compiler skip themselves with their reason; the reasons are printed last.
set -u
cd "$(dirname "$0")/.." || exit 1
what=${1:-all}
GO=${GO:-go}
export GOFLAGS="-buildvcs=false"
failed=
race=-race
if ! command -v gcc >/dev/null; then # the race detector is linked through cgo
	echo "no gcc: the unit tests run without the race detector"
	race=
fi

mkdir -p bin
$GO build -o bin/testreport ./internal/testreport || exit 1
skips=$(mktemp)
trap 'rm -f "$skips"' EXIT

# step NAME ARGUMENTS OF GO TEST...
step() {
	name=$1
	shift
	echo "== $name"
	start=$(date +%s)
	$GO test -json -timeout 10m "$@" 2>&1 | bin/testreport -skips "$skips" || failed="$failed $name"
	echo "   $name: $(($(date +%s) - start)) s"
}

unit=$($GO list ./... | grep -v '/test/') || exit 1
e2e=$($GO list ./test/... 2>/dev/null)

if [ "$what" = all ]; then
	echo "== vet"
	$GO vet ./... || failed="$failed vet"
fi
if [ "$what" != e2e ]; then
	# shellcheck disable=SC2086 # lists of packages
	step unit $race -shuffle=on -skip Alloc $unit
fi
if [ "$what" = all ]; then
	allocating=$(grep -rl --include='*_test.go' '^func Test.*Alloc' . | xargs -n 1 dirname | sort -u)
	# shellcheck disable=SC2086
	step allocations -run Alloc $allocating
	echo "== fuzz smoke"
	tools/fuzz.sh 3s || failed="$failed fuzz"
fi
if [ "$what" != race ] && [ -n "$e2e" ]; then
	# One package at a time and no cache: they hold real clocks to real daemons.
	# shellcheck disable=SC2086
	step e2e -count=1 -p 1 $e2e
fi

if [ -s "$skips" ]; then
	echo "== skipped: $(wc -l <"$skips") tests"
	sort -u "$skips"
fi
if [ -n "$failed" ]; then
	echo "FAILED:$failed"
	exit 1
fi
echo "all passed"
