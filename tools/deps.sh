#!/bin/sh
# deps.sh TARGET: the Debian packages that a make target needs beyond Go, git and
# make. Silent and quick when all are there. As root on Debian or Ubuntu it
# installs the missing ones; otherwise it names them with the command. `test`
# without root goes on with what there is, because those tests are skipped then.
set -u

# Each need is command:package, or /file:package where no command tells.
demo='ip:iproute2'
test="$demo haproxy:haproxy keepalived:keepalived nft:nftables tshark:tshark ps:procps gcc:gcc /usr/include/stdio.h:libc6-dev" # gcc: the race detector
bench="$demo haproxy:haproxy nginx:nginx-light /usr/lib/nginx/modules/ngx_stream_module.so:libnginx-mod-stream wrk:wrk taskset:util-linux"
bench_failover="$demo haproxy:haproxy keepalived:keepalived"
bench_vrrp="$bench_failover wrk:wrk dumpcap:wireshark-common"
deb_test='ip:iproute2 unshare:util-linux debootstrap:debootstrap lintian:lintian'
vagrant='vagrant:vagrant virsh:libvirt-clients qemu-img:qemu-utils debootstrap:debootstrap mke2fs:e2fsprogs
 ssh:openssh-client syslinux:syslinux mcopy:mtools mkfs.fat:dosfstools sfdisk:fdisk
 dnsmasq:dnsmasq-base qemu-system-x86_64:qemu-system-x86 libvirtd:libvirt-daemon-system
 /usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so:libvirt-daemon-driver-qemu
 /usr/share/doc/vagrant-libvirt:vagrant-libvirt'

case ${1:-} in
demo) needs=$demo ;;
test) needs=$test ;;
bench) needs=$bench ;;
bench-failover) needs=$bench_failover ;;
bench-vrrp) needs=$bench_vrrp ;;
deb-test) needs=$deb_test ;;
vagrant) needs=$vagrant ;;
*)
	echo "usage: deps.sh demo|test|bench|bench-failover|bench-vrrp|deb-test|vagrant" >&2
	exit 2
	;;
esac

PATH=$PATH:/usr/sbin:/sbin
missing=
for need in $needs; do
	case $need in
	/*) [ -e "${need%:*}" ] ;;
	*) command -v "${need%:*}" >/dev/null ;;
	esac || missing="$missing ${need#*:}"
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "make $1 needs these Debian packages:$missing" >&2
	echo "install them:  sudo apt-get install --no-install-recommends$missing" >&2
	[ "$1" = test ] && exit 0
	exit 1
fi

# Debian starts a service when it is installed, and at each boot from then on. A
# keepalived or haproxy that somebody's tests pulled in must do neither: policy-rc.d
# (101: action forbidden) covers the installation, `disable` the boots.
policy=/usr/sbin/policy-rc.d
mine=
# shellcheck disable=SC2317 # called by the trap
cleanup() { [ -z "$mine" ] || rm -f "$policy"; }
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
if [ ! -e "$policy" ]; then
	mine=yes
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
fi

echo "installing for make $1:$missing"
export DEBIAN_FRONTEND=noninteractive
install() {
	# shellcheck disable=SC2086 # a list of package names
	apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --no-install-recommends $missing
}
log=$(mktemp)
if ! { install || { apt-get -q update && install; }; } >"$log" 2>&1; then
	tail -n 15 "$log" >&2
	rm -f "$log"
	echo "apt-get could not install:$missing" >&2
	exit 1
fi
rm -f "$log"

for package in $missing; do
	case $package in
	keepalived | haproxy | nginx-light)
		service=${package%-light}
		systemctl disable --quiet "$service" 2>/dev/null || DPKG_MAINTSCRIPT_PACKAGE=$package deb-systemd-helper disable "$service.service" >/dev/null
		echo "$service is installed, but neither started nor enabled"
		;;
	esac
done
exit 0
