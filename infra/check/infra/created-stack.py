"""Makes the stack of a plain template by moto, a CloudFormation that shares nothing with ours, and asks its services what
came of it. Without a network: moto answers within this process.

created-stack.py TEMPLATE ZIP REGION: prints a JSON list of {"rule", "resource", "message"}, a line of what differs from the template:
a type or property that moto does not make, or one that is not as the template says.
"""

import ast
import base64
import copy
import hashlib
import json
import logging
import os
import sys

# moto takes any; without them the SDK looks for a real account.
os.environ.update(AWS_ACCESS_KEY_ID="moto", AWS_SECRET_ACCESS_KEY="moto", AWS_DEFAULT_REGION=sys.argv[3])

import boto3
from moto import mock_aws
from moto.cloudformation import cloudformation_backends, parsing
from moto.core import DEFAULT_ACCOUNT_ID

STACK = "token-relay"
REGION = os.environ["AWS_DEFAULT_REGION"]
BUCKET = "artifacts"
# What moto does not make is told by the findings.
logging.disable(logging.WARNING)


def referred(value):
    """Logical ids in a value."""
    if isinstance(value, list):
        return {name for item in value for name in referred(item)}
    if not isinstance(value, dict):
        return set()
    if isinstance(value.get("Ref"), str):
        return {value["Ref"]}
    if "Fn::GetAtt" in value:
        return {value["Fn::GetAtt"][0]}
    return {name for item in value.values() for name in referred(item)}


def makeable(template, findings):
    """The template without what moto has no type for or what needs more than the stack, and what refers to that."""
    made = copy.deepcopy(template)
    gone = set()
    for name, resource in template["Resources"].items():
        if parsing.resource_class_from_type(resource["Type"]) is None:
            gone.add(name)
            findings.append(finding(resource["Type"], name, "moto has no such type"))
        elif isinstance(resource["Properties"].get("EventSourceArn"), str):
            gone.add(name)
            findings.append(finding(resource["Type"], name, "its queue is not of this stack"))
    for name in gone:
        del made["Resources"][name]
    for name, resource in list(made["Resources"].items()):
        lost = referred(resource["Properties"]) & gone
        if lost:
            del made["Resources"][name]
            findings.append(finding(resource["Type"], name, f"refers to {', '.join(sorted(lost))}"))
    outputs = made.get("Outputs", {})
    made["Outputs"] = {name: output for name, output in outputs.items() if not referred(output["Value"]) & gone}
    return made


def finding(rule, resource, message):
    return {"rule": rule, "resource": resource, "message": message}


def tags(tell):
    """As CloudFormation writes them, in order; the services tell them as a map or as a list."""
    try:
        told = tell()
    # moto keeps a template's tags as a list, also where its own answer needs a map, and then fails to tell them.
    except AttributeError:
        return {}
    if isinstance(told, list) and all(isinstance(tag, dict) for tag in told):
        told = {tag["Key"]: tag["Value"] for tag in told}
    if isinstance(told, dict):
        told = [{"Key": key, "Value": value} for key, value in sorted(told.items())]
    return {"Tags": told} if told else {}


