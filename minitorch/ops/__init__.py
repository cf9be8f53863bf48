"""The declarations of operations: what each computes and how it is differentiated."""
