# shellcheck shell=bash
# The firmware partition of a release. Needs lib.sh, kernel.sh, initramfs.sh,
# raspios.sh, and ARCH, BOOT, DISK_ID, RELEASE, ROOT, ROOT_LABEL and WORK.

# fill_firmware: p1, the kernel's modules on p2.
fill_firmware() {
  local -a modules=(vfat nls_cp437 nls_ascii)
  # By auto_initramfs the name of one follows from that of the other.
  local suffix=8
  [[ $ARCH == arm64 ]] || suffix=_$ARCH
  install_modules
  step "firmware partition"
  [[ $RELEASE == debian ]] || issue >"$BOOT/issue.txt"
  command_line >"$BOOT/cmdline.txt"
  config "$suffix" >"$BOOT/config.txt"
  case $RELEASE in
    trixie) seeds ;;
    debian) printf '#root_pw=FooBar\n#root_authorized_key=\n#hostname=rpi\n' >"$BOOT/sysconf.txt" ;;
  esac
  case $ARCH in
    amd64)
      cp "$WORK/kernel/boot/vmlinuz-$KERNEL" "$BOOT/kernel$suffix.img"
      modules+=("${INITRAMFS_MODULES_AMD64[@]}") ;;
    arm64)
      install_pi_firmware
      modules+=("${INITRAMFS_MODULES_ARM64[@]}") ;;
  esac
  make_initramfs "${modules[@]}" >"$BOOT/initramfs$suffix"
}

# command_line: as released, one line (pi-gen stage1/00-boot-files and
# stage2/01-sys-tweaks/00-patches; Debian's raspi-firmware). Only Debian has root
# mounted writable.
command_line() {
  local words="console=serial0,115200 console=tty1 root=PARTUUID=$DISK_ID-02 rootfstype=ext4 fsck.repair=yes rootwait"
  case $RELEASE in
    bullseye | bookworm) echo "$words quiet init=/usr/lib/raspberrypi-sys-mods/firstboot" ;;
    trixie) echo "$words resize" ;;
    debian) echo "console=tty0 console=ttyS1,115200 root=LABEL=$ROOT_LABEL rw fsck.repair=yes net.ifnames=0 cma=64M rootwait" ;;
  esac
}

# config SUFFIX: the active lines as released (pi-gen stage1/00-boot-files), and what
# names Debian's kernel. It is made of modules, so Bullseye has an initramfs too, which
# Raspberry Pi's own kernel did without.
config() {
  if [[ $RELEASE == debian ]]; then
    printf 'arm_64bit=1\nenable_uart=1\nupstream_kernel=1\n'
    printf 'kernel=kernel%s.img\ninitramfs initramfs%s\n' "$1" "$1"
    return
  fi
  echo "# For more options and information see http://rptl.io/configtxt"
  printf 'dtparam=audio=on\ncamera_auto_detect=1\ndisplay_auto_detect=1\n'
  [[ $RELEASE == bullseye ]] || echo auto_initramfs=1
  printf 'dtoverlay=vc4-kms-v3d\nmax_framebuffers=2\n'
  [[ $RELEASE == bullseye ]] || echo disable_fw_kms_setup=1
  printf 'arm_64bit=1\ndisable_overscan=1\n'
  case $RELEASE in
    bullseye) printf '\n[cm4]\notg_mode=1\n\n[all]\n\n[pi4]\narm_boost=1\n' ;;
    *) printf 'arm_boost=1\n\n[cm4]\notg_mode=1\n\n[cm5]\ndtoverlay=dwc2,dr_mode=host\n' ;;
  esac
  printf '\n[all]\n'
  [[ $RELEASE != bullseye ]] || echo "initramfs initramfs$1 followkernel"
  case $ARCH in
    amd64) echo "kernel=kernel$1.img" ;;
    arm64) printf 'upstream_kernel=1\nenable_uart=1\n' ;;
  esac
}

# seeds: cloud-init's, of comments alone (pi-gen stage2/04-cloud-init). The id has
# an underscore there, which cloud-init does not read.
seeds() {
  printf '#cloud-config\n# hostname: raspberrypi\n' >"$BOOT/user-data"
  printf '# network:\n#   version: 2\n' >"$BOOT/network-config"
  printf 'dsmode: local\ninstance_id: rpios-image\n' >"$BOOT/meta-data"
}
