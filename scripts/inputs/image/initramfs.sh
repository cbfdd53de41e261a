# shellcheck shell=bash
# A small initramfs of busybox and a few modules. Needs lib.sh, kernel.sh, and
# HERE and WORK.

# make_initramfs MODULE...: a gzipped cpio on stdout.
make_initramfs() {
  local dir=$WORK/initramfs
  mkdir -p "$dir"/{bin,dev,proc,sys,run,root,modules}
  index_modules
  collect_modules "$dir/modules" "$@"
  step "initramfs: busybox and $(wc -l <"$dir/modules/order") modules"
  cp "$WORK/busybox" "$dir/bin/busybox"
  ln -s busybox "$dir/bin/sh"
  install -m 755 "$HERE/initramfs-init" "$dir/init"
  find "$dir" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  (cd "$dir" && find . -print0 | sort -z | cpio --quiet -0 -o -H newc --reproducible -R 0:0 | gzip -n -9)
}

# collect_modules DIR MODULE...: modules and what they need, unpacked into
# DIR, and DIR/order with their names as they have to be loaded.
collect_modules() {
  local dir=$1 file name
  shift
  modules_with_needs "$@" >"$WORK/insmod.order"
  : >"$dir/order"
  while read -r file; do
    name=${file##*/}
    case $name in
      *.xz) xz -dc "$file" >"$dir/${name%.xz}" ;;
      *.zst) zstd -qdc "$file" >"$dir/${name%.zst}" ;;
      *) cp "$file" "$dir/$name" ;;
    esac
    name=${name%.xz}
    echo "${name%.zst}" >>"$dir/order"
  done <"$WORK/insmod.order"
}
