"""aws-sam-translator, typed. Importing this takes half a second, so `template` does it only when it must."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from samtranslator.model.exceptions import InvalidDocumentException  # type: ignore[import-untyped]  # no types
from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]  # no types
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]  # no types
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]  # no types


class Invalid(Exception):
    """YAML or SAM itself refuses the template; the message gives the reasons."""


def parse(text: str) -> dict[str, Any]:
    """YAML with CloudFormation's tags in their long form. Raises Invalid."""
    try:
        template: dict[str, Any] = yaml_parse(text)
    except yaml.YAMLError as wrong:
        raise Invalid(str(wrong)) from wrong
    return template


def translate(template: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    """Plain CloudFormation. Raises Invalid."""
    try:
        plain: dict[str, Any] = Translator(managed_policy_map={}, sam_parser=Parser()).translate(template, parameters)
    except InvalidDocumentException as wrong:
        raise Invalid("; ".join(str(cause.message) for cause in wrong.causes)) from wrong
    return plain
