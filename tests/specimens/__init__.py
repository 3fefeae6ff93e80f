"""Functions as users write them, each beside the gradient a careful person would write by hand."""
