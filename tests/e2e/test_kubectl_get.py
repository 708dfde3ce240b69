"""`kubectl get` and `describe` in all their forms, on the walkthrough."""
import json
import re

import pytest
import yaml

from conftest import until

AGE = r"\d+[smh]"


def rows(text):
    """A table's cells: columns are apart by at least three blanks."""
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]


@pytest.mark.short
def test_a_gateway_in_a_table(applied):
    header, row = rows(applied.kubectl("get", "gateway"))
    assert header == ["NAME", "CLASS", "ADDRESS", "PROGRAMMED", "AGE"]
    assert row[:4] == ["models", "models", applied.address, "True"] and re.fullmatch(AGE, row[4])


@pytest.mark.parametrize("what,header,row", [
    ("gatewayclass", "NAME CONTROLLER ACCEPTED AGE", "models gateway.envoyproxy.io/gatewayclass-controller True"),
    ("httproute", "NAME HOSTNAMES AGE", "models"),
    ("inferencemodel/travelhelper", "NAME MODEL.NAME INFERENCE.POOL CRITICALITY AGE",
     "travelhelper travelhelper pool-base Critical"),
    ("deployment/base", "NAME READY UP-TO-DATE AVAILABLE AGE", "base 1/1 1 1"),
    ("replicaset", "NAME DESIRED CURRENT READY AGE", "base-[0-9a-z]+ 1 1 1"),
    ("pod", "NAME READY STATUS RESTARTS AGE", "base-[0-9a-z]+-[0-9a-z]+ 1/1 Running 0"),
    ("service/base", r"NAME TYPE CLUSTER-IP EXTERNAL-IP PORT\(S\) AGE", "base ClusterIP <none> <none> 8000/TCP"),
    ("namespace/default", "NAME STATUS AGE", "default Active"),
])
def test_each_kind_has_its_columns(applied, what, header, row):
    lines = applied.kubectl("get", what).splitlines()
    assert re.fullmatch(header.replace(" ", r"\s+"), lines[0].strip()), lines[0]
    assert re.match(row.replace(" ", r"\s+"), lines[1]) and re.search(rf"\s{AGE}$", lines[1]), lines[1]


def test_wide_tables_have_more_columns(applied):
    header, row, *_ = applied.kubectl("get", "pods", "-l", "version=base", "-o", "wide").splitlines()
    assert re.search(r"AGE\s+IP\s+NODE", header) and re.search(r"\s127\.\d+\.\d+\.\d+\s", row)
    header, row = applied.kubectl("get", "deploy", "base", "-o", "wide").splitlines()
    assert re.search(r"CONTAINERS\s+IMAGES\s+SELECTOR", header)
    assert re.search(r"server\s+registry.example/qwen:1\s+app=llm,version=base", row)


def test_yaml_json_and_name_tell_of_the_same_object(applied):
    kubectl = applied.kubectl
    from_yaml = yaml.safe_load(kubectl("get", "httproute", "models", "-o", "yaml"))
    assert from_yaml == kubectl.json("get", "httproute", "models")
    assert (from_yaml["apiVersion"], from_yaml["kind"]) == ("gateway.networking.k8s.io/v1", "HTTPRoute")
    assert [ref["weight"] for ref in from_yaml["spec"]["rules"][0]["backendRefs"]] == [90, 10]
    assert kubectl("get", "httproute", "-o", "name") == "httproute.gateway.networking.k8s.io/models\n"


def test_jsonpath_custom_columns_and_templates_pick_fields(applied):
    kubectl = applied.kubectl
    path = "jsonpath={range .items[*]}{.metadata.name}={.spec.replicas} {end}"
    assert kubectl("get", "deploy", "-o", path) == "base=1 candidate=1 "
    columns = "custom-columns=NAME:.metadata.name,WEIGHTS:.spec.rules[*].backendRefs[*].weight"
    assert rows(kubectl("get", "httproutes", "-o", columns)) == [["NAME", "WEIGHTS"], ["models", "90,10"]]
    template = '{{range .status.conditions}}{{.type}}={{.status}} {{end}}'
    assert "Programmed=True " in kubectl("get", "gtw", "models", "-o", f"go-template={template}")


@pytest.mark.short
def test_selectors_of_labels_and_fields(applied):
    def names(*arguments):
        return applied.kubectl("get", "deploy", "-o", "jsonpath={.items[*].metadata.name}", *arguments)

    assert names("-l", "version=base") == "base"
    assert names("-l", "version!=base") == "candidate"
    assert names("-l", "version in (base,candidate),app") == "base candidate"
    assert names("-l", "version notin (base)") == "candidate"
    assert names("-l", "!version") == ""
    assert names("--field-selector", "metadata.name=candidate") == "candidate"
    assert names("--field-selector", "metadata.name!=candidate") == "base"
    said = applied.kubectl.refused("get", "deploy", "--field-selector", "spec.replicas=1")
    assert said.startswith("Error from server (BadRequest)") and "spec.replicas" in said
    running = applied.kubectl("get", "pods", "--field-selector", "status.phase=Running", "-o", "name")
    assert running.count("pod/") == 2


