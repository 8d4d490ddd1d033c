"""Runs the cases against both brokers and compares: main.py FOLDER [API[/CASE]...]."""

import importlib
import sys
import threading
import time
import traceback
from pathlib import Path

from broker import Broker
from case import CASES, Context, shown
from compare import Allowed, Normalizer, differences
from schema import APIS

MODULES = ("frames", "metadata", "topics", "configs", "produce", "fetch", "offsets", "groups", "group_offsets", "logs")
"""The files of cases/, in the order in which they run."""

FEATURES = {"metadata.version"}
"""The features whose levels are compared: the others belong to APIs that Ottla does not serve yet."""


def wanted(api, name, only):
    return not only or any(api == one.partition("/")[0] and one.partition("/")[2] in name for one in only)


def prepare(context):
    """Waits until groups are served and producer ids are given."""
    groups = [f"prepared-{index}" for index in range(32)]
    context.until("FindCoordinator", {"CoordinatorKeys": groups[:1]},
                  lambda answer: not answer["Coordinators"][0]["ErrorCode"])
    context.leads("__consumer_offsets", 4)
    context.until("OffsetFetch", {"Groups": [{"GroupId": group, "Topics": None} for group in groups]},
                  lambda answer: not any(group["ErrorCode"] for group in answer["Groups"]))
    context.producer()
    context.close()


def play(broker, latest, plan, seen):
    """Runs the plan on one broker; `seen` gets what each case saw."""
    for api, name, version, steps in plan:
        context = Context(broker, latest, api, name, version)
        normalizer, begun = Normalizer({context.unique: "<case>"} | broker.hidden), time.monotonic()
        try:
            steps(context)
            for topic_id in context.ids.values():
                normalizer.nth("uuid", topic_id)
            seen.append([(f"{asked} {at}", normalizer.answer(asked, only_served(answer, latest))) for asked, at, answer
                         in context.seen])
        except Exception:
            seen.append(traceback.format_exc().replace(context.unique, "<case>"))
        finally:
            context.close()
            if time.monotonic() - begun > 5:
                print(f"slow: {api} {version} {name}: {time.monotonic() - begun:.1f} s on {broker.name}", flush=True)


def only_served(answer, latest):
    """An ApiVersions answer without what Ottla does not serve yet: the APIs, and the features that go with them."""
    if not isinstance(answer, dict) or "ApiKeys" not in answer:
        return answer
    served = {APIS[api][0].key for api in latest}
    features = {field: [] for field in ("SupportedFeatures", "FinalizedFeatures") if field in answer}
    for field in features:
        features[field] = [feature for feature in answer[field] if feature["Name"] in FEATURES]
    return answer | features | {"ApiKeys": [api for api in answer["ApiKeys"] if api["ApiKey"] in served]}


def verdict(api, name, version, reference, ottla, allowed):
    """The lines that say what is wrong with a case; none if nothing is."""
    for who, seen in (("reference", reference), ("ottla", ottla)):
        if isinstance(seen, str):
            return [f"{who} could not be asked: {seen}"]
    if len(reference) != len(ottla) or not reference:
        return [f"the reference gave {len(reference)} answers, ottla {len(ottla)}"]
    found = []
    for index, ((asked, expected), (_, given)) in enumerate(zip(reference, ottla), 1):
        for path, one, other in differences(f"{index}", expected, given):
            if not allowed.covers(api, version, name, f"{path}: {shown(one)} / {shown(other)}"):
                found.append(f"{path} ({asked.partition(' ')[0]}): reference {shown(one)}, ottla {shown(other)}")
    return found


def advertised(reference, ottla):
    """Prints what Ottla does not serve yet; the versions that both serve, and what is wrong with what it advertises."""
    common, not_yet, wrong = {}, [], []
    for api, (lowest, highest) in reference.versions.items():
        if api not in ottla.versions:
            not_yet.append(f"{api} {lowest}-{highest}")
        elif ottla.versions[api] != (lowest, highest):
            wrong.append(f"{api}: reference {lowest}-{highest}, ottla {ottla.versions[api]}")
        else:
            common[api] = range(max(lowest, 3) if api == "Produce" else lowest, highest + 1)
    wrong += [f"{api}: the reference does not serve it" for api in ottla.versions if api not in reference.versions]
    print("not yet:", ", ".join(not_yet))
    return common, wrong


def main(folder, *only):
    for module in MODULES:
        importlib.import_module(f"cases.{module}")
    brokers = [Broker(name, Path(folder)) for name in ("reference", "ottla")]
    common, wrong = advertised(*brokers)
    latest = {api: versions[-1] for api, versions in common.items()}
    plan = [(api, name, version, steps) for api, name, versions, steps in CASES if wanted(api, name, only)
            for version in common.get(api, ()) if versions is None or version in versions]
    covered = {(api, version) for api, _, version, _ in plan}
    if not only:
        wrong += [f"no case for {api} {version}" for api in common for version in common[api]
                  if (api, version) not in covered]
    for broker in brokers:
        prepare(Context(broker, latest, "Metadata", "prepare", 0))
    seen = [[], []]
    players = [threading.Thread(target=play, args=(broker, latest, plan, into)) for broker, into in zip(brokers, seen)]
    for player in players:
        player.start()
    for player in players:
        player.join()
    allowed, failures = Allowed(), {}
    for (api, name, version, _), reference, ottla in zip(plan, *seen):
        problems = verdict(api, name, version, reference, ottla, allowed)
        if problems:
            failures.setdefault((api, name, tuple(problems)), []).append(version)
    if not only:
        wrong += [f"allowed, but not seen: {row}" for row in allowed.unused()]
    for line in wrong:
        print("FAILED ", line)
    for (api, name, problems), versions in failures.items():
        shown_versions = ",".join(map(str, versions))
        print(f"FAILED  {api} {shown_versions} {name}:", *problems, sep="\n        ")
    failed = len(wrong) + sum(map(len, failures.values()))
    print(f"{len(plan) - sum(map(len, failures.values()))} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    sys.exit(main(*sys.argv[1:]))
