# shellcheck shell=bash
# An SD card's image: an MBR, FAT32 from BOOT, ext4 from ROOT. Needs lib.sh, and
# ALIGN and BOOT_SIZE (bytes), BOOT, ROOT, WORK, and of the image
#   DISK_ID FAT_ID  eight hex digits
#   FAT_LABEL       p1's label; ROOT_LABEL p2's, rootfs if not set
#   CLUSTER         sectors in a cluster of p1
#   EXT4_FEATURES   of p2, as mke2fs -O has them
#   IDENTITY        what p2's ids are made from
#   BOOT_CODE       parted to have what parted puts in front of the table, or nothing
#   XZ_OPTIONS      how it is packed, an array; fast if not set

MIB=$((1024 * 1024))
XZ_OPTIONS=()

uuid_of() { sha256sum <<<"pidoop input $1" | sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/\1-\2-4\3-8\4-\5/'; }

# settle_times FOLDER...: nothing is younger than the image.
settle_times() {
  step "settling times"
  find "$@" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

# measure_root: root_size, the bytes p2 gets, and total, the image's.
measure_root() {
  local content
  # As pi-gen does (export-image/prerun.sh).
  content=$(du --apparent-size --block-size=1 -s "$ROOT" | cut -f1)
  root_size=$((content * 12 / 10 + 200 * MIB))
  root_size=$(((root_size + ALIGN - 1) / ALIGN * ALIGN))
  total=$((ALIGN + BOOT_SIZE + root_size))
  step "content $((content / MIB)) MiB, root partition $((root_size / MIB)) MiB, image $((total / MIB)) MiB"
}

# make_disk FILE: the raw image.
make_disk() {
  local root_size total
  settle_times "$ROOT" "$BOOT"
  measure_root
  truncate -s "$total" "$1"
  [[ $BOOT_CODE != parted ]] || parted --script "$1" mklabel msdos
  sfdisk --quiet "$1" <<END
label: dos
label-id: 0x$DISK_ID
unit: sectors
start=$((ALIGN / 512)), size=$((BOOT_SIZE / 512)), type=c
start=$(((ALIGN + BOOT_SIZE) / 512)), size=$((root_size / 512)), type=83
END
  step "FAT32 firmware partition"
  make_fat "$WORK/p1"
  move_into "$1" "$WORK/p1" $((ALIGN / MIB))
  step "ext4 root partition"
  make_ext4 "$WORK/p2" "$root_size"
  move_into "$1" "$WORK/p2" $(((ALIGN + BOOT_SIZE) / MIB))
}

# move_into DISK PARTITION MIB
move_into() {
  dd if="$2" of="$1" bs=1M seek="$3" conv=notrunc,sparse status=none
  rm "$2"
}

# make_fat FILE: p1.
make_fat() {
  truncate -s "$BOOT_SIZE" "$1"
  mkfs.vfat -F 32 -s "$CLUSTER" --invariant -i "$FAT_ID" -n "$FAT_LABEL" -h "$((ALIGN / 512))" "$1" >/dev/null 2>&1
  (cd "$BOOT" && mcopy -s -m -i "$1" ./* ::)
  fsck.vfat -n "$1" >"$WORK/fsck.log" || { cat "$WORK/fsck.log" >&2; die "the FAT filesystem is damaged"; }
}

# make_ext4 FILE BYTES: p2.
make_ext4() {
  truncate -s "$2" "$1"
  E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mke2fs -q -t ext4 -L "${ROOT_LABEL:-rootfs}" -b 4096 -I 256 -i 16384 \
    -O "$EXT4_FEATURES" -U "$(uuid_of "root $IDENTITY")" \
    -E "hash_seed=$(uuid_of "hash $IDENTITY"),lazy_itable_init=0,lazy_journal_init=0,nodiscard" \
    -d "$ROOT" "$1"
  e2fsck -fn "$1" >"$WORK/fsck.log" 2>&1 || { cat "$WORK/fsck.log" >&2; die "the ext4 filesystem is damaged"; }
}

# check_image_name FILE: said before the work, not behind it.
check_image_name() {
  case $1 in
    *.img | *.img.xz | *.img.zst) ;;
    *) die "$1: the name must end in .img, .img.xz or .img.zst" ;;
  esac
}

# pack_image FILE: the raw image to PART, as OUT's name says.
pack_image() {
  case $OUT in
    *.img)
      step "copying"
      cp --sparse=always "$1" "$PART" ;;
    *.xz)
      step "compressing with xz"
      ((${#XZ_OPTIONS[@]})) || XZ_OPTIONS=("-${PIDOOP_XZ_LEVEL:-1}")
      xz -T0 "${XZ_OPTIONS[@]}" -c "$1" >"$PART" ;;
    *.zst)
      step "compressing with zstd"
      zstd -q -T0 -3 -c "$1" >"$PART" ;;
  esac
}
