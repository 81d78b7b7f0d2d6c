"""The land office's side: what waits for a person, who may decide it, what a decision does.

| module | what it holds |
|---|---|
| `communes` | when two spellings name the same commune |
| `rules` | who may see and decide what, pure |
| `cases` | cases: opened, listed, shown |
| `casefile` | a case as an officer reads it |
| `lookup` | a question by the code that the citizen sees too |
| `decisions` | decisions, second votes, reopening, disputes |
| `effects` | what a decision does beyond its case |
| `wording` | what officers read, in Vietnamese |
| `refusals` | what officers are refused |
| `officers` | accounts, passwords, lock-out |
| `sessions` | sessions of the pages |
| `acceptance` | takes over a finished run for residence proofs |
"""
