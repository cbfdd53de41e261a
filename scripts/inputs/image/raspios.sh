# shellcheck shell=bash
# What makes a Debian tree behave like a release of Raspberry Pi OS at its first
# boot. Needs lib.sh, root.sh, and ARCH, DISK_ID, HERE, RELEASE, ROOT, and BOOT_MOUNT
# and DATE of the release.
#
# The files are in releases/, our own imitations at the paths of the originals; they
# say what they stand for. Facts come from the sources that the comments name by
# package: pi-gen, raspberrypi-sys-mods, raspberrypi-net-mods, userconf-pi, rpi-swap.

# shape_raspios: all of it, in the tree.
shape_raspios() {
  local layer
  name_host raspberrypi
  write_fstab "$BOOT_MOUNT" "$DISK_ID"
  localize Europe/London
  for layer in $(layers); do
    lay "$layer"
  done
  issue >"$ROOT/etc/rpi-issue"
  add_first_user
  first_boot_units
  "shape_$RELEASE"
  radios
  echo "nameserver 8.8.8.8" >"$ROOT/etc/resolv.conf" # until the network is up
}

# layers: folders of releases/, each on top of the one before.
layers() {
  case $RELEASE in
    bullseye) echo raspios before-trixie bullseye ;;
    bookworm) echo raspios before-trixie since-bookworm bookworm ;;
    trixie) echo raspios since-bookworm trixie ;;
  esac
}

# issue: the text by which a release is told from Debian, in /etc/rpi-issue and on
# the firmware partition.
issue() {
  cat <<END
Raspberry Pi reference $DATE
A test image in the shape of Raspberry Pi OS $RELEASE, made of Debian's packages
END
}

first_boot_units() {
  on userconfig.service sshswitch.service regenerate_ssh_host_keys.service
  # The wizard has the console (pi-gen export-image/01-user-rename).
  off getty@tty1.service
  echo 'Banner /usr/share/userconf-pi/sshd_banner' >"$ROOT/etc/ssh/sshd_config.d/rename_user.conf"
}

# before_trixie SWAP_MIB: what Bullseye and Bookworm share.
before_trixie() {
  # Empty: a new id is made, but it is no first boot in systemd's sense.
  : >"$ROOT/etc/machine-id"
  ln -s ../init.d/resize2fs_once "$ROOT/etc/rc3.d/S01resize2fs_once"
  sed -i "s/^#CONF_SWAPSIZE=.*/CONF_SWAPSIZE=$1/" "$ROOT/etc/dphys-swapfile"
  echo "$DATE 12:00:00" >"$ROOT/etc/fake-hwclock.data"
  echo 'pi ALL=(ALL) NOPASSWD: ALL' >"$ROOT/etc/sudoers.d/010_pi-nopasswd"
  chmod 440 "$ROOT/etc/sudoers.d/010_pi-nopasswd"
}

shape_bullseye() {
  before_trixie 100
  # Installed, and off: dhcpcd has the interfaces.
  off NetworkManager.service NetworkManager-dispatcher.service NetworkManager-wait-online.service \
    dbus-org.freedesktop.nm-dispatcher.service
}

shape_bookworm() {
  before_trixie 512
  sed -i 's/^#\?Storage=.*/Storage=volatile/' "$ROOT/etc/systemd/journald.conf"
  write_firmware_decoys
}

shape_trixie() {
  # systemd's first boot: presets and ConditionFirstBoot (pi-gen c4e9044f).
  echo uninitialized >"$ROOT/etc/machine-id"
  on rpi-resize.service cloud-init-{main,local,network}.service cloud-{config,final}.service
  # Its time is the clock's at the first boot.
  mkdir -p "$ROOT/var/lib/systemd/timesync"
  : >"$ROOT/var/lib/systemd/timesync/clock"
  chown "$(id_of passwd systemd-timesync):$(id_of group systemd-timesync)" \
    "$ROOT"/var/lib/systemd/timesync{,/clock}
  # Made without a way to log in (pi-gen 4b9cd15c): a key alone is not enough.
  usermod --prefix "$ROOT" --shell /usr/sbin/nologin pi
  write_firmware_decoys
}

# write_firmware_decoys: below the mount point of p1, and of no effect.
write_firmware_decoys() {
  write_decoys
  ln -s firmware/overlays "$ROOT/boot/overlays"
  ln -s firmware/issue.txt "$ROOT/boot/issue.txt"
}

# id_of FILE NAME: the numeric id in the tree's passwd or group.
id_of() { awk -F: -v name="$2" '$1 == name { print $3 }' "$ROOT/etc/$1"; }

# add_first_user: pi, with a password that nothing matches (pi-gen
# stage1/01-sys-tweaks and stage2/01-sys-tweaks).
add_first_user() {
  local group
  local -a groups=(adm dialout cdrom audio users sudo video games plugdev input gpio spi i2c netdev render)
  for group in "${groups[@]}"; do
    groupadd --prefix "$ROOT" --force --system "$group"
  done
  useradd --prefix "$ROOT" --uid 1000 --user-group --create-home --home-dir /home/pi --shell /bin/bash \
    --password '*' --groups "$(IFS=, && echo "${groups[*]}")" pi
  # With --prefix the machine's own skeleton is taken.
  rm -rf "$ROOT/home/pi"
  cp -a "$ROOT/etc/skel" "$ROOT/home/pi"
  chown -R 1000:1000 "$ROOT/home/pi"
  rm -f "$ROOT"/etc/{passwd,group,shadow,gshadow,subuid,subgid}-
}

# radios: Bluetooth is let through, Wi-Fi is blocked until there is a country
# (pi-gen stage2/02-net-tweaks); since Bookworm NetworkManager.state says so too.
radios() {
  local dir=$ROOT/var/lib/systemd/rfkill address
  mkdir -p "$dir"
  for address in 3f201000 fe201000; do
    echo 0 >"$dir/platform-$address.serial:bluetooth"
  done
  [[ $RELEASE == bullseye ]] || return 0
  for address in 3f300000 fe300000; do
    echo 1 >"$dir/platform-$address.mmcnr:wlan"
  done
}
