# shellcheck shell=bash
# Debian's kernel, its modules and the firmware of a Pi. Needs lib.sh, modules.sh,
# and ARCH, BOOT, ROOT and WORK.

# fetch_kernel SUITE: sets KERNEL, its version; unpacks it to $WORK/kernel,
# busybox to $WORK/busybox and the firmware of a Pi to $WORK/firmware.
fetch_kernel() {
  local suite=$1 lines kernel debs=$WORK/debs
  step "asking apt for the kernel and the Raspberry Pi firmware"
  mapfile -t lines < <(apt_sources "$suite" main non-free-firmware)
  private_apt "$ARCH" "${lines[@]}"
  "${APT[@]}" update >"$WORK/apt.log" 2>&1 || { tail -n 20 "$WORK/apt.log" >&2; die "apt-get update failed"; }
  kernel=$(apt-cache "${APT[@]:2}" depends linux-image-arm64 | sed -n 's/.*Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1)
  [[ -n $kernel ]] || die "linux-image-arm64 depends on no kernel"
  fetch_debs "$debs" "$kernel" raspi-firmware busybox-static >"$WORK/apt.log" 2>&1 ||
    { tail -n 20 "$WORK/apt.log" >&2; die "the packages could not be downloaded"; }
  dpkg-deb -x "$debs/$kernel"_*.deb "$WORK/kernel"
  dpkg-deb -x "$debs"/raspi-firmware_*.deb "$WORK/firmware"
  dpkg-deb -x "$debs"/busybox-static_*.deb "$WORK/busybox-root"
  cp "$WORK/busybox-root/usr/bin/busybox" "$WORK/busybox"
  KERNEL=${kernel#linux-image-}
}

# install_modules: into ROOT, without those that no node has a use for.
install_modules() {
  local modules=$ROOT/usr/lib/modules/$KERNEL path
  step "kernel $KERNEL: modules"
  mkdir -p "$ROOT/usr/lib/modules"
  cp -a "$WORK/kernel/usr/lib/modules/$KERNEL" "$ROOT/usr/lib/modules/"
  rm -f "$modules/build" "$modules/source"
  for path in "${UNUSED_MODULES_ARM64[@]}"; do
    rm -rf "${modules:?}/kernel/$path"
  done
  depmod -b "$ROOT" "$KERNEL"
  mkdir -p "$ROOT/usr/lib/firmware/brcm"
  cp -a "$WORK"/firmware/usr/lib/firmware/brcm/. "$ROOT/usr/lib/firmware/brcm/"
}

# modules_with_needs BASE MODULE...: files of modules and of what they need, in
# the order they have to be loaded in; a name the kernel does not know, because
# it is built in, is passed over.
modules_with_needs() {
  local base=$1 name
  shift
  for name; do
    modprobe -d "$base" -S "$KERNEL" --ignore-install --show-depends "$name" 2>/dev/null |
      sed -n 's/^insmod //p' || true
  done | awk '!seen[$1]++ { print $1 }'
}

# install_pi_firmware: what the firmware of a Pi 3 or 4 wants on p1 beside its two
# text files.
install_pi_firmware() {
  local dtbs=$WORK/kernel/usr/lib/linux-image-$KERNEL/broadcom
  cp "$WORK/firmware"/usr/lib/raspi-firmware/{bootcode.bin,*.elf,*.dat} "$BOOT/"
  cp "$WORK/firmware/usr/share/doc/raspi-firmware/copyright" "$BOOT/LICENCE.broadcom"
  cp -r "$WORK/firmware/usr/lib/raspi-firmware/overlays" "$BOOT/"
  cp "$WORK/kernel/boot/vmlinuz-$KERNEL" "$BOOT/kernel8.img"
  cp "$dtbs"/bcm2837-rpi-*.dtb "$dtbs"/bcm2711-rpi-*.dtb "$BOOT/"
}
