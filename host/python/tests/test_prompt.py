"""`on_prompt` is called with lines for a person, on a thread that no call waits for."""

import json
import os
import re
import threading
import urllib.request

import pytest
import vaultlet
from conftest import REFERENCE, VALUE, Control


def approve(line):
    (code,) = re.findall(r"\b[A-Z0-9]{9}\b", line)
    verdict = json.dumps({"userCode": code, "approve": True}).encode()
    Control._open(urllib.request.Request(os.environ["CONTROL"] + "/device", verdict)).close()


def test_the_callback_gets_the_code():
    told = []

    def tell(line):
        told.append((line, threading.current_thread() is threading.main_thread()))
        approve(line)

    with vaultlet.Vaultlet(identity="device-code", on_prompt=tell) as handle:
        assert handle.get(REFERENCE).reveal() == VALUE
    ((line, on_this_thread),) = told
    assert "/device and enter the code" in line and not on_this_thread


def test_without_a_callback():
    with vaultlet.Vaultlet(identity="device-code") as handle:
        with pytest.raises(vaultlet.ConfigurationError) as raised:
            handle.get(REFERENCE)
    assert raised.value.id == "terminal-required"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_callback_that_raises():
    def tell(line):
        approve(line)
        raise RuntimeError("no paper")

    with vaultlet.Vaultlet(identity="device-code", on_prompt=tell) as handle:
        assert handle.get(REFERENCE).reveal() == VALUE
