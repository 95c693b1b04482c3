"""The fire drill: plant faults into the new side of a plan's own data, and see what a check catches."""
