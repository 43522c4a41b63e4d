"""For people who write App Control policies: a readable summary, a lint, a diff by meaning, and conversion between the forms.

Nothing in here judges artifacts. Policies are untrusted input as everywhere: their texts are escaped where they are printed.
"""
