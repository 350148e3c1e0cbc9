from pathlib import Path

import pytest

from local import template
from local.description import Function, Queue, QueueMapping, Rule, Schedule, StreamMapping, Target
from local.intrinsics import Scope, Unresolvable, resolve
from local.template import TemplateRefused

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[2]
FILTER = {"eventName": ["INSERT"], "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "EVT#"}]}}}}


def test_functions_come_with_their_environment_resolved(root: Path) -> None:
    work = template.read(root / "template.yaml").functions["Work"]
    assert work == Function(
        "Work",
        root / "functions/work",
        "app.handler",
        timeout=10,
        memory=512,
        environment={
            "LEADWIRE_TABLE": "Table",
            "LEADWIRE_BUS": "Bus",
            "LEADWIRE_DELIVERIES_QUEUE_URL": "https://sqs.mars-west-1.localhost/000000000000/WorkQueue",
            "LEADWIRE_KMS_KEY_ID": "arn:aws:kms:mars-west-1:000000000000:Key",
            "LEADWIRE_STAGE": "stage-dev",
        },
    )


def test_parameters_replace_defaults_and_decide_conditions(root: Path) -> None:
    stack = template.read(root / "template.yaml", {"Stage": "prod", "Retries": "7"})
    assert stack.functions["Work"].environment["LEADWIRE_STAGE"] == "production"
    assert stack.streams[0].retries == 7


def test_event_sources_queues_rules_and_schedules_are_read(root: Path) -> None:
    stack = template.read(root / "template.yaml")
    stream = "arn:aws:dynamodb:mars-west-1:000000000000:table/Table/stream/0"
    assert stack.streams == (
        StreamMapping(
            "RelayStream", stream, "Relay", (FILTER,), 4, 0, 2, 3600, bisect=True, partial=True, on_failure="Failures"
        ),
    )
    assert stack.queues["WorkQueue"] == Queue("WorkQueue", visibility=60, dead_letters="Failures", max_receives=3)
    assert stack.queue_mappings == (QueueMapping("WorkJobs", "WorkQueue", "Work", 5, 0, 2, partial=True),)
    assert stack.rules[0] == Rule(
        "ToWork",
        "Bus",
        {"source": ["leadwire"], "detail-type": [{"prefix": "thing."}]},
        (Target("sqs", "WorkQueue", group="owner"),),
    )
    tick = (Target("lambda", "Tick"),)
    assert stack.schedules == (
        Schedule("TickMinute", 60, "aws.events", tick),
        Schedule("TickSched2", 60, "aws.scheduler", tick),
    )
    assert {route.key for route in stack.routes} == {
        "GET /things/{id}",
        "POST /things",
        "GET /things/special",
        "ANY /files/{proxy+}",
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Type: AWS::KMS::Key", "Type: AWS::S3::Bucket", "Key: resources of type AWS::S3::Bucket are not supported"),
        ("VisibilityTimeout: 60", "FifoQueue: true", "WorkQueue: the property FifoQueue is not supported"),
        ("rate(1 minute)", "'cron(0 1 * * ? *)'", "TickMinute: the schedule cron(0 1 * * ? *) is not a rate"),
        ('[{"prefix":"EVT#"}]', '[{"near":"EVT#"}]', "the operator near is not supported"),
        ("AttributeName: expires_at", "AttributeName: ttl", "Table: the TTL must be expires_at"),
        ("!GetAtt WorkQueue.Arn", "!GetAtt Nowhere.Arn", "GetAtt of Nowhere, which is not a resource"),
        ("NEW_AND_OLD_IMAGES", "KEYS_ONLY", "Table: the stream must have both images"),
        ("$.detail.owner", "$.source", "ToWork: the group $.source is not a field of the detail"),
    ],
)
def test_what_is_not_known_is_refused_with_its_line(
    root: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    text = (root / "template.yaml").read_text()
    changed = tmp_path / "template.yaml"
    changed.write_text(text.replace(old, new))
    with pytest.raises(TemplateRefused) as refused:
        template.read(changed)
    assert message in str(refused.value)
    assert str(refused.value).startswith("template.yaml:")


def test_the_line_is_that_of_the_property(root: Path, tmp_path: Path) -> None:
    text = (root / "template.yaml").read_text().replace("VisibilityTimeout: 60", "FifoQueue: true")
    (tmp_path / "template.yaml").write_text(text)
    line = text.splitlines().index("      FifoQueue: true") + 1
    with pytest.raises(TemplateRefused, match=rf"^template.yaml:{line}: WorkQueue"):
        template.read(tmp_path / "template.yaml")


def test_what_sam_refuses_is_refused_in_its_words(root: Path, tmp_path: Path) -> None:
    text = (root / "template.yaml").read_text().replace("Method: POST", "Verb: POST")
    (tmp_path / "template.yaml").write_text(text)
    with pytest.raises(TemplateRefused, match="Echo"):
        template.read(tmp_path / "template.yaml")


def test_an_unknown_parameter_is_refused(root: Path) -> None:
    with pytest.raises(TemplateRefused, match="no parameter Nope"):
        template.read(root / "template.yaml", {"Nope": "1"})


def test_leadwires_own_template_is_understood() -> None:
    stack = template.read(REPOSITORY / "template.yaml", {"Stage": "local"})
    folders = {path.parent.name for path in (REPOSITORY / "functions").glob("*/app.py")}
    assert folders <= {function.folder.name for function in stack.functions.values()}
    assert stack.streams
    assert stack.queue_mappings


SCOPE = Scope(
    {"Stage": "dev", "Zones": ["a", "b"]},
    {"IsDev": {"Fn::Equals": [{"Ref": "Stage"}, "dev"]}, "Never": {"Fn::Not": [{"Condition": "IsDev"}]}},
    {"Jobs": "AWS::SQS::Queue", "Table": "AWS::DynamoDB::Table"},
    {"Sizes": {"dev": {"memory": 128}}},
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Stage"}, "dev"),
        ({"Ref": "Jobs"}, "https://sqs.mars-west-1.localhost/000000000000/Jobs"),
        ({"Ref": "AWS::Region"}, "mars-west-1"),
        ({"Fn::GetAtt": ["Jobs", "QueueName"]}, "Jobs"),
        ({"Fn::GetAtt": "Jobs.Arn"}, "arn:aws:sqs:mars-west-1:000000000000:Jobs"),
        (
            {"Fn::Sub": "${Stage}-${Table.Arn}-${!Literal}"},
            "dev-arn:aws:dynamodb:mars-west-1:000000000000:table/Table-${Literal}",
        ),
        ({"Fn::Sub": ["${Own}", {"Own": {"Ref": "Stage"}}]}, "dev"),
        ({"Fn::If": ["IsDev", "yes", "no"]}, "yes"),
        ({"Fn::If": ["Never", "yes", "no"]}, "no"),
        ({"kept": 1, "gone": {"Fn::If": ["Never", 1, {"Ref": "AWS::NoValue"}]}}, {"kept": 1}),
        ([1, {"Ref": "AWS::NoValue"}], [1]),
        ({"Fn::Join": ["-", ["a", {"Ref": "Stage"}]]}, "a-dev"),
        ({"Fn::Select": [1, {"Ref": "Zones"}]}, "b"),
        ({"Fn::Split": [",", "a,b"]}, ["a", "b"]),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "memory"]}, 128),
        ({"Fn::And": [{"Condition": "IsDev"}, {"Condition": "Never"}]}, False),
        ({"Fn::Or": [{"Condition": "IsDev"}, {"Condition": "Never"}]}, True),
        ({"Condition": {"ArnEquals": 1}}, {"Condition": {"ArnEquals": 1}}),
    ],
)
def test_intrinsic_functions_are_resolved(value: object, expected: object) -> None:
    assert resolve(value, SCOPE) == expected


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "Nobody"},
        {"Fn::GetAtt": ["Nobody", "Arn"]},
        {"Fn::ImportValue": "x"},
        {"Fn::If": ["Unknown", 1, 2]},
        {"Fn::FindInMap": ["Sizes", "prod", "memory"]},
    ],
)
def test_what_cannot_be_resolved_is_refused(value: object) -> None:
    with pytest.raises(Unresolvable):
        resolve(value, SCOPE)
