# shellcheck shell=bash
# What every image's root filesystem has in common, edited in the tree. Needs
# lib.sh, and HERE and ROOT.

# name_host NAME: as Raspberry Pi OS does, with the trap for Hadoop daemons in the
# last line: a node that looks itself up finds 127.0.1.1.
name_host() {
  echo "$1" >"$ROOT/etc/hostname"
  cat >"$ROOT/etc/hosts" <<END
127.0.0.1	localhost
::1		localhost ip6-localhost ip6-loopback
ff02::1		ip6-allnodes
ff02::2		ip6-allrouters

127.0.1.1	$1
END
}

# write_fstab MOUNTPOINT DISK_ID: p1 is mounted there.
write_fstab() {
  mkdir -p "$ROOT$1"
  cat >"$ROOT/etc/fstab" <<END
proc            /proc           proc    defaults          0       0
PARTUUID=$2-01  $(printf '%-14s' "$1")  vfat    defaults          0       2
PARTUUID=$2-02  /               ext4    defaults,noatime  0       1
END
}

# write_decoys: texts on p2 that someone will edit; the real files are on p1,
# which is mounted below them.
write_decoys() {
  local file
  for file in cmdline.txt config.txt; do
    echo "This file has moved to /boot/firmware/$file; what is here has no effect." >"$ROOT/boot/$file"
  done
}

# localize ZONE: without these systemd asks at the first boot.
localize() {
  echo 'LANG=C.UTF-8' >"$ROOT/etc/default/locale"
  [[ -e $ROOT/etc/locale.conf ]] || ln -s default/locale "$ROOT/etc/locale.conf"
  echo "$1" >"$ROOT/etc/timezone"
  ln -sf "/usr/share/zoneinfo/$1" "$ROOT/etc/localtime"
}

# keep_old_names: eth0 and wlan0, as in Raspberry Pi OS.
keep_old_names() {
  mkdir -p "$ROOT/etc/systemd/network"
  ln -sf /dev/null "$ROOT/etc/systemd/network/99-default.link"
  ln -sf /dev/null "$ROOT/etc/systemd/network/73-usb-net-by-mac.link"
}

# close_doors: no host keys, ssh off, a root password that nothing matches, and
# nobody with the id of a first user.
close_doors() {
  rm -f "$ROOT"/etc/ssh/ssh_host_*_key*
  find "$ROOT/etc/systemd/system" \
    \( -name 'ssh.service' -o -name 'sshd.service' -o -name 'ssh.socket' \) -delete
  sed -i 's/^root:[^:]*:/root:*:/' "$ROOT/etc/shadow"
  ! grep -q ':1000:' "$ROOT/etc/passwd" || die "the tree has a user 1000"
}

# start_without_desktop: the target of the systems without a screen.
start_without_desktop() {
  ln -sf /usr/lib/systemd/system/multi-user.target "$ROOT/etc/systemd/system/default.target"
}

# lay LAYER: a folder of releases/, our own imitations of what a release ships.
lay() {
  step "files of releases/$1"
  # Not their owner: who checked this repository out is nobody in the image.
  tar -C "$HERE/releases/$1" --owner=0 --group=0 -cf - . | tar -C "$ROOT" --no-overwrite-dir -xpf -
}

# on UNIT...: starts at boot, by the links its file asks for.
on() {
  local unit file
  for unit; do
    file=/etc/systemd/system/$unit
    [[ -e $ROOT$file ]] || file=/lib/systemd/system/$unit
    [[ -e $ROOT$file ]] || die "the tree has no unit $unit"
    link_wishes "$file" WantedBy wants
    link_wishes "$file" RequiredBy requires
  done
}

# link_wishes FILE KEY FOLDER: a unit's links into TARGET.FOLDER, for the targets in
# the line KEY=.
link_wishes() {
  local target dir
  while read -r target; do
    dir=$ROOT/etc/systemd/system/$target.$3
    mkdir -p "$dir"
    ln -sf "$1" "$dir/"
  done < <(sed -n "s/^$2=//p" "$ROOT$1" | tr ' ' '\n')
}

# off UNIT...: does not; its file stays, as after "systemctl disable".
off() {
  local unit
  for unit; do
    find "$ROOT/etc/systemd/system" -name "$unit" -type l -delete
  done
}

# sweep_root: what the making of the tree left, and what no test needs.
sweep_root() {
  rm -f "$ROOT/etc/apt/sources.list" "$ROOT/var/lib/dbus/machine-id"
  (
    cd "$ROOT" || exit
    rm -rf var/lib/apt/lists/* var/cache/apt/* var/cache/debconf/*-old var/cache/ldconfig \
      var/lib/dpkg/*-old tmp/* var/tmp/* run/* usr/share/man usr/share/info usr/share/lintian
    find var/log -type f -delete
    find usr/share/locale -mindepth 1 -maxdepth 1 -type d -exec rm -rf {} +
    mkdir -p var/lib/apt/lists/partial var/cache/apt/archives/partial
  )
}
