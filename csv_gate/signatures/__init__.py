"""CMS, X.509, chains, time stamps and catalogs: attacker-controlled bytes to signature facts."""
