"""The errors that AWS's model lists for an operation of Lambda and that nothing here can lead to, each with the reason.

Every other error of the model is a row's own, or one that the tests of its `held` speak of (test_refusals.py). Whoever makes one of
these happen takes it from here and tests it.
"""

VPC = "subnets and security groups are the server's own: none of EC2's interfaces, addresses or rights can run out at an invocation"
KEYS = "the keys of --master-key-file are there for as long as the server runs, and it does not start without one that it needs"
SNAP_START = "SnapStart is refused when it is set"
CONTAINERS = "there are no container images, and no durable functions or capacity providers"
CUSTOM = "customer-managed runtimes are refused when they are set"
FILES = "a directory of the host is there or not, which is the MountFailureException of its kind"
ANEW = "a change that another has overtaken is made anew"
NOT_PUT_OFF = "only invocations, and code that is fetched from S3 (code_source_test.cc), are told to come again"

NEVER = {
    "AliasLimitExceededException": "no number of aliases is documented that would be too many",
    "CodeArtifactUserDeletedException": CONTAINERS, "CodeArtifactUserFailedException": CONTAINERS,
    "CodeArtifactUserPendingException": CONTAINERS, "DurableExecutionAlreadyStartedException": CONTAINERS,
    "FunctionVersionsPerCapacityProviderLimitExceededException": CONTAINERS, "ModeNotSupportedException": CONTAINERS,
    "NoPublishedVersionException": CONTAINERS, "ServiceQuotaExceededException": CONTAINERS,
    "RuntimeAliasDeletedException": CUSTOM, "RuntimeVersionDeletedException": CUSTOM,
    "EC2AccessDeniedException": VPC, "EC2ThrottledException": VPC, "EC2UnexpectedException": VPC, "ENILimitReachedException": VPC,
    "ENINotReadyException": VPC, "SubnetIPAddressLimitReachedException": VPC,
    "EFSIOException": FILES, "EFSMountConnectivityException": FILES, "EFSMountTimeoutException": FILES,
    "S3FilesMountConnectivityException": FILES, "S3FilesMountTimeoutException": FILES,
    "KMSAccessDeniedException": KEYS, "KMSDisabledException": KEYS, "KMSInvalidStateException": KEYS, "KMSNotFoundException": KEYS,
    "SnapStartException": SNAP_START, "SnapStartNotReadyException": SNAP_START, "SnapStartRegenerationFailureException": SNAP_START,
    "SnapStartTimeoutException": SNAP_START,
    "InvalidZipFileException": "an archive is unpacked before it is accepted",
    "ResourceInUseException": "a mapping is never on its way from one state to another",
    "ResourceNotReadyException": "a function that is Pending is settled before it is invoked",
    "SerializedRequestEntityTooLargeException": "a payload is bounded as it is sent, which is RequestTooLargeException",
    "ServiceException": "is no refusal",
    "UnsupportedMediaTypeException": "AWS takes JSON whatever its Content-Type says, and so does this server",
}
# These are answered elsewhere, and not by the operations named.
NOT_OF = {
    "CodeSigningConfigNotFoundException": (
        "a configuration that a function has cannot be deleted",
        "DeleteFunctionCodeSigningConfig GetFunctionCodeSigningConfig"),
    "InvalidParameterValueException": (
        "their members have the model's constraints alone, which are ValidationException",
        "DeleteEventSourceMapping GetCodeSigningConfig GetEventSourceMapping GetFunctionRecursionConfig GetLayerVersionByArn"
        " GetResourcePolicy ListFunctionsByCodeSigningConfig PutFunctionRecursionConfig"),
    "InvalidRuntimeException": ("an event is accepted before its runtime is looked for", "InvokeAsync"),
    "ResourceConflictException": (
        ANEW,
        "DeleteAlias DeleteEventSourceMapping DeleteFunctionCodeSigningConfig DeleteFunctionConcurrency"
        " DeleteFunctionEventInvokeConfig DeleteFunctionUrlConfig DeleteProvisionedConcurrencyConfig DeleteResourcePolicy"
        " PutFunctionEventInvokeConfig PutFunctionRecursionConfig PutRuntimeManagementConfig RemoveLayerVersionPermission"
        " TagResource UntagResource UpdateAlias UpdateFunctionEventInvokeConfig UpdateFunctionUrlConfig"),
}
PUT_OFF = "Invoke", "InvokeAsync", "InvokeWithResponseStream"


def why_not(operation, error):
    """Why the operation cannot be refused with this error; nothing when it can."""
    if error == "TooManyRequestsException" and operation not in PUT_OFF:
        return NOT_PUT_OFF
    reason, operations = NOT_OF.get(error, ("", ""))
    return NEVER.get(error) or (reason if operation in operations.split() else None)
