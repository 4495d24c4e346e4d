import os
import random

import pytest

from twin_workers.output import Output, mask, masked_values


def written(tmp_path, blocks, secrets=(), **options):
    output = Output(tmp_path / "log", list(secrets), **options)
    for block in blocks:
        os.write(output.writer, block)
        output.pump()
    output.close()
    return (tmp_path / "log").read_bytes()


def test_a_secret_that_comes_in_pieces_is_masked(tmp_path):
    assert written(tmp_path, [b"a s", b"e", b"cret b se", b"cond"], [b"secret"]) == b"a *** b second"


@pytest.mark.parametrize("seed", range(20))
def test_cut_anywhere_the_log_is_the_same(tmp_path, seed):
    dice = random.Random(seed)
    secrets = [b"aab", b"ab", b"bbbb"]
    text = bytes(dice.choice(b"ab ") for _ in range(400))
    blocks, rest = [], text
    while rest:
        cut = dice.randint(1, 9)
        blocks.append(rest[:cut])
        rest = rest[cut:]
    found = written(tmp_path, blocks, secrets)
    assert not any(secret in found for secret in secrets)
    assert found.replace(b"***", b"").strip(b"ab ") == b""


def test_the_log_keeps_its_last_part(tmp_path):
    found = written(tmp_path, [f"line {number}\n".encode() for number in range(1000)], log_bytes=1000)
    assert found.endswith(b"line 999\n") and len(found) <= 1000
    assert b"bytes of earlier output were dropped" in found
    assert (tmp_path / "log.1").stat().st_size <= 1000


def test_values_are_named_and_never_given(tmp_path):
    (tmp_path / "values").write_text("from-file\n\n")
    variables = {"TWIN_MASKED": "A,B,GONE", "A": "abc", "B": "abcdef", "TWIN_MASKED_FILE": str(tmp_path / "values")}
    assert masked_values(variables) == [b"from-file", b"abcdef", b"abc"]
    assert mask(b"abcdef abc", masked_values(variables)) == b"*** ***"
    with pytest.raises(SystemExit, match="so nothing is run"):
        masked_values({"TWIN_MASKED_FILE": str(tmp_path / "none")})
