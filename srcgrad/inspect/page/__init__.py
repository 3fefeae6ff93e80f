"""The gradient as a page: one file that needs no network, and the parts that the live explorer shows too."""