class Services:
    """What the services tell of a resource, as properties of CloudFormation; absent: they tell nothing of it."""

    def __init__(self, zip_bytes):
        self.code = base64.b64encode(hashlib.sha256(zip_bytes).digest()).decode()
        self.sqs, self.functions, self.iam, self.logs, self.sns, self.cloudwatch = (
            boto3.client(name) for name in ("sqs", "lambda", "iam", "logs", "sns", "cloudwatch")
        )

    def queue(self, _, properties):
        url = self.sqs.get_queue_url(QueueName=properties["QueueName"])["QueueUrl"]
        told = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        numbers = {name: json.loads(value) for name, value in told.items() if value in ("true", "false") or value.isdigit()}
        redrive = {name: json.loads(told[name]) for name in ("RedrivePolicy", "RedriveAllowPolicy") if name in told}
        tagged = tags(lambda: self.sqs.list_queue_tags(QueueUrl=url).get("Tags"))
        return {**told, **numbers, **redrive, **tagged, "QueueName": url.split("/")[-1]}

    def function(self, _, properties):
        told = self.functions.get_function_configuration(FunctionName=properties["FunctionName"])
        concurrency = self.functions.get_function_concurrency(FunctionName=properties["FunctionName"])
        reserved = {name: concurrency[name] for name in ("ReservedConcurrentExecutions",) if name in concurrency}
        tagged = tags(lambda: self.functions.list_tags(Resource=told["FunctionArn"])["Tags"])
        network = {name: ids for name, ids in told.get("VpcConfig", {}).items() if name != "VpcId"}
        # The parameters are only a way to the zip: what counts is that this one is there.
        return {**told, **reserved, **tagged, "VpcConfig": network, "Code": properties["Code"] if told["CodeSha256"] == self.code else told["CodeSha256"]}

    def mapping(self, identifier, _):
        told = self.functions.get_event_source_mapping(UUID=identifier)
        name = told["FunctionArn"].split(":")[-1]
        tagged = tags(lambda: self.functions.list_tags(Resource=told["EventSourceMappingArn"])["Tags"])
        return {**told, **tagged, "FunctionName": name, "Enabled": told["State"] == "Enabled"}

    def permission(self, _, properties):
        policy = json.loads(self.functions.get_policy(FunctionName=properties["FunctionName"])["Policy"])
        (statement,) = policy["Statement"]
        source = statement.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn")
        return {
            "FunctionName": statement["Resource"],
            "Action": statement["Action"],
            "Principal": statement["Principal"]["Service"],
            "SourceArn": source,
        }

    def role(self, identifier, _):
        names = self.iam.list_role_policies(RoleName=identifier)["PolicyNames"]
        attached = self.iam.list_attached_role_policies(RoleName=identifier)["AttachedPolicies"]
        policies = [self.iam.get_role_policy(RoleName=identifier, PolicyName=name) for name in names]
        told = self.iam.get_role(RoleName=identifier)["Role"]
        boundary = told.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        return {
            **tags(lambda: told.get("Tags")),
            **({"PermissionsBoundary": boundary} if boundary else {}),
            "AssumeRolePolicyDocument": told["AssumeRolePolicyDocument"],
            # moto keeps a document that a template brings as Python writes it.
            "Policies": [
                {"PolicyName": policy["PolicyName"], "PolicyDocument": ast.literal_eval(policy["PolicyDocument"])}
                for policy in policies
            ],
            "ManagedPolicyArns": [policy["PolicyArn"] for policy in attached],
        }

    def managed_policy(self, identifier, _):
        version = self.iam.get_policy(PolicyArn=identifier)["Policy"]["DefaultVersionId"]
        told = self.iam.get_policy_version(PolicyArn=identifier, VersionId=version)
        return {"PolicyDocument": told["PolicyVersion"]["Document"]}

    def log_group(self, _, properties):
        (told,) = self.logs.describe_log_groups(logGroupNamePrefix=properties["LogGroupName"])["logGroups"]
        key = {"KmsKeyId": told["kmsKeyId"]} if "kmsKeyId" in told else {}
        tagged = tags(lambda: self.logs.list_tags_log_group(logGroupName=told["logGroupName"])["tags"])
        return {"LogGroupName": told["logGroupName"], "RetentionInDays": told.get("retentionInDays"), **key, **tagged}

    def topic(self, identifier, _):
        tagged = tags(lambda: self.sns.list_tags_for_resource(ResourceArn=identifier)["Tags"])
        name = self.sns.get_topic_attributes(TopicArn=identifier)["Attributes"]["TopicArn"].split(":")[-1]
        return {"TopicName": name, **tagged}

    def dashboard(self, _, properties):
        told = self.cloudwatch.get_dashboard(DashboardName=properties["DashboardName"])
        return {"DashboardName": told["DashboardName"], "DashboardBody": told["DashboardBody"]}

    READERS = {
        "AWS::SQS::Queue": queue,
        "AWS::Lambda::Function": function,
        "AWS::Lambda::EventSourceMapping": mapping,
        "AWS::Lambda::Permission": permission,
        "AWS::IAM::Role": role,
        "AWS::IAM::ManagedPolicy": managed_policy,
        "AWS::Logs::LogGroup": log_group,
        "AWS::SNS::Topic": topic,
        "AWS::CloudWatch::Dashboard": dashboard,
    }


def differences(name, resource, identifier, resources, services):
    """A finding for each property that is not as the template says; values that moto fills in are filled in by moto."""
    properties = parsing.clean_json(resource["Properties"], resources)
    told = Services.READERS[resource["Type"]](services, identifier, properties)
    for key, value in properties.items():
        if told.get(key) != value:
            found = "is not there" if key not in told else f"is {json.dumps(told[key])}"
            yield finding(f"{resource['Type']}.{key}", name, f"{found}, expected {json.dumps(value)}")


@mock_aws
def main(template_path, zip_path):
    with open(template_path, encoding="utf-8") as file:
        template = json.load(file)
    with open(zip_path, "rb") as file:
        zip_bytes = file.read()
    findings = []
    made = makeable(template, findings)
    key = f"token-relay/{hashlib.sha256(zip_bytes).hexdigest()}.zip"
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=BUCKET, Key=key, Body=zip_bytes)
    s3.put_object(Bucket=BUCKET, Key="template", Body=json.dumps(made))
    cloudformation = boto3.client("cloudformation")
    parameters = {"ArtifactBucket": BUCKET, "ArtifactKey": key}
    try:
        cloudformation.create_stack(
            StackName=STACK,
            TemplateURL=f"https://{BUCKET}.s3.{REGION}.amazonaws.com/template",
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        )
    # Where a template is wrong, moto refuses it by an error of its own or of Python.
    except Exception as error:
        print(json.dumps([*findings, finding("stack", STACK, repr(error))]))
        return
    (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    if stack["StackStatus"] != "CREATE_COMPLETE":
        findings.append(finding("stack", STACK, stack["StackStatus"]))
    (backend,) = cloudformation_backends[DEFAULT_ACCOUNT_ID][REGION].stacks.values()
    summaries = cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK)
    identifiers = {
        summary["LogicalResourceId"]: summary.get("PhysicalResourceId")
        for page in summaries
        for summary in page["StackResourceSummaries"]
    }
    services = Services(zip_bytes)
    for name, resource in made["Resources"].items():
        if identifiers.get(name) is None:
            findings.append(finding(resource["Type"], name, "was not made"))
            continue
        findings.extend(differences(name, resource, identifiers[name], backend.resource_map, services))
    print(json.dumps(findings))


main(*sys.argv[1:3])
