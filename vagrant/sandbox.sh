#!/bin/bash
# sandbox.sh COMMAND... runs COMMAND with a libvirtd of its own, in namespaces of
# its own for mounts and network, on hosts where none runs: without systemd (a
# container, CI) or without a KVM that works. Root only. Machines are emulated.
#
#   vagrant/sandbox.sh sh -c 'vagrant up && ./failover.sh; vagrant destroy -f'
#
# When COMMAND ends, the machines that still run end with it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

if [ "${1:-}" != --inside ]; then
	[ "$(id -u)" = 0 ] || { echo "sandbox.sh needs root" >&2; exit 1; }
	exec unshare --mount --net --pid --fork --kill-child --mount-proc -- "$0" --inside "$@"
fi
shift
# libvirt would probe a /dev/kvm that opens but does not run for 50 s a call.
[ ! -e /dev/kvm ] || mount --bind /dev/null /dev/kvm
ip link set lo up
for dir in /run/libvirt /etc/libvirt/qemu /etc/libvirt/storage /var/lib/libvirt/qemu; do
	mkdir -p "$dir"
	mount -t tmpfs -o mode=755 tmpfs "$dir"
done
install -d -o libvirt-qemu -g libvirt-qemu /var/lib/libvirt/qemu
pool=$(mktemp -d /var/tmp/baton-pool.XXXXXX)
chmod 711 "$pool"
trap 'rm -rf "$pool"' EXIT

virtlogd -d
libvirtd -d
for _ in $(seq 100); do
	virsh -q uri >/dev/null 2>&1 && break
	sleep 0.2
done
virsh -q pool-define-as default dir --target "$pool"
virsh -q pool-start default

export BATON_DRIVER=qemu VAGRANT_DEFAULT_PROVIDER=libvirt
export BATON_BOX=${BATON_BOX:-baton/bookworm}
cd "$here"
status=0
"$@" || status=$?
exit $status
