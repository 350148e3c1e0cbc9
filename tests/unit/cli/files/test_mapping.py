"""Columns become fields by their names or by --map; what is not beyond doubt is an error that says what to type."""

from __future__ import annotations

import pytest

from cli.files import columns, mapping
from cli.files.mapping import Column
from cli.files.rows import FileRow
from cli.files.source import WrongFile

HUBSPOT = {
    "First Name": "first_name", "Last Name": "last_name", "Email": "email", "Phone Number": "phone",
    "Company Name": "company", "Lead Status": "status", "Job Title": "job_title", "City": "city",
    "State/Region": "state", "Postal Code": "zip", "Country/Region": "country", "Street Address": "address1",
}  # fmt: skip
SALESFORCE = {
    "First Name": "first_name", "Last Name": "last_name", "Title": "job_title", "Company": "company",
    "Lead Source": "source", "Street": "address1", "City": "city", "State/Province": "state",
    "Zip/Postal Code": "zip", "Country": "country", "Phone": "phone", "Email": "email", "Description": "notes",
}  # fmt: skip
PIPEDRIVE = {"Person - Name": "name", "Person - Email - Work": "email", "Person - Phone - Mobile": "phone"}
GOOGLE = {
    "Given Name": "first_name",
    "Family Name": "last_name",
    "E-mail 1 - Value": "email",
    "Phone 1 - Value": "phone",
}
OURS = {name: name for name in columns.SPELLINGS if name != "name"}


def resolved(names: list[str], *mapped: str, objects: bool = False) -> dict[str, str]:
    return mapping.resolved([Column(name, used=True) for name in names], mapping.asked(mapped), objects=objects)


@pytest.mark.parametrize("export", [HUBSPOT, SALESFORCE, PIPEDRIVE, GOOGLE, OURS])
def test_the_columns_of_other_systems_and_our_own_are_known(export: dict[str, str]) -> None:
    assert resolved([*export]) == export


def test_case_blanks_and_signs_do_not_matter() -> None:
    found = resolved(["FIRST_NAME", "e-mail", " Mobile phone"])
    assert found == {"FIRST_NAME": "first_name", "e-mail": "email", " Mobile phone": "phone"}


def test_every_field_is_one_of_a_row() -> None:
    assert {*columns.SPELLINGS, columns.CUSTOM} == set(FileRow.model_fields)


def test_what_is_asked_for_wins() -> None:
    found = resolved(["Email", "Work=phone", "X", "Y"], "Work=phone=phone", "X=custom.y", "Y=-")
    assert found == {"Email": "email", "Work=phone": "phone", "X": "custom.y"}


def test_custom_columns_of_an_export_and_its_own_ids_and_times_are_known() -> None:
    assert resolved(["id", "email", "custom.Größe", "created_at", "import_error"]) == {
        "email": "email",
        "custom.Größe": "custom.Größe",
    }


def test_columns_without_any_value_need_no_field() -> None:
    assert mapping.resolved([Column("Email", True), Column("Fax 2", False)], {}, objects=False) == {"Email": "email"}


def test_the_whole_open_map_is_a_field_of_objects_only() -> None:
    assert resolved(["email", "custom"], objects=True) == {"email": "email", "custom": "custom"}
    with pytest.raises(WrongFile):
        resolved(["email", "custom"])


def test_an_unknown_column_is_an_error_with_a_guess_and_what_to_type() -> None:
    with pytest.raises(WrongFile) as wrong:
        resolved(["Email", "Lead Ratings", "Mobil"])
    assert 'No field is known for the column "Lead Ratings"' in str(wrong.value)
    assert '--map "Lead Ratings=custom.lead_ratings"' in str(wrong.value)
    assert "Perhaps it is phone" in str(wrong.value)
    assert '--map "Mobil=phone"' in str(wrong.value)
    assert '--map "Mobil=-"' in str(wrong.value)


def test_two_columns_of_one_field_are_an_error_that_names_both() -> None:
    with pytest.raises(WrongFile, match='More than one column would be the phone: "Phone" and "Mobile"') as wrong:
        resolved(["Phone", "Mobile", "Email"])
    assert '--map "Mobile=custom.mobile"' in str(wrong.value)
    assert resolved(["Phone", "Mobile"], "Mobile=custom.mobile") == {"Phone": "phone", "Mobile": "custom.mobile"}


def test_a_whole_name_beside_its_parts_is_an_error() -> None:
    with pytest.raises(WrongFile, match='"First Name" and "Name"'):
        resolved(["First Name", "Name"])


@pytest.mark.parametrize(
    ("mapped", "message"),
    [
        ("phone", "has no column and field"),
        ("=phone", "has no column and field"),
        ("Nobody=phone", 'there is no column "Nobody". The file has: Email'),
        ("Email=telefone", "there is no field telefone. Fields: first_name"),
        ("Email=custom.", "there is no field custom."),
    ],
)
def test_a_map_that_says_nothing_is_an_error(mapped: str, message: str) -> None:
    with pytest.raises(WrongFile) as wrong:
        resolved(["Email"], mapped)
    assert message in str(wrong.value)


def test_a_file_of_which_nothing_is_imported_is_an_error() -> None:
    with pytest.raises(WrongFile, match="No column is imported"):
        resolved(["Email"], "Email=-")
