"""The file of a package: read into a Package, and checked.

- `values`: amounts, quantities and bands by their path;
- `reader`: one document read into a Package;
- `check`: what is wrong with a package as a whole;
- `coverage`: what is wrong with it for some kinds of event.
"""
