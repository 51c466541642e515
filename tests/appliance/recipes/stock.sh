#!/bin/sh
# In the builder: the root partition of a stock card, put together from Debian's tree, the kernel's modules, what
# surrounds a box (guest/), and what Raspberry Pi OS sets up beside its packages (stock/). Nothing of Sotto is in it.
set -eu
tree=/tmp/tree
rm -rf $tree && cp -a /stock-base $tree && rm -f $tree/KEY
if [ "${ARCH:-amd64}" = amd64 ]; then
    in_tree() { chroot $tree "$@"; }
else
    /recipes/settle.sh $tree
    # The packages' scripts did not run, and are not to when the card brings more packages.
    sed -i 's/^Status: install ok unpacked$/Status: install ok installed/' $tree/var/lib/dpkg/status
    in_tree() { tool=$1 && shift && "$tool" --root=$tree "$@"; }
fi
cp -a /kernel/modules/lib/modules/. $tree/usr/lib/modules/
cp -dR --preserve=mode,links /guest/. $tree/
cp -dR --preserve=mode,links /stock/. $tree/
chmod 600 $tree/usr/lib/netplan/*.yaml
find $tree -name __pycache__ -path "*/lib/appliance/*" -prune -exec rm -r {} +
rm -f $tree/etc/resolv.conf $tree/etc/apt/sources.list $tree/etc/dpkg/dpkg.cfg.d/99mmdebstrap
echo raspberrypi >$tree/etc/hostname
# As in any image: made on the first start.
: >$tree/etc/machine-id
rm -f $tree/var/lib/dbus/machine-id $tree/etc/ssh/ssh_host_*
# As pi-gen has it, with the identity of this image's table.
mkdir -p $tree/boot/firmware
printf '%s\n' 'proc /proc proc defaults 0 0' \
    "PARTUUID=$DISK-01 /boot/firmware vfat defaults 0 2" \
    "PARTUUID=$DISK-02 / ext4 defaults,noatime 0 1" >$tree/etc/fstab
# What only costs an emulated minute, and a stock card does not start either but for the last two lines.
touch $tree/etc/.updated $tree/var/.updated
in_tree systemd-sysusers
in_tree systemctl --quiet set-default multi-user.target
in_tree systemctl --quiet disable ssh.service ssh.socket
in_tree systemctl --quiet enable appliance-agent.service appliance-hardware.service
# shellcheck disable=SC2046 # each is a word
in_tree systemctl --quiet mask $(sed 's/#.*//' /recipes/stock-masked-units.txt)
rm -f /out/root.ext4
truncate -s "$ROOT_BYTES" /out/root.ext4
mke2fs -q -F -t ext4 -L rootfs -E lazy_itable_init=1,root_owner=0:0 -d $tree /out/root.ext4
rm -rf $tree
