"""The land office's side: what waits for a person, who may decide it, what a decision does.

| module | what it holds |
|---|---|
| `communes` | when two spellings name the same commune |
| `rules` | who may see and decide what, pure |
| `cases` | cases: opened, listed, shown |
| `decisions` | decisions, second votes, reopening |
| `officers` | accounts, passwords, lock-out |
| `sessions` | sessions of the pages |
| `acceptance` | takes over a finished run for residence proofs |
"""
