# shellcheck shell=bash
# What makes a Debian tree behave like the images of Debian's Raspberry Pi team at
# their first boot. Needs lib.sh, root.sh, and BOOT_MOUNT, DATE, FAT_LABEL, ROOT and
# ROOT_LABEL.
#
# The files are in releases/debian, our own imitations at the paths of the originals.
# Facts come from the team's image-specs (rootfs/, raspi_master.yaml) and Debian's
# raspi-firmware.

# shape_debian: all of it, in the tree.
shape_debian() {
  echo "rpi_4-${DATE//-/}" >"$ROOT/etc/hostname"
  printf '127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost ip6-loopback\n' >"$ROOT/etc/hosts"
  echo "image based on revision: 0 and build on $DATE" >"$ROOT/etc/raspi-image-id"
  mkdir -p "$ROOT$BOOT_MOUNT"
  cat >"$ROOT/etc/fstab" <<END
# The root file system has fs_passno=1 as per fstab(5) for automatic fsck.
LABEL=$ROOT_LABEL / ext4 rw 0 1
# All other file systems have fs_passno=2 as per fstab(5) for automatic fsck.
LABEL=$FAT_LABEL $BOOT_MOUNT vfat rw 0 2
END
  localize Etc/UTC
  lay debian
  on rpi-set-sysconf.service rpi-generate-ssh-host-keys.service rpi-reconfigure-raspi-firmware.service
  # root may log in at the console, without a password; there is no other user.
  sed -i 's/^root:[^:]*:/root::/' "$ROOT/etc/shadow"
  on ssh.service
  echo uninitialized >"$ROOT/etc/machine-id"
}
