"""Records of runs: packed, checked, unpacked; which published ones fit a plan."""
