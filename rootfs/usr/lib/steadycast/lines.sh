# To be sourced: the GPIO lines that are needed before the supervisor runs, as the board file names them. A box whose board
# file or kernel has no such line works without.
# shellcheck shell=sh disable=SC1090,SC2034

sysfs=${STEADYCAST_SYSFS:-/sys}
. "${STEADYCAST_BOARD_CONF:-/usr/lib/steadycast/board.conf}"
board=${STEADYCAST_BOARDS:-/usr/lib/steadycast/firmware/boards}/$STEADYCAST_BOARD.json

# read_board: all of the board file as $text, what separates its words made one space. No other program takes part, and no
# other shell: every start of the box passes here.
read_board() {
  text=
  [ -r "$board" ] || return 1
  while IFS= read -r row; do text="$text $row"; done <"$board"
  set -f
  # shellcheck disable=SC2086 # words
  set -- $text
  set +f
  text=$*
}

# line_of reset-hole|status-light: sets offset, low (1 where active is low, else 0) and chip (its label); fails where there is
# none. Of a light of several colours it is the red one, the sign of a reset.
line_of() {
  read_board || return 1
  case $1 in
    reset-hole) case $text in *'"resetHole"'*) text=${text#*'"resetHole"'} ;; *) return 1 ;; esac ;;
    *)
      case $text in *'"leds"'*'"status"'*) text=${text#*'"leds"'} text=${text#*'"status"'} ;; *) return 1 ;; esac
      text=${text%%'} }'*} text=${text%%'}}'*} text=${text#*'{'}
      case $text in
        *'"line"'*) text=${text#*'"line"'} ;;
        *'"red"'*) text=${text#*'"red"'} ;;
      esac
      ;;
  esac
  text=${text#*'{'} text=${text%%'}'*}
  chip=${text#*'"chip"'} chip=${chip#*'"'} chip=${chip%%'"'*}
  offset=${text#*'"offset"'} offset=${offset#*:} offset=${offset%%,*} offset=${offset# } offset=${offset% }
  case $offset in "" | *[!0-9]*) return 1 ;; esac
  case $text in *'"activeLow": true'* | *'"activeLow":true'*) low=1 ;; *) low=0 ;; esac
}

# open_line WHAT in|low: sets line, the folder of the line in sysfs, as an input or as a dark light; fails where there is none.
# What was open before stays the kernel's own or its user's.
open_line() {
  line=
  line_of "$1" || return 1
  for folder in "$sysfs"/class/gpio/gpiochip*; do
    read -r label 2>/dev/null <"$folder/label" || continue
    [ "$label" = "$chip" ] || continue
    read -r base <"$folder/base"
    place=$sysfs/class/gpio/gpio$((base + offset))
    [ -e "$place" ] || echo $((base + offset)) >"$sysfs/class/gpio/export" || return 1
    direction=$2
    [ "$direction$low" != low1 ] || direction=high
    { echo "$direction" >"$place/direction" && echo "$low" >"$place/active_low"; } 2>/dev/null || return 1
    line=$place
    return 0
  done
  return 1
}

# close_line FOLDER
close_line() {
  [ -z "$1" ] || echo "${1##*/gpio}" 2>/dev/null >"$sysfs/class/gpio/unexport" || true
}

# light FOLDER 0|1
light() {
  [ -z "$1" ] || echo "$2" 2>/dev/null >"$1/value" || true
}
