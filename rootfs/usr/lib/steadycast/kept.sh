# To be sourced: the network that a reset keeps, in the partition of the boot state, 64 KiB behind the boot state itself: a
# sector with the length in bytes and the SHA-256 as text, then so many bytes of JSON.
# shellcheck shell=sh

state=${STEADYCAST_BOOTSTATE:-/dev/disk/by-partlabel/bootstate}
# Sectors of 512 bytes; bytes.
kept_at=128
kept_most=65536

# keep FILE
keep() {
  length=$(stat -c %s "$1")
  [ "$length" -gt 0 ] && [ "$length" -le $kept_most ] || return 1
  sum=$(sha256sum "$1") && sum=${sum%% *}
  # The sector that makes it valid comes last.
  forget &&
    dd if="$1" of="$state" bs=512 seek=$((kept_at + 1)) conv=notrunc,fsync status=none &&
    printf '%s %s\n' "$length" "$sum" | dd of="$state" bs=512 seek=$kept_at conv=notrunc,fsync status=none
}

# take FILE: fails where nothing is kept, or it is damaged
take() {
  read -r length sum <<END || return 1
$(dd if="$state" bs=512 skip=$kept_at count=1 2>/dev/null | tr -d '\0' | head -n 1)
END
  case $length in "" | *[!0-9]* | ??????*) return 1 ;; esac
  [ "$length" -gt 0 ] && [ "$length" -le $kept_most ] || return 1
  dd if="$state" bs=512 skip=$((kept_at + 1)) count=$((kept_most / 512)) 2>/dev/null | head -c "$length" >"$1"
  [ "$(sha256sum <"$1")" = "$sum  -" ]
}

forget() {
  dd if=/dev/zero of="$state" bs=512 seek=$kept_at count=$((kept_most / 512 + 1)) conv=notrunc,fsync status=none
}
