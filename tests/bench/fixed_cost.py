"""What a night over few rows costs: python -m tests.bench.fixed_cost CUSTOMERS BUILD

A province of few customers with its history in the warehouse, then one night of one day. The rival
is the same night with the properties of large runs (runtime.yml, without spark.few_rows).
"""

import json
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

HISTORY, DAY = "2009-05-02", "2009-05-03"
COMPILED = "spark: {few_rows: null}\n"


def run(*command: str) -> None:
    """Run a module of the project; it has to succeed."""
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def profiled(build: Path, name: str, *conf: str) -> dict:
    """The costs of the night over a copy of the warehouse, with Spark's counts by step."""
    folder = build / name
    shutil.copytree(build / "warehouse", folder / "warehouse")
    shutil.copytree(build / "push", folder / "push")
    night = ["--data-date", DAY, "--landing", str(build / "landing")]
    places = ["--warehouse", str(folder / "warehouse"), "--push", str(folder / "push")]
    run("tests.bench.profiled_night", str(folder / "profile"), *conf, *night, *places)
    costs = json.loads((folder / "profile" / "costs.json").read_text(encoding="utf-8"))
    for step, counts in spark_counts(folder / "profile" / "events", set(costs["steps"])).items():
        costs["steps"].setdefault(step, {}).update(counts)
    return costs


def spark_counts(events: Path, steps: set[str]) -> dict[str, Counter]:
    """Jobs, stages, tasks and their processor seconds by step, from Spark's log of events."""
    found: dict[str, Counter] = defaultdict(Counter)
    step_of: dict[int, str] = {}
    log = next(events.iterdir()).read_text(encoding="utf-8").rstrip("\n")
    for line in log.split("\n"):  # names in it hold other characters that end a line
        event = json.loads(line)
        if event["Event"] == "SparkListenerJobStart":
            named = (event.get("Properties") or {}).get("spark.job.description")
            step = named if named in steps else "(run)"
            found[step]["jobs"] += 1
            for stage in event["Stage Infos"]:
                step_of.setdefault(stage["Stage ID"], step)
        elif event["Event"] == "SparkListenerStageCompleted":
            found[step_of[event["Stage Info"]["Stage ID"]]]["stages"] += 1
        elif event["Event"] == "SparkListenerTaskEnd":
            spent = event.get("Task Metrics") or {}
            of_step = found[step_of[event["Stage ID"]]]
            of_step["tasks"] += 1
            of_step["in tasks"] += spent.get("Executor CPU Time", 0) / 1e9
            of_step["in tasks"] += spent.get("Executor Deserialize CPU Time", 0) / 1e9
    return found


def table(costs: dict) -> list[str]:
    """Where the seconds of a night went."""
    steps, java = costs["steps"], dict(costs["java"])
    heads = ("wall", "python", "java", "in tasks", "jobs", "stages", "tasks", "commits")
    sums = Counter[str]()
    lines = [f"  {'step':<30}" + "".join(f"{head:>10}" for head in heads)]
    for name, of in sorted(steps.items(), key=lambda one: -one[1].get("wall", 0)):
        lines.append(f"  {name:<30}" + "".join(f"{of.get(head, 0):>10.4g}" for head in heads))
        sums.update({head: of.get(head, 0) for head in heads})
    lines.append(f"  {'all':<30}" + "".join(f"{sums[head]:>10.4g}" for head in heads))
    threads = ", ".join(f"{name} {seconds:.1f}" for name, seconds in java.pop("threads").items())
    spent = {**costs["parts"], **java}
    lines += [f"  {part:<30}{amount:>10.4g}" for part, amount in spent.items()]
    return [*lines, f"  threads of Java, processor seconds: {threads}"]


def processor(costs: dict) -> float:
    return costs["python"] + costs["java"]["processor"]


def main(customers: int, build: Path) -> None:
    """Make the province, load its history, run and print both nights."""
    shutil.rmtree(build, ignore_errors=True)
    landing = ("--landing", str(build / "landing"))
    made = ("--customers", str(customers), "--seed", "7", "--data-date", DAY)
    run("jobs.synthesize", *made, *landing, "--truth", str(build / "truth"))
    kept = ("--warehouse", str(build / "warehouse"), "--push", str(build / "push"))
    run("jobs.night", "--history", "4", "--data-date", HISTORY, *landing, *kept)
    conf = build / "conf"
    conf.mkdir()
    (conf / "runtime.yml").write_text(COMPILED, encoding="utf-8")
    few = profiled(build, "few")
    large = profiled(build, "large", "--conf", "conf", "--conf", str(conf))
    print(f"one night of one day, {customers} customers, with the properties for few rows:")
    print("\n".join(table(few)))
    print("with those of large runs:")
    print("\n".join(table(large)))
    for name, costs in (("few rows", few), ("large", large)):
        print(f"{name}: {processor(costs):.1f} s of processors, {costs['wall']:.1f} s of wall time")
    print(f"few rows : large = 1 : {processor(large) / processor(few):.2f} of processor seconds")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
