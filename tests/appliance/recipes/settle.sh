#!/bin/sh
# In the builder: a Debian of another architecture, unpacked and no more, is settled as its packages' scripts would have
# settled it had they run; as far as the guest needs it.
set -eu
cd "$1"
cp usr/share/base-passwd/passwd.master etc/passwd
cp usr/share/base-passwd/group.master etc/group
sed 's/:.*/:*:20000:0:99999:7:::/' etc/passwd >etc/shadow
sed 's/:.*/:*::/' etc/group >etc/gshadow
chgrp 42 etc/shadow etc/gshadow && chmod 640 etc/shadow etc/gshadow
cp usr/share/libc-bin/nsswitch.conf etc/
mkdir -p home media mnt opt srv var/lib/dbus var/lib/misc var/log/journal var/mail var/opt
rm -rf var/run var/lock && ln -s /run var/run && ln -s /run/lock var/lock
# The alternatives; of each there is but one.
ln -s mawk usr/bin/awk
for library in blas lapack; do
    for file in usr/lib/*/"$library/lib$library.so.3"; do ln -s "$library/${file##*/}" "${file%/*/*}"; done
done
systemd-hwdb --root="$PWD" update
# Python's ctypes finds libraries by the cache alone, and only the guest's own ldconfig makes one that fits. It is a static
# program, so it is the one that can be run here without more.
"qemu-${CROSS_COMPILE%%-*}" usr/sbin/ldconfig -r "$PWD"
# Each start of a program would compile Debian's modules again where it may not write.
python3 -m compileall -q -s "$PWD" -p / usr/lib/python3*
