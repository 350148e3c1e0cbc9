"""What is encoded comes back exactly, whatever it looks like."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from leadwire.store.encoding import decode, encode
from leadwire.store.limits import check_item
from leadwire.store.values import same

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["\x00B", "\x00S", "\x00M", "\\u0000"]
)
NAMES = TEXTS.filter(bool)
SCALARS = (
    TEXTS
    | st.integers(-(10**38) + 1, 10**38 - 1)
    | st.booleans()
    | st.none()
    | st.binary(max_size=8)
    | st.frozensets(TEXTS, min_size=1, max_size=3)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)


@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_an_item_comes_back_as_it_was(attributes):
    item = {**attributes, "pk": "p", "sk": "s"}
    check_item({name: value for name, value in item.items() if not name.startswith("g")})
    assert same(decode(encode(item)), item)


def test_a_decoded_item_shares_nothing_with_the_one_encoded():
    item = {"pk": "p", "sk": "s", "list": [{"a": 1}]}
    text = encode(item)
    decode(text)["list"][0]["a"] = 2
    assert decode(text) == item


def test_equal_items_have_equal_text():
    first, second = (
        frozenset(f"{number}" for number in range(50)),
        frozenset(f"{number}" for number in range(49, -1, -1)),
    )
    assert encode({"pk": "p", "tags": first}) == encode({"pk": "p", "tags": second})
