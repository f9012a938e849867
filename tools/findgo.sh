#!/bin/sh
# findgo.sh prints the path of a Go that can build this module.
#
# sudo cuts PATH down to the system's folders, so the places where people put Go
# are looked at too. $GO comes first when the caller set it. Without a usable Go
# it says what it found, what is needed and where to get it, and exits 1.
# shellcheck disable=SC2012 # ls sorts and globs; these paths are plain
set -u
cd "$(dirname "$0")/.." || exit 1

want=$(awk '$1 == "go" { print $2; exit }' go.mod)
home=
[ -n "${SUDO_USER:-}" ] && home=$(getent passwd "$SUDO_USER" | cut -d: -f6)

candidates() {
	case ${GO:-} in
	'' | go) ;;
	*) # what the user names is what he gets
		command -v "$GO"
		return
		;;
	esac
	command -v go
	ls -d /usr/local/go/bin/go 2>/dev/null
	ls -d /usr/lib/go-*/bin/go 2>/dev/null | sort -rV
	for h in "${HOME:-/root}" $home; do
		ls -d "$h"/go/bin/go "$h"/.local/go/bin/go "$h"/sdk/go*/bin/go 2>/dev/null | sort -rV
	done
	ls -d /snap/bin/go /opt/go/bin/go 2>/dev/null
}

# new_enough VERSION: is it go.mod's or later?
new_enough() {
	[ "$(printf '%s\n%s\n' "$want" "$1" | sort -V | head -n 1)" = "$want" ]
}

old=
for go in $(candidates); do
	have=$(GOTOOLCHAIN=local "$go" env GOVERSION 2>/dev/null)
	[ -n "$have" ] || have=$("$go" version 2>/dev/null | awk '{ print $3 }')
	if new_enough "${have#go}"; then
		echo "$go"
		exit 0
	fi
	old="$old $go (${have:-does not run})"
done
# From 1.21 on Go fetches the toolchain that go.mod asks for, unless told not to.
for go in $(candidates); do
	have=$("$go" env GOVERSION 2>/dev/null)
	if [ -n "$have" ] && new_enough "${have#go}"; then
		echo "$go"
		exit 0
	fi
done

if [ -n "$old" ]; then
	echo "baton needs Go $want or later; too old:$old" >&2
else
	echo "baton needs Go $want or later, and there is no Go on PATH, in /usr/local/go, /usr/lib/go-*, ~/go or ~/sdk" >&2
fi
echo "get it from https://go.dev/dl/ (unpack to /usr/local/go), or name yours: make GO=/path/to/go ..." >&2
exit 1
