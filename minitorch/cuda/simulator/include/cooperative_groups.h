#error "cooperative_groups are not supported by the simulator"
