"""The sealed envelope: sign, then encrypt; open and check in the protocol's order. The one door to joserfc.

`suites.py` names the two suites, `keys.py` holds own keys and those of the peers, `strict_json.py` reads JSON without
leniency, `seal.py` and `open.py` are the two directions.
"""
