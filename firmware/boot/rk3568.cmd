# RK3568 with its eMMC. Memory from 0; 0x08400000 to 0x0a200000 is the secure firmware's.
setenv sc_type mmc
setenv sc_dev 0
setenv sc_state_addr 0x0c100000
setenv sc_kernel_addr 0x00400000
setenv sc_fdt_addr 0x08300000
setenv sc_load_tree 'load ${sc_type} ${sc_dev}:${sc_number} ${sc_fdt_addr} /boot/box.dtb'
setenv sc_bootargs "console=ttyFIQ0,1500000 panic=3 bonding.max_bonds=0 dummy.numdummies=0"
# The status light: green for a slot, red for trouble (GPIO0_B2, GPIO0_B1).
setenv sc_tell_slot 'gpio clear A9; gpio set A10'
setenv sc_tell_trouble 'gpio clear A10; gpio set A9'
