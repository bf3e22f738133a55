"""A secret is not shown by accident, in any way in which Python shows objects."""

import collections
import copy
import dataclasses
import datetime
import faulthandler
import gc
import inspect
import io
import json
import logging
import pickle
import pprint
import reprlib
import string
import sys
import tempfile
import traceback
import weakref

import pytest
import vaultlet
from conftest import REFERENCE, VALUE, shows


@pytest.fixture(params=["secret", "token"])
def hidden(request):
    return vaultlet.get(REFERENCE) if request.param == "secret" else vaultlet.token()


def test_attributes():
    secret = vaultlet.get(REFERENCE)
    assert secret.reveal() == VALUE
    assert (secret.name, secret.vault) == ("db-password", "my-key-vault.vault.azure.net")
    assert len(secret.version) == 32
    assert secret.reference == f"akv://{secret.vault}/db-password/{secret.version}"
    assert repr(secret) == f"Secret('{secret.reference}')"
    assert secret.enabled is True
    assert secret.created_on.tzinfo is datetime.timezone.utc
    age = datetime.datetime.now(datetime.timezone.utc) - secret.created_on
    assert datetime.timedelta(0) <= age < datetime.timedelta(hours=1)
    assert secret.expires_on is None and secret.not_before is None
    assert secret.tags == {}
    assert secret.properties.name == secret.name
    assert secret.properties.created_on == secret.created_on
    assert secret.properties.reference == secret.reference
    assert vaultlet.get(secret.reference).version == secret.version


def test_revealed_bytes_can_be_overwritten():
    secret = vaultlet.get(REFERENCE)
    revealed = secret.reveal_bytes()
    assert revealed == VALUE.encode()
    revealed[:] = bytes(len(revealed))
    assert secret.reveal() == VALUE


def test_text_forms(hidden):
    for text in (repr(hidden), f"{hidden!r}", "%r" % hidden, "%r" % (hidden,)):
        assert not shows(text)
    for text in (ascii(hidden), reprlib.repr(hidden), pprint.pformat({"a": [hidden]})):
        assert not shows(text)


def test_formatting_is_refused(hidden):
    for format_it in (
        lambda: f"{hidden}",
        lambda: f"postgres://user:{hidden}@db",
        lambda: "{}".format(hidden),
        lambda: format(hidden, ">10"),
        lambda: string.Formatter().format("{x}", x=hidden),
        lambda: str(hidden),
        lambda: "%s" % hidden,
        lambda: "password=%s" % (hidden,),
        lambda: "%(x)s" % {"x": hidden},
        lambda: f"{hidden!s}",
        lambda: string.Template("$x").substitute(x=hidden),
        lambda: print(hidden, file=io.StringIO()),
        lambda: " ".join(map(str, ["a", hidden])),
    ):
        with pytest.raises(TypeError, match=r"reveal\(\)"):
            format_it()


def test_comparing_with_text_is_refused(hidden):
    for text in ("", VALUE, hidden.reveal(), b"x", bytearray(b"x")):
        for compare in (
            lambda: hidden == text,
            lambda: hidden != text,
            lambda: text == hidden,
            lambda: text != hidden,
            lambda: hidden in [text],
            lambda: [text].index(hidden),
        ):
            with pytest.raises(TypeError, match=r"reveal\(\)"):
                compare()
    other = vaultlet.get(REFERENCE)
    assert hidden == hidden and hidden != other and hidden != 1 and hidden is not None and hidden != None  # noqa: E711
    assert {hidden: 1}[hidden] == 1 and len({hidden, hidden, other}) == 2 and hidden in [1, hidden]
    with pytest.raises(TypeError):
        hidden < other


def test_what_others_call_the_value_has_a_hint(hidden):
    for name in ("value", "get_secret_value", "secret_value", "token", "plaintext"):
        with pytest.raises(AttributeError, match=r"reveal\(\)"):
            getattr(hidden, name)
        assert not hasattr(hidden, name)
    with pytest.raises(AttributeError, match="has no attribute `nope`$"):
        hidden.nope


def test_copies_are_refused(hidden):
    for copy_it in (
        copy.copy,
        copy.deepcopy,
        lambda it: copy.deepcopy({"a": [it]}),
        *(lambda it, p=p: pickle.dumps(it, p) for p in range(pickle.HIGHEST_PROTOCOL + 1)),
    ):
        with pytest.raises(TypeError, match="neither copied nor pickled"):
            copy_it(hidden)


def test_conversions_are_refused(hidden):
    for convert in (
        json.dumps,
        bytes,
        list,
        dict,
        iter,
        len,
        int,
        float,
        vars,
        "".join,
        lambda it: "x" + it,
        lambda it: memoryview(it),
        lambda it: hash(it) and it["x"],
        dataclasses.asdict,
    ):
        with pytest.raises(TypeError) as raised:
            convert(hidden)
        assert not shows(str(raised.value))
    with pytest.raises(TypeError):
        type(hidden)()
    with pytest.raises(TypeError):
        type("Sub", (type(hidden),), {})
    with pytest.raises(AttributeError):
        hidden.value = "x"


def test_dataclasses(hidden):
    @dataclasses.dataclass
    class Settings:
        password: object

    settings = Settings(hidden)
    assert not shows(repr(settings))
    with pytest.raises(TypeError, match="neither copied nor pickled"):
        dataclasses.asdict(settings)
    assert collections.namedtuple("T", "x")(hidden) == (hidden,)


def test_logging(hidden, caplog):
    with caplog.at_level(logging.DEBUG):
        logging.info("%r", hidden)
        logging.info("%(x)r %(y)s", {"x": hidden, "y": [hidden]})
        try:
            raise ValueError(hidden)
        except ValueError:
            logging.exception("failed")
    assert "Secret(" in caplog.text or "Token(" in caplog.text
    assert not shows(caplog.text)


def test_tracebacks(hidden):
    def fails(argument):
        local = [argument]
        raise RuntimeError(argument, local)

    try:
        fails(hidden)
    except RuntimeError:
        kind, error, trace = sys.exc_info()
        told = "".join(traceback.TracebackException(kind, error, trace, capture_locals=True).format())
        assert "local = [" in told
        assert not shows(told + traceback.format_exc())
        frame = inspect.trace()[-1].frame
        assert not shows(repr(inspect.getargvalues(frame)) + repr(frame.f_locals))
        del frame, trace


def test_introspection(hidden):
    assert not hasattr(hidden, "__dict__")
    told = repr(inspect.getmembers(hidden)) + repr(dir(hidden)) + repr(locals())
    assert not shows(told)
    held = repr(gc.get_referents(hidden)) + repr(gc.get_referrers(hidden))
    assert not shows(held)
    assert weakref.ref(hidden)() is hidden


def test_faulthandler(hidden):
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file)
        file.seek(0)
        assert not shows(file.read())
    assert hidden is not None


def test_print(hidden):
    out = io.StringIO()
    print([hidden], {"a": hidden}, file=out)
    pprint.pprint([hidden], stream=out)
    assert not shows(out.getvalue())


def test_equality_is_identity():
    one, other = vaultlet.get(REFERENCE), vaultlet.get(REFERENCE)
    assert one == one and one != other
    assert len({one, other, one}) == 2


def test_token():
    token = vaultlet.token()
    assert token.reveal().startswith("eyJ")
    assert token.resource == "https://vault.azure.net"
    assert token.expires_on > token.refresh_on > datetime.datetime.now(datetime.timezone.utc)
    assert repr(token) == 'Token("https://vault.azure.net" by "azureml-obo")'
    assert token.holder.upn and not shows(repr(token.holder))
