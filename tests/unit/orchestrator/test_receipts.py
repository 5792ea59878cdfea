"""What `offhook receipts` says of a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestrator.access.keys import kept_key
from orchestrator.cli import app
from orchestrator.compliance.receipts import BadReceipt, ReceiptKey, hashed, verify

RECEIPT = {
    "version": 1,
    "finished_at": "2026-11-23T12:00:00+00:00",
    "erased": {"calls": 2},
    "caller": hashed("+33612345678"),
}


def signed(data: Path) -> dict[str, Any]:
    return dict(ReceiptKey(kept_key(data / "keys" / "receipts.key")).sign(RECEIPT))


def told(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["receipts", *arguments])
    return result.exit_code, result.output


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_receipt_is_verified_with_the_key_of_the_installation(tmp_path: Path, *, wrapped: bool) -> None:
    file, document = tmp_path / "receipt.json", signed(tmp_path)
    file.write_text(json.dumps({"asked_at": "", "receipt": document} if wrapped else document))
    code, text = told("verify", str(file), "--data", str(tmp_path), "--caller", "+33 6 12 34 56 78")
    assert (code, "2 calls" in text) == (0, True)
    code, text = told("verify", str(file), "--data", str(tmp_path), "--caller", "+33612345679")
    assert (code, "somebody else" in text) == (1, True)


def test_it_is_verified_elsewhere_with_the_public_key(tmp_path: Path) -> None:
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(signed(tmp_path)))
    code, public = told("key", "--data", str(tmp_path))
    assert code == 0
    elsewhere = ("--data", str(tmp_path / "elsewhere"))
    assert told("verify", str(file), "--key", public.strip(), *elsewhere)[0] == 0
    assert told("verify", str(file), *elsewhere)[0] != 0


def test_an_erasure_that_goes_on_has_no_receipt_yet(tmp_path: Path) -> None:
    signed(tmp_path)
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps({"asked_at": "", "state": "asked", "receipt": None}))
    code, text = told("verify", str(file), "--data", str(tmp_path))
    assert (code, "not finished" in text) == (1, True)


@pytest.mark.parametrize("what", ["erased", "finished_at", "version"])
def test_a_receipt_that_was_changed_is_found_out(tmp_path: Path, what: str) -> None:
    document = json.loads(json.dumps(signed(tmp_path)))
    document["receipt"][what] = "changed"
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(document))
    code, text = told("verify", str(file), "--data", str(tmp_path))
    assert (code, "not what was signed" in text) == (1, True)


def test_one_that_somebody_else_signed_is_refused(tmp_path: Path) -> None:
    forged = ReceiptKey("x" * 43).sign(RECEIPT)
    with pytest.raises(BadReceipt, match="another key"):
        verify(forged, ReceiptKey(kept_key(tmp_path / "receipts.key")).public)


@pytest.mark.parametrize(
    "document", [None, [], {}, {"receipt": {}}, "text", {**ReceiptKey("k").sign({}), "signature": "?"}]
)
def test_what_is_no_receipt_is_refused(document: object) -> None:
    with pytest.raises(BadReceipt):
        verify(document, ReceiptKey("k").public)
