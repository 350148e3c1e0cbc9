"""What files of leads look like: CSV as spreadsheets and other CRMs write it, and JSON Lines.

source.py   bytes ─▶ records: encoding, delimiter, quotes, what is no record
columns.py  the fields of a file, and the names under which other systems export them
mapping.py  columns ─▶ fields: by their names, by --map, or not at all and then with a guess
cells.py    cells with several values, and cells that a spreadsheet would take for a formula
outgoing.py leads ─▶ rows, into a file that appears when it is complete
"""
