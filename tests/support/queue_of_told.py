"""A queue of SQS as far as SendMessage goes, which notes what it is sent. moto's looks through all that waits for each message that it
gives away: two a second when there are thousands."""

import hashlib
import http.server
import json
import threading
import uuid

from support.server import ACCOUNT, REGION


class QueueOfTold:
    def __init__(self, name):
        self.arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        self.bodies = []
        queue = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                known = self.headers["X-Amz-Target"] == "AmazonSQS.SendMessage" and request["QueueUrl"].endswith(f"/{ACCOUNT}/{name}")
                if known:
                    queue.bodies.append(request["MessageBody"])
                    digest = hashlib.md5(request["MessageBody"].encode()).hexdigest()
                    self.answer(200, {"MessageId": str(uuid.uuid4()), "MD5OfMessageBody": digest})
                else:
                    self.answer(400, {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "The specified queue does not exist."})

            def answer(self, status, document):
                text = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *arguments):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def target_arguments(self):
        """For `lambent serve`."""
        return ["--target-endpoint", f"sqs=http://127.0.0.1:{self._server.server_port}"]

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
