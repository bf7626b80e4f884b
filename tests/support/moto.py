"""moto's server from PyPI, standing in for the services that Lambent delivers to and does not have."""

import os
import subprocess
import sys
import urllib.request

import boto3

from support.polling import until
from support.server import ACCOUNT, REGION, free_port

START_SECONDS = 60


class Moto:
    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "MOTO_ACCOUNT_ID": ACCOUNT})
        until(self._answers, START_SECONDS, "moto's server")

    def _answers(self):
        assert self.process.poll() is None, "moto's server ended"
        try:
            with urllib.request.urlopen(self.url + "/moto-api/", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def client(self, service):
        return boto3.session.Session().client(service, endpoint_url=self.url, region_name=REGION,
                                              aws_access_key_id="test", aws_secret_access_key="test")

    def target_arguments(self):
        """For `lambent serve`."""
        return [argument for service in ("sqs", "sns", "events", "s3")
                for argument in ("--target-endpoint", f"{service}={self.url}")]

    def queue(self, name):
        """(URL, ARN) of a new queue."""
        url = self.client("sqs").create_queue(QueueName=name)["QueueUrl"]
        return url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"

    def receive(self, url, seconds=30):
        """The next message of a queue, with its attributes."""
        sqs = self.client("sqs")

        def message():
            found = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], AttributeNames=["All"],
                                        MaxNumberOfMessages=1).get("Messages")
            return found and found[0]

        received = until(message, seconds, f"a message in {url}")
        sqs.delete_message(QueueUrl=url, ReceiptHandle=received["ReceiptHandle"])
        return received

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
