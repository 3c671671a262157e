# The emulated box: QEMU's machine `virt` with its memory from 0x40000000, the device tree that QEMU makes at its start.
setenv sc_type virtio
setenv sc_dev 0
setenv sc_state_addr 0x403f0000
setenv sc_kernel_addr 0x48000000
setenv sc_fdt_addr ${fdtcontroladdr}
setenv sc_load_tree true
setenv sc_bootargs "console=ttyAMA0 panic=3 bonding.max_bonds=0 dummy.numdummies=0"
# There is no LED.
setenv sc_tell_slot true
setenv sc_tell_trouble true
