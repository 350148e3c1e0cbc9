"""`make invoke` with a name that is none."""

import pytest

from local.cloud import CloudFailed
from local.invoke import invoke


@pytest.mark.parametrize("name", [("", ""), ("health", "bad"), ("nothing", "ok")])
def test_a_name_that_is_none_is_refused_with_the_calls_that_there_are(name: tuple[str, str]) -> None:
    with pytest.raises(CloudFailed, match=r"\n  make invoke F=health E=ok\n"):
        invoke(*name)
