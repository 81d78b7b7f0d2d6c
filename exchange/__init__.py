"""What the parties exchange: the sealed envelope, its payloads, the tables of questions and answers, the wire.

`docs/protocol/README.md` tells the order of the checks; `kinds.py` is the table of messages; `sealed/` is the one door
to the JOSE library. Nothing here knows the linkage engine or the service.
"""
