"""Scaffold: the first configuration of a repository, from what lies in it. It writes nothing over anything."""

from __future__ import annotations

from csv_gate.scaffold.files import NewFile, new_files, write_new
from csv_gate.scaffold.survey import CiHost, Survey, survey

__all__ = ["CiHost", "NewFile", "Survey", "new_files", "survey", "write_new"]
