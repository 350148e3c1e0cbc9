"""The fields that a file of leads can have, and the names that columns have for them elsewhere."""

from __future__ import annotations

import difflib

SPELLINGS: dict[str, tuple[str, ...]] = {
    "first_name": ("First Name", "Given Name", "Forename", "Person - First name", "First"),
    "last_name": ("Last Name", "Family Name", "Surname", "Person - Last name", "Last"),
    "name": ("Name", "Full Name", "Contact Name", "Lead Name", "Contact", "Person - Name", "Display Name"),
    "email": (
        "Email", "E-mail", "Email Address", "E-mail Address", "Mail", "Work Email", "Primary Email", "Email 1",
        "E-mail 1 - Value", "Person - Email", "Person - Email - Work",
    ),
    "phone": (
        "Phone", "Phone Number", "Telephone", "Telephone Number", "Tel", "Mobile", "Mobile Phone", "Mobile Number",
        "Mobile Phone Number", "Cell", "Cell Phone", "Work Phone", "Business Phone", "Primary Phone", "Phone 1 - Value",
        "Person - Phone", "Person - Phone - Work", "Person - Phone - Mobile", "WhatsApp Number",
    ),
    "company": (
        "Company", "Company Name", "Organization", "Organisation", "Organization Name", "Account Name", "Account",
        "Business Name", "Person - Organization", "Associated Company",
    ),
    "job_title": ("Job Title", "Title", "Position", "Role", "Organization Title"),
    "source": ("Source", "Lead Source", "Original Source", "Source Name"),
    "status": ("Status", "Lead Status", "Contact Status"),
    "score": ("Score", "Lead Score", "HubSpot Score"),
    "starred": ("Starred", "Favorite", "Favourite"),
    "notes": ("Notes", "Note", "Description", "Comments", "Comment", "Remarks"),
    "tags": ("Tags", "Tag", "Labels", "Label", "Person - Labels"),
    "lists": ("Lists", "List", "List Name"),
    "pipeline": ("Pipeline", "Pipeline Name", "Deal Pipeline"),
    "stage": ("Stage", "Pipeline Stage", "Stage Name", "Lead Stage", "Deal Stage"),
    "assigned_to": ("Assigned To", "Owner Email", "Contact Owner Email", "Lead Owner Email"),
    "address1": (
        "Address", "Address 1", "Address Line 1", "Street", "Street Address", "Mailing Street", "Business Street",
    ),
    "address2": ("Address 2", "Address Line 2", "Street 2", "Street Address 2", "Apartment"),
    "city": ("City", "Town", "Mailing City", "Business City"),
    "state": ("State", "State/Region", "State/Province", "Province", "Region", "Mailing State", "Business State"),
    "zip": ("Zip", "ZIP Code", "Postal Code", "Post Code", "Zip/Postal Code", "Mailing Zip", "Business Postal Code"),
    "country": ("Country", "Country/Region", "Country Code", "Mailing Country", "Business Country/Region"),
}  # fmt: skip
"""Field to the names of columns, as HubSpot, Salesforce, Pipedrive, Zoho, Mailchimp, Google and Outlook export them."""

CUSTOM = "custom"
"""The open map: a JSON object; `custom.<name>` is one of its keys."""
GIVEN = ("id", "created_at", "updated_at")
"""Leadwire gives them itself: an export has them, an import leaves them out."""
ERRORS = ("import_row", "import_field", "import_error")
"""What a file of refused rows has in front of the columns."""


def plain(name: str) -> str:
    """A name without what spellings differ in: case, blanks and signs."""
    return "".join(sign for sign in name.casefold() if sign.isalnum())


_BY_NAME = {plain(name): field for field, names in SPELLINGS.items() for name in (field, *names)}
LEFT_OUT = frozenset(map(plain, (*GIVEN, *ERRORS)))


def field_of(name: str) -> str | None:
    """The field that a column of this name holds, as far as that is beyond doubt."""
    return _BY_NAME.get(plain(name))


def guess(name: str) -> str | None:
    """The field that a column of this name perhaps holds."""
    near = difflib.get_close_matches(plain(name), _BY_NAME, n=1, cutoff=0.6)
    part = [known for known in _BY_NAME if len(known) > 3 and known in plain(name)]  # noqa: PLR2004  # "tel" is in "hotel"
    found = near or sorted(part, key=len, reverse=True)
    return _BY_NAME[found[0]] if found else None


def is_field(target: str) -> bool:
    return target in SPELLINGS or (target.startswith(f"{CUSTOM}.") and target != f"{CUSTOM}.")
