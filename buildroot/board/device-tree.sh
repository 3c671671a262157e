#!/bin/sh
# Adds the box's own parts (front panel, lights) to the device tree that the kernel built for the board, and puts it in the
# slot, from where the boot script loads it beside the kernel. Merged here, so that nothing of it can fail on the box.
#
#   device-tree.sh TARGET_DIR BOARD      BINARIES_DIR, HOST_DIR, BR2_CONFIG: by Buildroot
set -eu
target=$1 board=$2
overlay=$(cd "$(dirname "$0")" && pwd -P)/$board/front-panel.dtso
[ -f "$overlay" ] || exit 0

base=$(sed -n 's/^BR2_PACKAGE_STEADYCAST_BASE_DTB="\(.*\)"$/\1/p' "$BR2_CONFIG")
[ -n "$base" ] || { echo "device-tree.sh: BR2_PACKAGE_STEADYCAST_BASE_DTB says no device tree for $board" >&2; exit 1; }
[ -f "$BINARIES_DIR/$base" ] || { echo "device-tree.sh: the kernel has built no $base" >&2; exit 1; }
tools=${HOST_DIR:+$HOST_DIR/bin/}
mkdir -p "$target/boot"
"${tools}dtc" -q -@ -I dts -O dtb -o "$target/boot/front-panel.dtbo" "$overlay"
"${tools}fdtoverlay" -i "$BINARIES_DIR/$base" -o "$target/boot/box.dtb" "$target/boot/front-panel.dtbo"
rm "$target/boot/front-panel.dtbo"
