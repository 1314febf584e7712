"""The steps by which a database becomes what `tables` says; one file a step, in `versions`."""
