"""How fast is it, and how far from what the machine could do? Run: pytest benchmarks/speed -n 0."""
