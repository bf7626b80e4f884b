"""The handler of a rehearsal."""


def handler(event, context):
    return event
