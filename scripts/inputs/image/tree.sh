# shellcheck shell=bash
# The package tree that an image's root filesystem is made of. Needs lib.sh, and
# ARCH, ROOT, TREE (a tar to take it from or keep it in, or nothing) and WORK.

# take_tree SUITE PACKAGE...: fills ROOT.
take_tree() {
  local suite=$1 tree=$TREE
  shift
  if [[ -n $TREE && -s $TREE ]]; then
    step "taking the package tree from $TREE"
  else
    tree=${TREE:-$WORK/tree.tar}
    bootstrap "$suite" "$tree.part" "$@"
    mv "$tree.part" "$tree"
    step "package tree: $(stat -c %s "$tree" | numfmt --to=si)B"
  fi
  mkdir -p "$ROOT"
  tar -C "$ROOT" --numeric-owner --xattrs --xattrs-include='*' -xpf "$tree" --exclude='./dev/*'
  [[ -n $TREE ]] || rm -f "$tree"
}

# bootstrap SUITE TAR PACKAGE...: installs packages into a tar.
bootstrap() {
  local suite=$1 tar=$2 exclude
  local -a options=()
  shift 2
  for exclude in man doc info locale lintian linda groff; do
    options+=("--dpkgopt=path-exclude=/usr/share/$exclude/*")
  done
  # Since trixie the packages themselves bring /bin and /lib as links into /usr;
  # before, the installer made them, from bookworm on with a package that says so.
  # shellcheck disable=SC2016 # the hook's own shell fills it in
  case $suite in
    bullseye) options+=('--setup-hook=/usr/share/mmdebstrap/hooks/merged-usr/setup00.sh "$1"') ;;
    bookworm) options+=(--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr) ;;
  esac
  enable_emulation
  apt_sources "$suite" main >"$WORK/sources.list"
  step "mmdebstrap: $# packages and what they need, for $ARCH"
  (
    IFS=,
    mmdebstrap --quiet "--architectures=$ARCH" --variant=minbase --format=tar \
      --aptopt='Acquire::Languages "none"' "${options[@]}" \
      --dpkgopt=path-include=/usr/share/doc/*/copyright \
      --dpkgopt=path-include=/usr/share/locale/locale.alias \
      "--include=$*" "$suite" "$tar" - <"$WORK/sources.list"
  ) >"$WORK/mmdebstrap.log" 2>&1 || {
    tail -n 30 "$WORK/mmdebstrap.log" >&2
    die "mmdebstrap failed"
  }
}

# Lets the kernel run programs of a foreign architecture.
enable_emulation() {
  local conf=/usr/lib/binfmt.d/qemu-$GNU_ARCH.conf dir=/proc/sys/fs/binfmt_misc
  [[ $ARCH != "$(dpkg --print-architecture)" ]] || return 0
  arch-test "$ARCH" >/dev/null 2>&1 && return
  [[ -f $conf ]] || need "qemu-$GNU_ARCH-static=qemu-user-static"
  step "letting the kernel run $ARCH programs with qemu-user (binfmt_misc)"
  if { [[ -e $dir/register ]] || mount -t binfmt_misc binfmt_misc "$dir"; } &&
    { [[ -e $dir/qemu-$GNU_ARCH ]] || cat "$conf" >"$dir/register"; } &&
    arch-test "$ARCH" >/dev/null; then
    return
  fi
  die "this kernel runs no $ARCH programs. In a container, its host needs the Debian packages" \
    "qemu-user-static and binfmt-support; --tree FILE takes a tree made elsewhere"
}
