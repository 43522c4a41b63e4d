"""The documents, and the generator of the pages that come from the code."""
