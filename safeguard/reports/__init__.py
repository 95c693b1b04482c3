"""Tell people: one renderer a module, each from the same frozen result. Imports nothing heavy."""
