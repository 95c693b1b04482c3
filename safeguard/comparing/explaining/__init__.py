"""What the findings of a kind have in common that the kept entries do not, said as a sentence."""
