"""The other side of the protocol, as a product: a simulated identity provider of the VNeID kind and its citizen's app.

It is a process of its own with a database of its own, and learns nothing but what the protocol tells it. It imports
`exchange` and nothing else of this project. Everything a real provider does by law and by hand (who somebody is, how a
level-2 account is opened) is simulated here and says so; everything that crosses the wire is real.

    settings.py     one TOML file, checked at the start
    tables.py       the database; store.py opens it and commits in batches
    provider.py     /bc-authorize, /token, /cancel: what is kept and what is answered, one function each
    reception.py    checks (1) to (15) around them, limits, problems, faults
    answers.py      what a citizen may say (pure); citizen.py  says it, once and for ever
    outbox.py       pings, revisions and declarations: durable first, then sent until they arrive
    faults.py       slow, lost, doubled, reordered, failing, forged, with the clock off: deterministic with a seed
    driver_api.py   answers in bulk for tests, demos and benchmarks; driver.py  the loop that uses it
    pages/          the citizen's app: pages without JavaScript, Vietnamese and English
    app.py          create_app(): one screen; commands.py  `quychu vneid-sim`
"""
