"""A softswitch: SIP signalling, calls, office features, and the faces that show them."""
