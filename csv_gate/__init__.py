"""csv-gate: will the target run what this build ships?"""

__version__ = "0.1.0"
