"""The mask's key: read from its file, refused where it is missing or too short."""

from pathlib import Path

import pytest

from riskstream.config import PrivacySettings
from riskstream.errors import ConfigError


def test_without_a_file_there_is_no_mask() -> None:
    """The default."""
    assert PrivacySettings().mask_key() is None


def test_the_key_is_the_file_without_its_line_end(tmp_path: Path) -> None:
    """So that it does not matter how the file was written."""
    path = tmp_path / "mask.key"
    path.write_bytes(b"0123456789abcdef\n")
    assert PrivacySettings(mask_key_file=path).mask_key() == b"0123456789abcdef"


def test_a_missing_or_short_key_is_refused_with_its_cure(tmp_path: Path) -> None:
    """Before anything is written under it."""
    path = tmp_path / "mask.key"
    with pytest.raises(ConfigError, match=r"mask\.key cannot be read: No such file"):
        PrivacySettings(mask_key_file=path).mask_key()
    path.write_bytes(b"short\n")
    with pytest.raises(ConfigError, match=r"5 bytes, and a key needs 16.*openssl rand"):
        PrivacySettings(mask_key_file=path).mask_key()
