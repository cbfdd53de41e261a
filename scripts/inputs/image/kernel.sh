# shellcheck shell=bash
# Debian's kernel, its modules and the firmware of a Pi. Needs lib.sh, modules.sh,
# and ARCH, BOOT, ROOT and WORK.

# fetch_kernel SUITE: sets KERNEL, its version; unpacks it to $WORK/kernel,
# busybox to $WORK/busybox and for arm64 the firmware of a Pi to $WORK/firmware.
fetch_kernel() {
  local suite=$1 lines kernel meta debs=$WORK/debs
  local -a others=(busybox-static) components=(main)
  case $ARCH in
    amd64) meta=linux-image-cloud-amd64 ;; # small, and knows virtio
    arm64)
      meta=linux-image-arm64
      others+=(raspi-firmware)
      components+=("$(firmware_component "$suite")") ;;
  esac
  step "asking apt for the packages of the kernel"
  mapfile -t lines < <(apt_sources "$suite" "${components[@]}")
  private_apt "$ARCH" "${lines[@]}"
  "${APT[@]}" update >"$WORK/apt.log" 2>&1 || { tail -n 20 "$WORK/apt.log" >&2; die "apt-get update failed"; }
  kernel=$(apt-cache "${APT[@]:2}" depends "$meta" | sed -n 's/.*Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1)
  [[ -n $kernel ]] || die "$meta depends on no kernel"
  fetch_debs "$debs" "$kernel" "${others[@]}" >"$WORK/apt.log" 2>&1 ||
    { tail -n 20 "$WORK/apt.log" >&2; die "the packages could not be downloaded"; }
  KERNEL=${kernel#linux-image-}
  unpack_merged "$debs/$kernel"_*.deb "$WORK/kernel"
  unpack_merged "$debs"/busybox-static_*.deb "$WORK/busybox-root"
  cp "$WORK/busybox-root/usr/bin/busybox" "$WORK/busybox"
  [[ $ARCH != arm64 ]] || unpack_merged "$debs"/raspi-firmware_*.deb "$WORK/firmware"
}

# firmware_component SUITE: where Debian keeps firmware that is not free.
firmware_component() {
  case $1 in
    bullseye) echo non-free ;;
    *) echo non-free-firmware ;;
  esac
}

# unpack_merged DEB DIR: with /bin and /lib in /usr, as the tree has them.
unpack_merged() {
  local dir
  mkdir -p "$2"
  dpkg-deb -x "$1" "$2"
  for dir in bin lib; do
    [[ -d $2/$dir ]] || continue
    mkdir -p "$2/usr/$dir"
    cp -a "$2/$dir/." "$2/usr/$dir/"
    rm -rf "${2:?}/$dir"
  done
}

# install_modules: into ROOT; for a Pi without those that no node has a use for,
# for a virtual machine those that it has a use for.
install_modules() {
  local from=$WORK/kernel/usr/lib/modules/$KERNEL to=$ROOT/usr/lib/modules/$KERNEL
  step "kernel $KERNEL: modules"
  mkdir -p "$to"
  "copy_modules_$ARCH" "$from" "$to"
  rm -f "$to/build" "$to/source"
  depmod -b "$ROOT" "$KERNEL"
}

copy_modules_arm64() {
  local path
  cp -a "$1/." "$2/"
  for path in "${UNUSED_MODULES_ARM64[@]}"; do
    rm -rf "${2:?}/kernel/$path"
  done
}

copy_modules_amd64() {
  local file
  cp -a "$1"/modules.{builtin,builtin.modinfo,order} "$2/"
  index_modules
  while read -r file; do
    install -D -m 644 "$file" "$2/${file#*"/$KERNEL/"}"
  done < <(modules_with_needs "${USED_MODULES_AMD64[@]}")
}

# index_modules: lets modprobe find its way among all the kernel's modules.
index_modules() {
  [[ -e $WORK/kernel/lib ]] || ln -s usr/lib "$WORK/kernel/lib"
  depmod -b "$WORK/kernel" "$KERNEL"
}

# modules_with_needs MODULE...: files of modules and of what they need, in the
# order they have to be loaded in; what is built in is passed over.
modules_with_needs() {
  local name
  for name; do
    modprobe -d "$WORK/kernel" -S "$KERNEL" --ignore-install --show-depends "$name" 2>/dev/null |
      sed -n 's/^insmod //p' || true
  done | awk '!seen[$1]++ { print $1 }'
}

# install_pi_firmware: what the firmware of a Pi 3 or 4 wants beside its two text
# files, on p1.
install_pi_firmware() {
  local dtbs=$WORK/kernel/usr/lib/linux-image-$KERNEL/broadcom
  cp "$WORK/firmware"/usr/lib/raspi-firmware/{bootcode.bin,*.elf,*.dat} "$BOOT/"
  cp "$WORK/firmware/usr/share/doc/raspi-firmware/copyright" "$BOOT/LICENCE.broadcom"
  cp -r "$WORK/firmware/usr/lib/raspi-firmware/overlays" "$BOOT/"
  cp "$WORK/kernel/boot/vmlinuz-$KERNEL" "$BOOT/kernel8.img"
  cp "$dtbs"/bcm2837-rpi-*.dtb "$dtbs"/bcm2711-rpi-*.dtb "$BOOT/"
  mkdir -p "$ROOT/usr/lib/firmware/brcm"
  cp -a "$WORK"/firmware/usr/lib/firmware/brcm/. "$ROOT/usr/lib/firmware/brcm/"
}
