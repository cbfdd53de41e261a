# shellcheck shell=bash
# What the scripts in this folder share. The sourcing script sets NAME and
# provides usage().

set -euo pipefail
export LC_ALL=C.UTF-8
export HOME=${HOME:-~}
export PATH=$PATH:/usr/sbin:/sbin # which a user's lacks, and root's after su
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1767225600} # 2026-01-01

STARTED=$SECONDS
INSTALL=
ARGS=()
CLEANUP=()

step() { printf '%s: [%3ds] %s\n' "$NAME" "$((SECONDS - STARTED))" "$*" >&2; }

die() {
  printf '%s: %s\n' "$NAME" "$*" >&2
  exit 1
}

# Takes --help and --install out of the arguments; the rest goes to ARGS.
common_args() {
  while (($#)); do
    case $1 in
      -h | --help)
        usage
        exit 0 ;;
      --install) INSTALL=1 ;;
      --)
        shift
        ARGS+=("$@")
        break ;;
      -*)
        usage >&2
        exit 2 ;;
      *) ARGS+=("$1") ;;
    esac
    shift
  done
}

# need TOOL=PACKAGE...: each tool must be there, or is installed with --install.
need() {
  local pair tools=() packages=()
  for pair; do
    type -P "${pair%%=*}" >/dev/null || {
      tools+=("${pair%%=*}")
      packages+=("${pair#*=}")
    }
  done
  ((${#tools[@]})) || return 0
  mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
  if [[ -n $INSTALL && $EUID -eq 0 ]]; then
    step "installing ${packages[*]}"
    apt-get update -q >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${packages[@]}" >&2
    return
  fi
  die "missing ${tools[*]}; Debian packages: ${packages[*]} (as root, --install gets them)"
}

# The architecture's name as Debian, the kernel and Java call it.
check_arch() {
  case $1 in
    amd64) GNU_ARCH=x86_64 ;;
    arm64) GNU_ARCH=aarch64 ;;
    *)
      usage >&2
      exit 2 ;;
  esac
  # shellcheck disable=SC2034  # used by the scripts that source this
  LIB_ARCH=$GNU_ARCH-linux-gnu
}

run_cleanup() {
  local status=$? i
  trap - EXIT
  for ((i = ${#CLEANUP[@]} - 1; i >= 0; i--)); do
    eval "${CLEANUP[i]}" || true
  done
  exit "$status"
}
trap run_cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# on_exit WORD...: run at the end, last registered first.
on_exit() { CLEANUP+=("$(printf '%q ' "$@")"); }

# make_work: WORK is a scratch directory that goes away at the end.
make_work() {
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/pidoop-$NAME.XXXXXX")
  on_exit rm -rf --one-file-system -- "$WORK"
}

# open_output FILE: PART is where to write; close_output gives it its name.
open_output() {
  OUT=$(realpath -m -- "$1")
  mkdir -p -- "$(dirname -- "$OUT")"
  PART=$OUT.part.$$
  on_exit rm -f -- "$PART"
}

close_output() {
  chmod "$(printf '%o' $((0666 & ~$(umask))))" "$PART"
  mv -f -- "$PART" "$OUT"
  step "made $OUT, $(stat -c %s "$OUT" | numfmt --to=si --suffix=B), sha256 $(sha256sum <"$OUT" | cut -c1-16)…"
}

# pack_tar DIR TOP FILE: a gzip that depends on names, contents and modes alone.
pack_tar() {
  tar -C "$1" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
    --format=gnu -cf - "$2" | gzip -n -6 >"$3"
}

# apt_sources SUITE COMPONENT...: deb lines for SUITE from the archive that this
# machine's own apt is configured with. Support of bullseye has ended: the index of
# its security updates is still served, the packages it names are not.
apt_sources() {
  local suite=$1 uri security keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  shift
  uri=$(apt_uri Debian)
  security=$(apt_uri Debian-Security)
  [[ -n $uri ]] || die "apt is not configured with a Debian archive (apt-get indextargets names none)"
  [[ -f $keyring ]] || die "missing $keyring; Debian package: debian-archive-keyring"
  echo "deb [signed-by=$keyring] $uri $suite $*"
  [[ -z $security || $suite == bullseye ]] || echo "deb [signed-by=$keyring] $security $suite-security $*"
}

apt_uri() {
  # shellcheck disable=SC2016  # apt's own placeholders
  apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk -F'|' -v label="$1" '$1 == "Debian" && $2 == label { print $3; exit }'
}

# private_apt ARCH SOURCE-LINE...: an apt of our own in $WORK/apt, that knows
# nothing of the packages installed here. Sets APT.
private_apt() {
  local arch=$1 root=$WORK/apt
  shift
  mkdir -p "$root"/etc/{apt.conf.d,preferences.d,sources.list.d,trusted.gpg.d} \
    "$root"/state/lists/partial "$root"/cache/archives/partial
  : >"$root/status"
  printf '%s\n' "$@" >"$root/etc/sources.list"
  # The machine's own apt.conf.d (proxies and such) stays in force.
  APT=(apt-get -q -o "APT::Architecture=$arch" -o "APT::Architectures::=$arch"
    -o "Dir::Etc::SourceList=$root/etc/sources.list" -o "Dir::Etc::SourceParts=$root/etc/sources.list.d"
    -o "Dir::Etc::Preferences=/dev/null" -o "Dir::Etc::PreferencesParts=$root/etc/preferences.d"
    -o "Dir::State=$root/state" -o "Dir::State::Status=$root/status" -o "Dir::Cache=$root/cache"
    -o "APT::Sandbox::User=root" -o "Acquire::Languages=none" -o "Debug::NoLocking=1")
}

# fetch_debs DIR PACKAGE...: newest .deb of each into DIR.
fetch_debs() {
  local dir=$1
  shift
  mkdir -p "$dir"
  (cd "$dir" && "${APT[@]}" download "$@" >&2)
}
