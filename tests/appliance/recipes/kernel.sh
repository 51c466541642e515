#!/bin/sh
# In the builder: Debian's kernel, the modules of modules.txt, gpio-sim from Debian's kernel source, and an initrd.
set -eu
recipes=/recipes out=/out
headers=$(echo /usr/src/linux-headers-*-amd64)
version=${headers#/usr/src/linux-headers-}
mkdir -p /tmp/kernel && cd /tmp/kernel
apt-get update -q
busybox=/usr/bin/busybox
if [ "${ARCH:-amd64}" != amd64 ]; then
    # Unpacked, not installed: the headers would ask for a compiler that runs there. What runs here is the builder's.
    version=${version%-amd64}-$ARCH && headers=/usr/src/linux-headers-$version
    apt-get download -q "linux-headers-$version:$ARCH" "busybox-static:$ARCH"
    dpkg-deb -x linux-headers-*.deb / && dpkg-deb -x busybox-static_*.deb foreign
    busybox=foreign/usr/bin/busybox
fi
apt-get download -q "linux-image-$version${ARCH:+:$ARCH}"
dpkg-deb -x linux-image-*.deb image
cp image/boot/vmlinuz-* $out/vmlinuz
mkdir -p /usr/lib/modules && cp -a image/usr/lib/modules/. /usr/lib/modules/

# gpio-sim: two files of the kernel's (GPL, taken from the package, never kept here). The irq helper that Debian's kernel
# does not export is replaced by the exported one that does the same from any context.
tar -xJf /usr/src/linux-source-*.tar.xz --wildcards --strip-components=1 '*/drivers/gpio/gpio-sim.c' '*/kernel/irq/irq_sim.c'
mkdir gpio && mv drivers/gpio/gpio-sim.c kernel/irq/irq_sim.c gpio/ && cp $recipes/Makefile.gpio gpio/Makefile
sed -i 's/handle_simple_irq(irq_to_desc(irqnum));/generic_handle_irq_safe(irqnum);/' gpio/irq_sim.c
make -C "$headers" M="$PWD/gpio" CONFIG_DEBUG_INFO_BTF_MODULES= modules
install -D -m 644 gpio/appliance-gpio-sim.ko "/usr/lib/modules/$version/updates/appliance-gpio-sim.ko"

# The heap that a camera's pictures are in, likewise, where Debian's kernel comes without (arm64): two files, one start.
if ! grep -q '^CONFIG_DMABUF_HEAPS=y' image/boot/config-*; then
    tar -xJf /usr/src/linux-source-*.tar.xz --wildcards --strip-components=3 '*/dma-buf/dma-heap.c' '*/heaps/system_heap.c'
    mkdir heap && mv dma-heap.c heaps/system_heap.c heap/ && cp $recipes/Makefile.heap heap/Makefile
    sed -i '/^subsys_initcall/d; s/^static int dma_heap_init/int dma_heap_init/' heap/dma-heap.c
    sed -i '/^module_init/d' heap/system_heap.c && cat $recipes/heap-init.c >>heap/system_heap.c
    make -C "$headers" M="$PWD/heap" CONFIG_DEBUG_INFO_BTF_MODULES= modules
    install -m 644 heap/appliance-dma-heap.ko "/usr/lib/modules/$version/updates/"
fi
# And a sound card that is a mixer and no more, where there is none.
if ! grep -q '^CONFIG_SND_DUMMY=' image/boot/config-*; then
    mkdir dummy && printf 'obj-m := snd-dummy.o\nsnd-dummy-y := dummy.o\n' >dummy/Makefile
    tar -xJf /usr/src/linux-source-*.tar.xz -O --wildcards '*/sound/drivers/dummy.c' >dummy/dummy.c
    make -C "$headers" M="$PWD/dummy" CONFIG_DEBUG_INFO_BTF_MODULES= modules
    install -m 644 dummy/snd-dummy.ko "/usr/lib/modules/$version/updates/"
fi
depmod "$version"

# Modules of the guest, each after those it needs.
files_of() { modprobe --set-version "$version" --show-depends "$1" | sed -n 's/^insmod \([^ ]*\).*/\1/p'; }
kept=$out/modules/lib/modules/$version
mkdir -p "$kept" initrd/bin
cp "/usr/lib/modules/$version"/modules.builtin* "/usr/lib/modules/$version/modules.order" "$kept"
own=$(basename -as .ko "/usr/lib/modules/$version/updates"/*)
sed 's/#.*//; s/^early //' $recipes/modules.txt | { cat; echo "$own"; } | while read -r module; do
    [ -z "$module" ] || files_of "$module"
done | sort -u | while read -r file; do
    install -D -m 644 "$file" "$kept/${file#*/lib/modules/"$version"/}"
done
depmod -b $out/modules "$version"

# The initrd: busybox and the early modules, unpacked, in their order.
cp $busybox initrd/bin/ && install -m 755 $recipes/initrd-init initrd/init
: >initrd/modules.order
sed -n 's/^early //p' $recipes/modules.txt | while read -r module; do files_of "$module"; done | awk '!seen[$0]++' |
    while read -r file; do
        name=$(basename "${file%.xz}")
        case $file in *.xz) xz -dc "$file" >"initrd/$name" ;; *) cp "$file" "initrd/$name" ;; esac
        echo "$name" >>initrd/modules.order
    done
(cd initrd && find . | cpio -o -H newc --quiet | gzip -1) >$out/initrd
rm -rf /tmp/kernel
