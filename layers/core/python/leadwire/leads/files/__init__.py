"""Leads from files and into files: the service behind `leadwire import` and `leadwire export`.

    log.py       how far each import of a file came, and what each of its steps made
    rows.py      what rows say about leads
    intake.py    rows ─▶ leads, a few in one transaction with the log
    foretell.py  what an import would do
    undo.py      the leads that an import made go away again
    outgoing.py  every lead of a tenant, in an order that stays

It knows rows and leads, not bytes: what a file looks like is the command line's business (cli/files).
"""
