# shellcheck shell=bash
# A small initramfs of busybox, a few modules, and what the tree has to say at this
# stage. Needs lib.sh, kernel.sh, and HERE, LIB_ARCH, ROOT and WORK.

# make_initramfs MODULE...: a gzipped cpio on stdout. Scripts of the tree are taken
# along from where initramfs-tools has them, local-premount and local-bottom.
make_initramfs() {
  local dir=$WORK/initramfs
  mkdir -p "$dir"/{bin,dev,proc,sys,run,root,modules}
  index_modules
  collect_modules "$dir/modules" "$@"
  step "initramfs: busybox and $(wc -l <"$dir/modules/order") modules"
  cp "$WORK/busybox" "$dir/bin/busybox"
  ln -s busybox "$dir/bin/sh"
  install -m 755 "$HERE/initramfs-init" "$dir/init"
  if [[ -d $ROOT/usr/share/initramfs-tools/scripts ]]; then
    cp -a "$ROOT/usr/share/initramfs-tools/scripts" "$dir/"
    add_program "$dir" usr/sbin/parted
    add_program "$dir" usr/sbin/resize2fs
  fi
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

# add_program DIR FILE: a program of the tree with its loader and its libraries.
add_program() {
  local dir=$1 file=$2 loader library
  mkdir -p "$dir/usr/lib"
  [[ -e $dir/lib ]] || ln -s usr/lib "$dir/lib"
  [[ -e $dir/lib64 ]] || ln -s usr/lib "$dir/lib64"
  install -D -m 755 "$ROOT/$file" "$dir/$file"
  loader=$(readelf --program-headers "$ROOT/$file" | sed -n 's|.*interpreter: .*/\(.*\)]|\1|p')
  # The path that programs name may be an absolute link; this one never is.
  [[ -z $loader ]] || install -m 755 "$ROOT/usr/lib/$LIB_ARCH/$loader" "$dir/usr/lib/"
  while read -r library; do
    [[ -e $dir/usr/lib/$LIB_ARCH/$library ]] || add_program "$dir" "usr/lib/$LIB_ARCH/$library"
  done < <(readelf --dynamic "$ROOT/$file" | sed -n 's/.*(NEEDED).*\[\(.*\)]/\1/p' | grep -v '^ld-linux')
}
