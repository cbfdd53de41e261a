# shellcheck shell=bash
# What the root scripts of the bench share. The runner sets, for each of them:
#
#   BASE JAVA HADOOP            the inputs, as published
#   JAVA_INTO HADOOP_INTO       where the archives go in the root filesystem
#   KIT                         what is to be written, prepared before the clock
#                               starts: the same files that pidoop writes
#   IMAGE_BYTES ROOT_START      length of an image, and where its root begins
#   CLUSTER NODES               name of the cluster, names of the nodes
#   OUT TMP                     directories for the images and for the rest
#
# A loop device goes away with its mount, and a script that is stopped unmounts
# what it has mounted.

set -euo pipefail
export LC_ALL=C MTOOLS_SKIP_CHECK=1
umask 022
# shellcheck disable=SC2034,SC2153 # One is for the scripts, the other from the runner.
read -ra nodes <<<"$NODES"

mounted=()
loop=
unmount_all() {
    local status=$? dir
    trap - EXIT
    [ -z "$loop" ] || losetup -d "$loop"
    for dir in "${mounted[@]}"; do
        mountpoint -q "$dir" && { umount "$dir" || umount --lazy "$dir"; }
    done
    exit "$status"
}
trap unmount_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# image NODE: the file its image goes to.
image() { printf '%s/%s-%s.img' "$OUT" "$CLUSTER" "$1"; }

# decompress THREADS: the base image on standard output; 0 is all cores.
decompress() {
    case $BASE in
        *.xz) xz -T"$1" -dc -- "$BASE" ;;
        *.zst) zstd -qdc -- "$BASE" ;;
        *.gz) gzip -dc -- "$BASE" ;;
        *) dd if="$BASE" bs=1M conv=sparse status=none ;;
    esac
}

# enlarge IMAGE: the file and its second partition; the filesystem not yet.
enlarge() {
    truncate -s "$IMAGE_BYTES" "$1"
    echo ', +' | sfdisk -q --no-reread --no-tell-kernel -N 2 "$1"
}

# mount_root IMAGE DIR [OPTIONS]
mount_root() {
    mkdir -p "$2"
    mounted+=("$2")
    mount -o "loop,offset=$ROOT_START${3:+,$3}" "$1" "$2"
}

# mount_grown IMAGE DIR [OPTIONS]: the filesystem grown to the end of its
# partition first, because growing it mounted is not allowed in every sandbox.
mount_grown() {
    mkdir -p "$2"
    loop=$(losetup --find --show --offset "$ROOT_START" "$1")
    resize2fs -f "$loop" >/dev/null 2>&1
    mounted+=("$2")
    mount ${3:+-o "$3"} "$loop" "$2"
    # It goes when the mount does.
    losetup -d "$loop"
    loop=
}

# unpack NAME ROOT: java or hadoop, without what the recipe leaves out.
unpack() {
    local archive=$JAVA into=$2$JAVA_INTO
    [ "$1" = java ] || archive=$HADOOP into=$2$HADOOP_INTO
    mkdir -p "$into"
    tar -xf "$archive" --anchored --no-wildcards -X "$KIT/$1.exclude" \
        --no-same-owner --strip-components=1 -C "$into"
}

# put KIT-DIR ROOT: removes and writes files of the root filesystem.
put() {
    (cd "$2" && xargs -0 -r rm -rf -- <"$1/remove")
    tar -xpf "$1/root.tar" --numeric-owner -C "$2"
}

# put_boot KIT-DIR IMAGE: the same on the firmware partition, with mtools,
# because not every kernel has vfat.
put_boot() {
    local offset
    offset=$(cat "$KIT/boot-start")
    if [ -s "$1/boot-remove" ]; then
        xargs -0 mdel -i "$2@@$offset" <"$1/boot-remove"
    fi
    if [ -n "$(ls -A "$1/boot")" ]; then
        mcopy -s -o -Q -i "$2@@$offset" "$1"/boot/* ::
    fi
}

# set_disk_id NODE IMAGE
set_disk_id() { dd status=none if="$KIT/nodes/$1/disk-id" of="$2" bs=1 seek=440 conv=notrunc; }
