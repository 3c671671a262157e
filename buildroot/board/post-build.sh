#!/bin/sh
# Makes the product of Buildroot's root file system: what scripts/image/rootfs does to that of the bench image.
#
#   post-build.sh TARGET_DIR BOARD      called by Buildroot (BR2_ROOTFS_POST_BUILD_SCRIPT)
#
# STEADYCAST_KEYS: folder with ca.pem, the certificates that the box trusts for its updates (development's).
set -eu
target=$1 board=$2
here=$(cd "$(dirname "$0")" && pwd -P)
repository=$(cd "$here/../.." && pwd -P)
keys=${STEADYCAST_KEYS:-$("$repository/scripts/image/keys")}
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$repository/package.json")

"$here/device-tree.sh" "$target" "$board"
# Busybox's and Buildroot's own: the box has other ones, or none.
rm -f "$target/etc/resolv.conf" "$target/etc/mtab" "$target/etc/init.d/"S* "$target/etc/network/interfaces"
mkdir -p "$target/usr/share/steadycast"
cp "$repository/LICENSE" "$target/usr/share/steadycast/LICENSE"
cp -a --no-preserve=ownership "$here/rootfs/." "$target/"
case $board in rk*) cp -a --no-preserve=ownership "$here/rockchip/rootfs/." "$target/" ;; esac
"$repository/scripts/image/product" "$target" "$version" "steadycast-$(echo "$board" | tr _ -)" "$keys/ca.pem"
if [ -f "$repository/firmware/boards/$board.json" ]; then
  echo "STEADYCAST_BOARD=$board" >"$target/usr/lib/steadycast/board.conf"
fi
