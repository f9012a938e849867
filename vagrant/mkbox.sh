#!/bin/bash
# mkbox.sh builds the libvirt box "baton/bookworm" from Debian's packages, for
# hosts that cannot download a public box: dist/baton-bookworm.box, which it adds
# to Vagrant. It needs root (debootstrap), a Debian mirror and about three
# minutes, but no loop device, no mounts of images and no KVM.
#
# The disk is one FAT partition, from which syslinux boots, and one ext4 partition
# that mke2fs fills from a folder.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$here/../dist
mirror=${MIRROR:-http://deb.debian.org/debian}
name=baton/bookworm
work=$(mktemp -d /var/tmp/baton-mkbox.XXXXXX)
trap 'rm -rf "$work"' EXIT
say() { echo "mkbox: $*"; }

[ "$(id -u)" = 0 ] || { echo "mkbox: debootstrap needs root: sudo $0" >&2; exit 1; }
for tool in debootstrap mke2fs mkfs.fat mcopy syslinux sfdisk qemu-img; do
	command -v "$tool" >/dev/null || { echo "mkbox: no $tool: sudo tools/deps.sh vagrant" >&2; exit 1; }
done

say "debootstrap bookworm"
# nginx is for web1 and web2: the machines may have no way to a mirror.
packages=systemd-sysv,udev,iproute2,ifupdown,isc-dhcp-client,openssh-server,sudo,linux-image-cloud-amd64
packages+=,adduser,procps,rsync,curl,nginx-light,kmod,netbase,dbus
root=$work/root
debootstrap --variant=minbase --include="$packages" bookworm "$root" "$mirror" >"$work/log" 2>&1 ||
	{ tail -n 20 "$work/log" >&2; exit 1; }

say "configure it as Vagrant expects"
echo bookworm >"$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 bookworm\n' >"$root/etc/hosts"
printf 'LABEL=root / ext4 defaults,noatime 0 1\n' >"$root/etc/fstab"
mkdir -p "$root/etc/network"
cat >"$root/etc/network/interfaces" <<'EOF'
auto lo
iface lo inet loopback
auto eth0
iface eth0 inet dhcp
EOF
chroot "$root" useradd -m -s /bin/bash vagrant
echo 'vagrant ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/vagrant"
chmod 440 "$root/etc/sudoers.d/vagrant"
install -d -m 700 -o 1000 -g 1000 "$root/home/vagrant/.ssh"
# Vagrant's well-known key; it replaces it by one of its own on the first `up`.
key=$(find /usr/share/rubygems-integration /opt/vagrant -path '*/keys/vagrant.pub' 2>/dev/null | head -n 1) || true
[ -n "$key" ] || { echo "mkbox: Vagrant's public key is not where its packages put it" >&2; exit 1; }
install -m 600 -o 1000 -g 1000 "$key" "$root/home/vagrant/.ssh/authorized_keys"
echo 'UseDNS no' >"$root/etc/ssh/sshd_config.d/vagrant.conf"
chroot "$root" systemctl disable --quiet nginx
chroot "$root" systemctl mask --quiet apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/doc/* "$root"/usr/share/man/*

say "make the disk"
disk=$work/disk.raw
boot_at=2048 boot_mib=96 root_mib=1900 # the first in sectors of 512 bytes
boot_sectors=$((boot_mib * 2048))
root_at=$((boot_at + boot_sectors))
truncate -s $(((root_at / 2048) + root_mib))M "$disk"
sfdisk -q "$disk" <<EOF
label: dos
start=$boot_at, size=$boot_sectors, type=e, bootable
start=$root_at, type=83
EOF
cat >"$work/syslinux.cfg" <<'EOF'
DEFAULT linux
PROMPT 0
LABEL linux
  KERNEL vmlinuz
  APPEND initrd=initrd.img root=/dev/vda2 ro net.ifnames=0 console=ttyS0 quiet
EOF
fat=$work/boot.fat
truncate -s ${boot_mib}M "$fat"
mkfs.fat -F 16 -h $boot_at -n BOOT "$fat" >/dev/null # -h: the boot sector reads the disk from there
mcopy -i "$fat" "$work/syslinux.cfg" ::syslinux.cfg
mcopy -i "$fat" "$root"/boot/vmlinuz-* ::vmlinuz
mcopy -i "$fat" "$root"/boot/initrd.img-* ::initrd.img
syslinux --install "$fat"
dd if="$fat" of="$disk" bs=1M seek=1 conv=notrunc status=none
dd if=/usr/lib/SYSLINUX/mbr.bin of="$disk" bs=440 count=1 conv=notrunc status=none
mke2fs -q -F -t ext4 -L root -d "$root" -E "offset=$((root_at * 512))" "$disk" ${root_mib}M

say "pack the box"
mkdir -p "$out" "$work/box"
qemu-img convert -q -c -O qcow2 "$disk" "$work/box/box.img"
virtual=$(((root_at / 2048 + root_mib + 1023) / 1024))
printf '{"provider":"libvirt","format":"qcow2","virtual_size":%d}\n' "$virtual" >"$work/box/metadata.json"
echo 'Vagrant.configure("2") { |config| }' >"$work/box/Vagrantfile"
tar -C "$work/box" -czf "$out/baton-bookworm.box" metadata.json Vagrantfile box.img
vagrant box add --force --name "$name" "$out/baton-bookworm.box" >/dev/null
say "$out/baton-bookworm.box, added as $name: BATON_BOX=$name vagrant up"
