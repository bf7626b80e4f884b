"""What tests of refusals ask."""

import pytest
from botocore.exceptions import ClientError

from support.server import ACCOUNT, REGION


def arn(name):
    """The ARN of a function."""
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def refusal(call, **arguments):
    """(code, status, message) of a call that must be refused."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


def may_get(awslambda, name):
    """Whether the client's caller may get the function; anything but a refusal for want of rights is an error."""
    try:
        return bool(awslambda.get_function(FunctionName=name))
    except ClientError as refused:
        assert refused.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        return False