def test_all_namespaces_and_label_columns(applied):
    lines = applied.kubectl("get", "deploy", "-A", "-L", "version", "--show-labels").splitlines()
    assert re.match(r"NAMESPACE\s+NAME\s.*\sVERSION\s+LABELS$", lines[0])
    assert re.match(r"default\s+base\s.*\sbase\s+app=llm,version=base$", lines[1])
    assert re.match(r"default\s+candidate\s", lines[2])


def test_lists_are_sorted_and_paged_as_asked(applied):
    kubectl = applied.kubectl
    by_name = kubectl("get", "deploy", "--sort-by=.metadata.name", "--no-headers")
    assert [row[0] for row in rows(by_name)] == ["base", "candidate"]
    assert kubectl("get", "deploy", "--chunk-size=1", "-o", "name") == kubectl("get", "deploy", "-o", "name")


def test_several_kinds_categories_and_short_names(applied):
    names = applied.kubectl("get", "gc,gtw,deploy,xinfpool", "-o", "name").split()
    assert names == ["gatewayclass.gateway.networking.k8s.io/models", "gateway.gateway.networking.k8s.io/models",
                     "deployment.apps/base", "deployment.apps/candidate",
                     "inferencepool.inference.networking.x-k8s.io/pool-base",
                     "inferencepool.inference.networking.x-k8s.io/pool-candidate"]
    everything = applied.kubectl("get", "all", "-o", "name")
    assert all(f"{kind}/" in everything for kind in ("pod", "service", "deployment.apps", "replicaset.apps"))
    assert "httproute.gateway.networking.k8s.io/models" in applied.kubectl("get", "gateway-api", "-o", "name")
    pools = applied.kubectl("get", "inferencepools", "-o", "name").split()
    assert pools[0] == "inferencepool.inference.networking.x-k8s.io/pool-base"


@pytest.mark.short
def test_what_is_not_there_is_told_as_on_a_cluster(applied):
    kubectl = applied.kubectl
    assert kubectl.refused("get", "httproute", "nope") == (
        'Error from server (NotFound): httproutes.gateway.networking.k8s.io "nope" not found\n')
    assert kubectl.refused("get", "svc", "nope") == 'Error from server (NotFound): services "nope" not found\n'
    assert 'the server doesn\'t have a resource type "unicorns"' in kubectl.refused("get", "unicorns")
    assert kubectl("get", "httproute", "nope", "--ignore-not-found") == ""
    ended = kubectl.run("get", "pods", "-n", "no-such-namespace")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr == "No resources found in no-such-namespace namespace.\n"


def test_raw_paths_are_read_as_they_are(applied):
    for page in ("/healthz", "/livez", "/readyz"):
        assert applied.kubectl("get", "--raw", page) == "ok"
    listed = json.loads(applied.kubectl("get", "--raw", "/apis/gateway.networking.k8s.io/v1/gateways"))
    assert listed["kind"] == "GatewayList" and len(listed["items"]) == 1


def test_managed_fields_are_shown_when_asked_for(applied):
    shown = applied.kubectl.json("get", "httproute", "models", "--show-managed-fields")
    managers = {entry["manager"]: entry["operation"] for entry in shown["metadata"]["managedFields"]}
    assert managers["kubectl-client-side-apply"] == "Update"
    assert "managedFields" not in applied.kubectl.json("get", "httproute", "models")["metadata"]


def test_a_gateway_is_described_with_its_conditions_and_events(applied):
    text = applied.kubectl("describe", "gateway", "models")
    assert re.search(r"^Name:\s+models$", text, re.M)
    assert re.search(r"Type:\s+Programmed$", text, re.M) and re.search(r"Value:\s+" + applied.address, text)
    assert re.search(r"^Events:", text, re.M)


@pytest.mark.parametrize("what,words", [
    ("httproute/models", ["Weight:", "pool-candidate"]),
    ("xinfpool/pool-base", ["Target Port Number:", "8000"]),
    ("deployment/base", ["Replicas:", "1 desired", "NewReplicaSet:", "base-", "ScalingReplicaSet"]),
    ("service/base", ["Selector:", "app=llm,version=base", "TargetPort:", "Endpoints:"]),
    ("namespace/default", ["Status:", "Active"]),
    ("gatewayclass/models", ["Controller Name:", "Accepted"]),
])
def test_other_kinds_are_described(applied, what, words):
    text = applied.kubectl("describe", what)
    assert all(word in text for word in words), text


def test_a_pod_is_described_with_its_events(applied):
    def described():
        text = applied.kubectl("describe", "pods", "-l", "version=base")
        return text if "Started" in text else None

    text = until(described, "the event of the start")
    assert re.search(r"^Status:\s+Running$", text, re.M) and re.search(r"^IP:\s+127\.", text, re.M)
    assert "Controlled By:  ReplicaSet/base-" in text
