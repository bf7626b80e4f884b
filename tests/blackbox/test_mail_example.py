"""examples/mail-python: a mail that nobody waits for, and what becomes of it when the mail server is down."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.polling import until
from support.server import ROOT, Server


def deploy(server, moto, **more):
    """The example's own script; the queues' URLs."""
    dead_url, dead = moto.queue("dead-letters")
    failures_url, failures = moto.queue("failures")
    said = subprocess.run(
        [str(ROOT / "examples/deploy-mail.sh")], check=False, capture_output=True, text=True, timeout=120,
        env={**server.shell_environment(), "AWS": str(Path(sys.executable).parent / "aws"), "MAIL_DEAD_LETTERS": dead,
             "MAIL_FAILURES": failures, **more})
    assert said.returncode == 0, said.stderr
    assert said.stdout.strip().endswith("202")
    return dead_url, failures_url


def test_a_mail_is_written_without_anybody_waiting(new_server, moto):
    server = new_server("--print-function-logs", *moto.target_arguments())
    deploy(server, moto)
    until(lambda: "to ann@example.com: Hello" in server.log.read_text(), 30, "the mail in the log")


def test_a_mail_that_cannot_be_sent_ends_in_both_queues(new_server, moto):
    server = new_server("--time-scale", "600", *moto.target_arguments())
    dead_url, failures_url = deploy(server, moto, MAIL_SERVER="127.0.0.1:9")
    record = json.loads(moto.receive(failures_url)["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responsePayload"]["errorType"] == "ConnectionRefusedError"
    assert json.loads(moto.receive(dead_url)["Body"])["to"] == "ann@example.com"
