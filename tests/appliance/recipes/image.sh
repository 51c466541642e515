#!/bin/sh
# In the builder: the guest's disk, put together from Debian's tree, the kernel's modules, /opt/sotto and guest/.
set -eu
tree=/tmp/tree
rm -rf $tree && cp -a /base $tree && rm -f $tree/KEY
if [ "${ARCH:-amd64}" = amd64 ]; then
    in_tree() { chroot $tree "$@"; }
else
    /recipes/settle.sh $tree
    # Nothing of the tree's runs here; these tools work on it from outside.
    in_tree() { tool=$1 && shift && "$tool" --root=$tree "$@"; }
fi
cp -a /kernel/modules/lib/modules/. $tree/usr/lib/modules/
cp -a /camera/sotto $tree/opt/
cp -dR --preserve=mode,links /guest/. $tree/
find $tree -name __pycache__ -path "*/lib/appliance/*" -prune -exec rm -r {} +
echo appliance >$tree/etc/hostname
echo 'b08dfa6083e7567a1921a715000001fb' >$tree/etc/machine-id
: >$tree/etc/fstab
rm -f $tree/etc/resolv.conf
# Nothing that a first boot would do is left to do, and nothing starts by itself that costs an emulated minute.
touch $tree/etc/.updated $tree/var/.updated
in_tree systemd-sysusers
in_tree systemctl --quiet set-default multi-user.target
in_tree systemctl --quiet enable appliance-agent.service appliance-hardware.service
# shellcheck disable=SC2046 # each is a word
in_tree systemctl --quiet mask $(sed 's/#.*//' /recipes/masked-units.txt)
rm -f /out/root.ext4
truncate -s 3G /out/root.ext4
mke2fs -q -F -t ext4 -E lazy_itable_init=1,root_owner=0:0 -d $tree /out/root.ext4
rm -rf $tree
