"""Sends a mail for an event that nobody waits for.

Whoever invokes this with InvocationType=Event has an answer at once; Lambent keeps the event, tries again after one and two
minutes when the mail server is down, and hands the event to a dead-letter queue and its record to a failure destination when
nothing helped. MAIL_SERVER is HOST:PORT; without it the mail is written to the function's log.

The same event may arrive more than once, as on AWS: Message-ID is the request's id, so that a mail server can drop repeats.
"""

import os
import smtplib
from email.message import EmailMessage


def compose(event, request_id):
    mail = EmailMessage()
    mail["From"] = os.environ.get("MAIL_FROM", "lambent@example.com")
    mail["To"] = event["to"]
    mail["Subject"] = event["subject"]
    mail["Message-ID"] = f"<{request_id}@lambent.example.com>"
    mail.set_content(event.get("text", ""))
    return mail


def handler(event, context):
    mail = compose(event, context.aws_request_id)
    server = os.environ.get("MAIL_SERVER")
    if not server:
        print(f"MAIL {mail['Message-ID']} to {mail['To']}: {mail['Subject']}", flush=True)
        return {"sent": False, "logged": True}
    host, port = server.rsplit(":", 1)
    with smtplib.SMTP(host, int(port), timeout=5) as connection:
        connection.send_message(mail)
    return {"sent": True}
