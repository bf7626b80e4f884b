"""What IAM and STS refuse. The world: user, role and policy "refusals"; the user has two access keys, both have an inline policy
"inline", the role has the policy attached, the policy has versions v1 (the default) to v5."""

import json

from support.functions import TRUST_LAMBDA
from support.refusals import OTHER_ACCOUNT, Operation, longest, shape_of
from support.server import ACCOUNT

NAME = "refusals"
POLICY_ARN = f"arn:aws:iam::{ACCOUNT}:policy/{NAME}"
NO_ARN = f"arn:aws:iam::{ACCOUNT}:policy/nothing"
FOREIGN = POLICY_ARN.replace(ACCOUNT, OTHER_ACCOUNT)
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/{NAME}"
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "lambda:Get*", "Resource": "*"}]})
KEY = "AKIAIOSFODNN7EXAMPLE"
MANY_TAGS = [{"Key": f"key-{number}", "Value": ""} for number in range(51)]
NO_REVISION = "IAM has no revisions"
BY_NAME = "is named by name, in the caller's account"


def no_such(message):
    return "NoSuchEntity", 404, message


NO_USER = no_such("The user with name nothing cannot be found.")
NO_ROLE = no_such("The role with name nothing cannot be found.")
NO_POLICY = no_such(f"Policy {NO_ARN} was not found.")
TWICE_ANY_CASE = ("InvalidInput", 400, "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
TWICE = ("InvalidInput", 400, "Duplicate tag keys found.")


def validation(message):
    return "ValidationError", 400, message


def denied(action, resource):
    return ("AccessDenied", 403, f"User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: {action} on resource: {resource} because no"
            f" resource-based policy allows the {action} action")


def invalid_name(member):
    return validation(f"The specified value for {member} is invalid. It must contain only alphanumeric characters and/or the following:"
                      " +=,.@_-")


def violation(member, constraint):
    """IAM does not repeat the value."""
    return validation(f"1 validation error detected: Value at '{member}' failed to satisfy constraint: {constraint}")


TOO_MANY_TAGS = violation("tags", "Member must have length less than or equal to 50")
TOO_MANY_KEYS = violation("tagKeys", "Member must have length less than or equal to 50")


def lower(member):
    return member[0].lower() + member[1:]


def of(name, member, missing, **good):
    """An operation with UserName or RoleName; `missing` is its answer to one that does not exist."""
    op = Operation("iam", name, **{member: NAME}, **good).none(NO_REVISION, "revision")
    for wrong in ("a/b", "a b", f"arn:aws:iam::{ACCOUNT}:user/{NAME}"):
        op.refuses("name" if not wrong.startswith("arn") else "arn", *invalid_name(lower(member)), **{member: wrong})
    shape = shape_of("iam", name, member)
    op.refuses("name", *violation(lower(member), longest(shape)), **{member: "a" * (shape.metadata["max"] + 1)})
    op.none(BY_NAME, "account")
    return op.refuses("missing", *missing, **{member: "nothing"}) if missing else op


def of_user(name, **good):
    return of(name, "UserName", NO_USER, **good)


def of_role(name, **good):
    return of(name, "RoleName", NO_ROLE, **good)


def of_policy(name, missing=NO_POLICY, **good):
    op = Operation("iam", name, PolicyArn=POLICY_ARN, **good).none(NO_REVISION, "revision").none("is named by ARN alone", "name")
    bad_arns(op, f"arn:aws:s3:::{NAME}-and-more")
    op.refuses("arn", *violation("policyArn", "Member must have length greater than or equal to 20"), PolicyArn="short")
    op.refuses("account", *denied(f"iam:{name}", FOREIGN), PolicyArn=FOREIGN)
    return op.refuses("missing", *missing, PolicyArn=NO_ARN)


def bad_arns(op, *more):
    """AWS has two codes for the same words: for what is no ARN, and for the ARN of something else."""
    op.refuses("arn", *validation("ARN longpolicynamebutnoarn is not valid."), PolicyArn="longpolicynamebutnoarn")
    for wrong in (ROLE_ARN, *more):
        op.refuses("arn", "InvalidInput", 400, f"ARN {wrong} is not valid.", PolicyArn=wrong)


def reads(op):
    return op.none("is allowed in every state", "conflict").none("makes and keeps nothing", "quota")


def users():
    yield (of("CreateUser", "UserName", None).none("makes what is not there", "missing")
           .refuses("conflict", "EntityAlreadyExists", 409, f"User with name {NAME} already exists.")
           .refuses("quota", *TOO_MANY_TAGS, Tags=MANY_TAGS, UserName="refused"))
    yield reads(of_user("GetUser"))
    yield (of_user("DeleteUser").none("takes away", "quota")
           .refuses("conflict", "DeleteConflict", 409, "Cannot delete entity, must delete policies first."))
    for name in ("ListGroupsForUser", "ListUserPolicies", "ListUserTags", "ListAttachedUserPolicies", "ListAccessKeys", "ListMFADevices",
                 "ListSSHPublicKeys", "ListServiceSpecificCredentials", "ListSigningCertificates"):
        yield reads(of_user(name))
    for name in ("ListUsers", "ListRoles"):
        yield reads(Operation("iam", name)
                    .refuses("name", *violation("pathPrefix", r"Member must satisfy regular expression pattern: \u002F[\u0021-\u007F]*"),
                             PathPrefix="no slash")
                    .none(BY_NAME, "arn", "account").none("lists what there is", "missing").none(NO_REVISION, "revision"))
    yield (reads(Operation("iam", "ListVirtualMFADevices").none("lists what there is", "name", "arn", "account", "missing"))
           .none(NO_REVISION, "revision"))
    yield (of_user("DeleteLoginProfile").refuses("missing", *no_such(f"Login Profile for User {NAME} cannot be found."))
           .none("takes away", "quota").none("is allowed in every state", "conflict"))


def access_keys():
    no_key = no_such(f"The Access Key with id {KEY} cannot be found.")
    yield (of_user("CreateAccessKey").none("is allowed in every state", "conflict")
           .refuses("quota", "LimitExceeded", 409, "Cannot exceed quota for AccessKeysPerUser: 2"))
    for name, good in (("DeleteAccessKey", {}), ("UpdateAccessKey", {"Status": "Active"})):
        yield reads(of_user(name, AccessKeyId=KEY, **good).refuses("missing", *no_key))


def roles():
    yield (of("CreateRole", "RoleName", None, AssumeRolePolicyDocument=TRUST_LAMBDA).none("makes what is not there", "missing")
           .refuses("conflict", "EntityAlreadyExists", 409, f"Role with name {NAME} already exists.")
           .refuses("quota", *TOO_MANY_TAGS, Tags=MANY_TAGS, RoleName="refused")
           .refuses("quota", *violation("maxSessionDuration", "Member must have value less than or equal to 43200"), RoleName="refused",
                    MaxSessionDuration=43201))
    for name in ("GetRole", "ListInstanceProfilesForRole", "ListRolePolicies", "ListRoleTags", "ListAttachedRolePolicies"):
        yield reads(of_role(name))
    yield (of_role("DeleteRole").none("takes away", "quota")
           .refuses("conflict", "DeleteConflict", 409, "Cannot delete entity, must detach all policies first."))
    yield (of_role("UpdateRole").none("is allowed in every state", "conflict")
           .refuses("quota", *violation("maxSessionDuration", "Member must have value less than or equal to 43200"),
                    MaxSessionDuration=43201))
    yield (of_role("UpdateRoleDescription", Description="d").none("is allowed in every state", "conflict")
           .refuses("quota", *violation("description", "Member must have length less than or equal to 1000"), Description="d" * 1001))
    yield (of_role("UpdateAssumeRolePolicy", PolicyDocument=TRUST_LAMBDA)
           .refuses("conflict", "MalformedPolicyDocument", 400, "This policy contains invalid Json", PolicyDocument="no json")
           .refuses("conflict", "MalformedPolicyDocument", 400, "Has prohibited field Resource",
                    PolicyDocument=TRUST_LAMBDA.replace('"Effect"', '"Resource": "*", "Effect"'))
           .held("quota", "test_refusals_quotas.py::test_policies_of_iam_have_sizes"))


def inline_policies():
    for kind, make in (("User", of_user), ("Role", of_role)):
        missing = no_such(f"The {kind.lower()} policy with name nobody cannot be found.")
        yield (make(f"Put{kind}Policy", PolicyName="other", PolicyDocument=DOCUMENT)
               .refuses("name", *invalid_name("policyName"), PolicyName="a b")
               .refuses("conflict", "MalformedPolicyDocument", 400, "This policy contains invalid Json", PolicyDocument="no json")
               .held("quota", "test_refusals_quotas.py::test_policies_of_iam_have_sizes"))
        for verb in ("Get", "Delete"):
            yield reads(make(f"{verb}{kind}Policy", PolicyName="inline").refuses("name", *invalid_name("policyName"), PolicyName="a b")
                        .refuses("missing", *missing, PolicyName="nobody"))


def attachments():
    for kind, make in (("User", of_user), ("Role", of_role)):
        for verb, words in (("Attach", "does not exist or is not attachable."), ("Detach", "was not found.")):
            op = make(f"{verb}{kind}Policy", PolicyArn=POLICY_ARN)
            op.nothing.pop("account")
            bad_arns(op)
            op.refuses("account", *no_such(f"Policy {FOREIGN} {words}"), PolicyArn=FOREIGN)
            op.refuses("missing", *no_such(f"Policy {NO_ARN} {words}"), PolicyArn=NO_ARN)
            if verb == "Attach":
                yield op.none("attaching again changes nothing", "conflict").held("quota", "test_refusals_quotas.py::test_ten_policies_attach")
            else:
                yield reads(op)


def policies():
    yield (Operation("iam", "CreatePolicy", PolicyName=NAME, PolicyDocument=DOCUMENT).none(NO_REVISION, "revision")
           .refuses("name", *invalid_name("policyName"), PolicyName="a b").refuses("arn", *invalid_name("policyName"), PolicyName=POLICY_ARN)
           .none(BY_NAME, "account").none("makes what is not there", "missing")
           .refuses("conflict", "EntityAlreadyExists", 409, f"A policy called {NAME} already exists. Duplicate names are not allowed.")
           .refuses("quota", *TOO_MANY_TAGS, Tags=MANY_TAGS, PolicyName="refused")
           .held("quota", "test_refusals_quotas.py::test_policies_of_iam_have_sizes"))
    for name in ("GetPolicy", "ListPolicyTags", "ListPolicyVersions", "ListEntitiesForPolicy"):
        yield reads(of_policy(name))
    yield (reads(Operation("iam", "ListPolicies")).none(NO_REVISION, "revision").none(BY_NAME, "arn", "account")
           .none("lists what there is", "missing")
           .refuses("name", *violation("pathPrefix", r"Member must satisfy regular expression pattern: ((/[A-Za-z0-9\.,\+@=_-]+)*)/"),
                    PathPrefix="no slash"))
    yield (of_policy("DeletePolicy").none("takes away", "quota")
           .refuses("conflict", "DeleteConflict", 409, "Cannot delete a policy attached to entities."))
    no_version = no_such(f"Policy {NO_ARN} version v1 does not exist or is not attachable.")
    bad_version = violation("versionId", r"Member must satisfy regular expression pattern: v[1-9][0-9]*(\.[A-Za-z0-9-]*)?")
    for name in ("GetPolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion"):
        op = of_policy(name, no_version, VersionId="v1")
        op.nothing.pop("name")
        op.refuses("name", *bad_version, VersionId="1")
        op.refuses("missing", *no_such(f"Policy {POLICY_ARN} version v9 does not exist or is not attachable."), VersionId="v9")
        if name == "DeletePolicyVersion":
            op.refuses("conflict", "DeleteConflict", 409, "Cannot delete the default version of a policy.").none("takes away", "quota")
        else:
            reads(op)
        yield op
    yield (of_policy("CreatePolicyVersion", PolicyDocument=DOCUMENT)
           .refuses("conflict", "MalformedPolicyDocument", 400, "This policy contains invalid Json", PolicyDocument="no json")
           .refuses("quota", "LimitExceeded", 409, "A managed policy can have up to 5 versions. Before you create a new version, you must"
                    " delete an existing version."))


def tags():
    for kind, make, twice in (("User", of_user, TWICE_ANY_CASE), ("Role", of_role, TWICE_ANY_CASE), ("Policy", of_policy, TWICE)):
        yield (make(f"Tag{kind}", Tags=[{"Key": "a", "Value": "1"}])
               .refuses("conflict", *twice, Tags=[{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}])
               .refuses("quota", *TOO_MANY_TAGS, Tags=MANY_TAGS)
               .refuses("quota", *violation("tags.1.member.key", "Member must have length less than or equal to 128"),
                        Tags=[{"Key": "k" * 129, "Value": "1"}]))
        yield (make(f"Untag{kind}", TagKeys=["a"]).none("is allowed in every state", "conflict")
               .refuses("quota", *TOO_MANY_KEYS, TagKeys=[f"k{number}" for number in range(51)]))


def sts():
    not_by_root = ("AccessDenied", 403, "Roles may not be assumed by root accounts.")
    op = Operation("sts", "AssumeRole", RoleArn=ROLE_ARN, RoleSessionName="session")
    for wrong in ("nothing-valid-in-here", POLICY_ARN, f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"):
        op.refuses("arn", *validation(f"{wrong} is invalid"), RoleArn=wrong)
    foreign = ROLE_ARN.replace(ACCOUNT, OTHER_ACCOUNT)
    yield (op.refuses("name", *validation(r"1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint:"
                                          r" Member must satisfy regular expression pattern: [\w+=,.@-]*"), RoleSessionName="Session1:2")
           .refuses("account", *not_by_root, RoleArn=foreign).refuses("missing", *not_by_root, RoleArn=ROLE_ARN + "-nothing")
           .refuses("conflict", *not_by_root).held("conflict", "test_identity.py::test_assume_role_weighs_trust_and_policy")
           .refuses("quota", *validation("1 validation error detected: Value '43201' at 'durationSeconds' failed to satisfy constraint: Member"
                                         " must have value less than or equal to 43200"), DurationSeconds=43201)
           .none("STS has no revisions", "revision"))
    yield Operation("sts", "GetCallerIdentity").none("names nothing and changes nothing", "name", "arn", "account", "missing", "conflict",
                                                     "quota", "revision")


def operations():
    for family in (users, access_keys, roles, inline_policies, attachments, policies, tags, sts):
        yield from family()
