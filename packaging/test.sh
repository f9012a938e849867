#!/bin/bash
# test.sh installs, upgrades, removes and purges the package of dist/ in a fresh
# Debian made by debootstrap, with namespaces of its own for mounts, processes
# and network. The unit under a running systemd is what vagrant/ tests.
# shellcheck disable=SC2016 # the inner shells expand these
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "deb-test needs root: sudo make deb-test" >&2; exit 1; }
arch=$(dpkg --print-architecture)
deb=$(ls dist/baton_*_"$arch".deb)
work=$(mktemp -d /var/tmp/baton-deb-test.XXXXXX)
root=$work/root
trap 'rm -rf "$work"' EXIT
step() { echo "deb-test: $*"; }
fail() { echo "deb-test: FAILED: $*" >&2; exit 1; }

step "debootstrap"
debootstrap --variant=minbase --include=adduser,systemd,procps,curl bookworm "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$work/log" 2>&1 ||
	{ tail -n 20 "$work/log" >&2; exit 1; }

# A later version of the same package, with another baton.cfg.
dpkg-deb -R "$deb" "$work/next"
sed -i 's/^Version: .*/&+next/' "$work/next/DEBIAN/control"
echo "# of the next version" >>"$work/next/etc/baton/baton.cfg"
dpkg-deb -b "$work/next" "$root/tmp/next.deb" >/dev/null
cp "$deb" "$root/tmp/baton.deb"

inside() {
	unshare --mount --pid --fork --kill-child --net --uts -- sh -c '
		mount -t proc proc "$1/proc" && ip link set lo up && root=$1 && shift && exec chroot "$root" "$@"' sh "$root" "$@"
}
files() { # all there is, but what dpkg itself and logs write
	(cd "$root" && find . -xdev \( -path ./proc -o -path ./run -o -path ./tmp -o -path ./var/lib/dpkg -o -path ./var/log -o -path ./var/cache -o -path ./var/lib/systemd/deb-systemd-helper-enabled \) -prune -o -print | LC_ALL=C sort)
}
files >"$work/before"
cp "$root/etc/passwd" "$work/passwd"

step "install"
inside dpkg -i /tmp/baton.deb >>"$work/log" 2>&1 || { tail "$work/log"; fail "dpkg -i"; }
inside getent passwd baton >/dev/null || fail "no user baton"
[ "$(inside stat -c '%a %U %G' /etc/baton/baton.cfg)" = "640 root baton" ] || fail "mode of baton.cfg"
[ -L "$root/etc/systemd/system/multi-user.target.wants/baton.service" ] || fail "the service is not enabled"
inside systemd-analyze verify --man=no baton.service || fail "the unit is not valid"
inside baton version
inside env PATH=/usr/lib/baton:/usr/bin:/bin keepalived -v 2>&1 | grep -q "^Keepalived v2" || fail "no keepalived in /usr/lib/baton"
inside env PATH=/usr/lib/baton:/usr/bin:/bin haproxy -v | grep -q "^HAProxy version 3" || fail "no haproxy in /usr/lib/baton"

step "run as the unit does: user baton, its capabilities and no others"
capabilities=$(sed -n 's/^AmbientCapabilities=//p' packaging/baton.service | tr ' ' '\n' | sed -e 's/^CAP_/+/' | tr '[:upper:]\n' '[:lower:],' | sed 's/,$//')
inside sh -c '
	install -d -o baton -g baton /run/baton
	as="setpriv --reuid baton --regid baton --init-groups --no-new-privs --bounding-set -all,$1 --inh-caps -all,$1 --ambient-caps -all,$1"
	$as baton check || exit 1
	$as baton run & pid=$!
	curl -sS --fail --retry 50 --retry-connrefused --retry-delay 1 --retry-max-time 20 http://127.0.0.1:8405/health || exit 1
	$as baton status || exit 1
	kill -TERM $pid; wait $pid && rmdir /run/baton
' sh "$capabilities" || fail "the daemon does not serve with the delivered configuration"

step "upgrade"
echo "# changed by the operator" >>"$root/etc/baton/baton.cfg"
inside dpkg --force-confold -i /tmp/next.deb >>"$work/log" 2>&1 || { tail "$work/log"; fail "upgrade"; }
grep -q "changed by the operator" "$root/etc/baton/baton.cfg" || fail "the upgrade overwrote the configuration"
[ "$(inside stat -c '%a %U %G' /etc/baton/baton.cfg)" = "640 root baton" ] || fail "the upgrade changed the mode of baton.cfg"

step "remove"
inside dpkg -r baton >>"$work/log" 2>&1 || fail "remove"
[ ! -e "$root/usr/bin/baton" ] || fail "the binary is still there"
[ -e "$root/etc/baton/baton.cfg" ] || fail "remove took the configuration"

step "install again, and purge"
inside dpkg --force-confold -i /tmp/baton.deb >>"$work/log" 2>&1 || fail "install after remove"
[ -L "$root/etc/systemd/system/multi-user.target.wants/baton.service" ] || fail "the service is not enabled after remove and install"
inside dpkg -P baton >>"$work/log" 2>&1 || fail "purge"
files >"$work/after"
diff "$work/before" "$work/after" || fail "purge left files (>) or took some (<)"
diff "$work/passwd" "$root/etc/passwd" || fail "purge left the user"
echo "deb-test: passed"
