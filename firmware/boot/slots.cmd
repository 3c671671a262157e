# Picks the slot to boot and boots it: A/B with counted attempts.
#
# State, in the first sector of the partition "bootstate" (a sector is written whole or not at all), as U-Boot's
# environment with its CRC, the same bytes that fw_env.config names for RAUC:
#   BOOT_ORDER        "A B", "B A", "A" or "B": slots that may be booted, the preferred one first
#   BOOT_A_LEFT       attempts left, 0 to 3; each boot takes one, the health gate gives them back; BOOT_B_LEFT alike
#   MACHINE_ID        32 hexadecimal digits, made at the first boot
#   WIPE              1: a reset to factory settings was ordered; told to the system, which wipes its data and removes it
# Nothing else is taken from there: who can write the sector must not be able to give orders to U-Boot.
#
# What comes before this, by board: sc_type and sc_dev (disk), sc_state_addr, sc_kernel_addr, sc_fdt_addr, sc_bootargs,
# sc_load_tree, which loads the device tree from the slot where the boot loader has none, and sc_tell_slot,
# sc_tell_trouble, commands for the LED. Addresses are never U-Boot's defaults, which not every board has. Counting is by
# look-up: not every U-Boot has setexpr.

echo "Steadycast: boot script"

setenv BOOT_ORDER
setenv BOOT_A_LEFT
setenv BOOT_B_LEFT
setenv MACHINE_ID
setenv WIPE
setenv sc_sector
setenv sc_state bad
if part start ${sc_type} ${sc_dev} bootstate sc_sector; then
  if ${sc_type} read ${sc_state_addr} ${sc_sector} 1; then
    if env import -c ${sc_state_addr} 0x200 BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT MACHINE_ID WIPE; then
      setenv sc_state good
    fi
  fi
fi

# A state that makes no sense is none.
if test "${BOOT_ORDER}" = "A B" || test "${BOOT_ORDER}" = "B A" || test "${BOOT_ORDER}" = "A" || test "${BOOT_ORDER}" = "B"; then
  true
else
  setenv sc_state bad
fi
for sc_left in "x${BOOT_A_LEFT}" "x${BOOT_B_LEFT}"; do
  if test "${sc_left}" = x0 || test "${sc_left}" = x1 || test "${sc_left}" = x2 || test "${sc_left}" = x3; then
    true
  else
    setenv sc_state bad
  fi
done
if test "${sc_state}" = bad; then
  echo "Steadycast: no valid boot state, starting with A"
  run sc_tell_trouble
  setenv BOOT_ORDER "A B"
  setenv BOOT_A_LEFT 3
  setenv BOOT_B_LEFT 3
fi
# A reset stays ordered whatever the slots' state is like.
if test "${WIPE}" = 1; then
  echo "Steadycast: reset to factory settings"
else
  setenv WIPE
fi

# Where it cannot be written, attempts are not counted; a box that boots uncounted is better than one that does not.
setenv sc_save 'setenv sc_saved no; if env export -c -s 0x200 ${sc_state_addr} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT MACHINE_ID WIPE; then if ${sc_type} write ${sc_state_addr} ${sc_sector} 1; then setenv sc_saved yes; fi; fi; if test ${sc_saved} = no; then echo "Steadycast: the boot state cannot be written"; run sc_tell_trouble; fi'

# Comes back only when the slot cannot be booted. In one breath with the load: a failed load never boots.
setenv sc_boot 'setenv sc_number; if part number ${sc_type} ${sc_dev} ${sc_label} sc_number; then if load ${sc_type} ${sc_dev}:${sc_number} ${sc_kernel_addr} /boot/Image; then if run sc_load_tree; then setenv bootargs "root=PARTLABEL=${sc_label} rootwait ro rauc.slot=${sc_slot} ${sc_bootargs}"; if test -n "${MACHINE_ID}"; then setenv bootargs "${bootargs} systemd.machine_id=${MACHINE_ID}"; fi; if test -n "${WIPE}"; then setenv bootargs "${bootargs} steadycast.wipe=1"; fi; booti ${sc_kernel_addr} - ${sc_fdt_addr}; fi; fi; fi; echo "Steadycast: slot ${sc_slot} cannot be booted"; run sc_tell_trouble'

for sc_slot in ${BOOT_ORDER}; do
  if test "${sc_slot}" = A; then
    setenv sc_left "${BOOT_A_LEFT}"
    setenv sc_label slot-a
  else
    setenv sc_left "${BOOT_B_LEFT}"
    setenv sc_label slot-b
  fi
  if test "${sc_left}" = 0; then
    echo "Steadycast: slot ${sc_slot} has no attempts left"
  else
    if test "${sc_left}" = 3; then
      setenv sc_next 2
    else
      if test "${sc_left}" = 2; then
        setenv sc_next 1
      else
        setenv sc_next 0
      fi
    fi
    if test "${sc_slot}" = A; then
      setenv BOOT_A_LEFT ${sc_next}
    else
      setenv BOOT_B_LEFT ${sc_next}
    fi
    run sc_save
    echo "Steadycast: booting slot ${sc_slot}, attempts left after this one: ${sc_next}"
    run sc_tell_slot
    run sc_boot
  fi
done

# Every slot has had its attempts. They are given back: a box that tries for ever can still come back.
echo "Steadycast: no slot left to boot, trying all again in 5 s"
run sc_tell_trouble
setenv BOOT_ORDER "A B"
setenv BOOT_A_LEFT 3
setenv BOOT_B_LEFT 3
run sc_save
sleep 5
reset
