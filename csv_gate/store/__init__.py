"""What is kept between runs: the facts of files that were read before. Facts only, never a verdict.

The kept facts are as trustworthy as the folder they lie in: who can write there can make a file look signed. The folder must belong to the
user who runs the gate, and a CI system must not let a cache cross from less trusted runs (of forks, of pull requests) to more trusted ones.
"""
