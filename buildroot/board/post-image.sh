#!/bin/sh
# Makes the disk and the signed bundle of Buildroot's root file system.
#
#   post-image.sh BINARIES_DIR BOARD      called by Buildroot (BR2_ROOTFS_POST_IMAGE_SCRIPT)
#
# STEADYCAST_KEYS: folder with sign.pem and sign.key (development's); STEADYCAST_LOADER: folder with the boot loader of a
# Rockchip board, idblock.bin and uboot.img; STEADYCAST_NOTES: release notes, a file.
set -eu
images=$(cd "$1" && pwd -P) board=$2
cd "$(dirname "$0")/../.."
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
STEADYCAST_COMPATIBLE=steadycast-$(echo "$board" | tr _ -)
export STEADYCAST_COMPATIBLE
PATH=${HOST_DIR:+$HOST_DIR/bin:$HOST_DIR/sbin:}$PATH

notes=
[ -z "${STEADYCAST_NOTES-}" ] || notes=$(cat "$STEADYCAST_NOTES")
scripts/image/disk "$board" "$images/rootfs.ext4" "$images" "${STEADYCAST_LOADER-}"
scripts/image/bundle "$images/rootfs.ext4" "$version" "$images/steadycast-$board-$version.raucb" "$notes"
