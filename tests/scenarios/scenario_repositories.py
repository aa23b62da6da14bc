"""A project in a git repository, applied once, whose edits a plan has to explain."""

import os
import subprocess

PROJECT = """\
apiVersion: taskspec/v1
kind: Project
metadata: {name: sales}
spec:
  agents:
    echo: {command: [cat]}
    other: {command: [cat]}
  env: {allow: [TEAM_NAME]}
  variables:
    region: {type: string, default: EMEA}
    tone:
      type: string
      default: plain
    token: {type: string, default: s3cret-canary, sensitive: true}
  environments:
    prod:
      variables:
        region: APAC
  defaults:
    - spec: {thinkMode: harder}
    - match: {labels: {team: growth}}
      spec:
        expectedOutput: Short and
          friendly.
    - match: {labels: {team: legal}}
      spec: {expectedOutput: Long and exact.}
"""

TASKS = """\
apiVersion: taskspec/v1
kind: Task
metadata:
  name: extract
  labels:
    team: growth
spec:
  agent: echo
  prompt: |
    You look after the numbers of {{ vars.region }}.

    1. Read the table.
    2. Add up the totals.
    3. Compare with last year.
    4. Name the largest change.
    5. Write in a {{ vars.tone }} tone.
  timeout: 1m
  assertions:
    - {minLength: 1}
    - {maxLength: 5000}
---
apiVersion: taskspec/v1
kind: Task
metadata: {name: report}
spec:
  agent: echo
  prompt: |
    A report on:
    {{ tasks.extract.result }}
    End of the report.
---
apiVersion: taskspec/v1
kind: Task
metadata: {name: letter}
spec:
  agent: echo
  prompt: |
    {% import 'words.md' as words %}
    {{ words.greeting('Ada') }}
    {% include 'context/house.md' %}

    Yours, {{ env.TEAM_NAME }} ({{ vars.token }})
  files: [data/sales.csv]
---
apiVersion: taskspec/v1
kind: Task
metadata: {name: market}
spec:
  agent: echo
  matrix:
    quarter: [q1, q2]
    include:
      - {quarter: q1, owner: Bo}
      - {quarter: q2, owner: Cy}
  prompt: Sum up {{ matrix.quarter }} for {{ matrix.owner }}.
---
apiVersion: taskspec/v1
kind: Task
metadata: {name: region}
spec:
  agent: echo
  forEach: {file: data/regions.csv, key: id}
  prompt: Describe {{ each.value.title }}.
---
apiVersion: taskspec/v1
kind: Task
metadata: {name: plain}
spec:
  agent: echo
  outputFormat: json
  outputSchema:
    type: object
    properties:
      total: {type: number}
  prompt: '{"total": 3}'
"""

FILES = {
    "taskspec.yaml": PROJECT,
    "tasks.yaml": TASKS,
    "macros/words.md": "{% macro greeting(name) %}\nDear {{ name }},\n{% endmacro %}\n",
    "context/house.md": "We write short sentences.\nWe never shout.\nWe name our sources.\n",
    "data/sales.csv": "a,b\n1,2\n",
    "data/regions.csv": "id,title\nemea,Europe\napac,Asia\n",
}


class Repository:
    """The project, its git repository, and the commands that are called in it."""

    def __init__(self, workspace):
        self._workspace = workspace
        self.folder = workspace.folder
        workspace.environ["TEAM_NAME"] = "the growth team"

    def begin(self, files=FILES):
        """Write, commit and apply the project."""
        for name, text in files.items():
            self._workspace.write(name, text)
        self.git("init", "-q", "-b", "main")
        self.commit("Begin", author="Ada")
        done = self._workspace.apply()
        assert done.code == 0, done

    def git(self, *words, **environ):
        return subprocess.run(
            ["git", *words],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **environ},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def commit(self, message, author="Grace"):
        """Commit everything; return the first characters of the commit's hash."""
        identity = {
            f"GIT_{who}_{what}": value
            for who in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", author), ("EMAIL", "nobody@example.com"), ("DATE", "2026-11-20T10:00:00Z"))
        }
        self.git("add", "-A", "--", ".", ":!.taskspec", ":!results")
        self.git("commit", "-q", "-m", message, **identity)
        return self.git("rev-parse", "HEAD")[:8]

    def edit(self, name, old, new):
        """Change a file in one place."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, (name, old, text.count(old))
        path.write_text(text.replace(old, new), encoding="utf-8")

    def add(self, name, text):
        """Write a file."""
        self._workspace.write(name, text)

    def apply(self, *arguments):
        return self._workspace.apply(*arguments)

    def accept(self, address):
        return self._workspace.taskspec("accept", address, "--yes")

    def save(self, name):
        done = self._workspace.taskspec("plan", "--out", name)
        assert done.code == 0, done

    def show(self, name):
        return self._workspace.taskspec("show", name).out

    def records(self):
        return self._workspace.records()

    def why(self, *arguments):
        return self._workspace.taskspec("why", *arguments, "--json")

    def told(self, *arguments):
        """Return what `why` says of a task in words."""
        return self._workspace.taskspec("why", *arguments).out

    def plan(self, *arguments, **environ):
        """Return the text and the JSON of a plan, which say the same."""
        told = self._workspace.taskspec("plan", *arguments, **environ)
        listed = self._workspace.taskspec("plan", "--json", *arguments, **environ)
        assert told.code == listed.code, told
        return Explained(told.out, listed.json)


class Explained:
    """A plan as text and as JSON."""

    def __init__(self, text, document):
        self.text, self.document = text, document

    @property
    def paid(self):
        """Return the addresses whose runs will be paid for."""
        return {change["address"] for change in self.document["changes"] if change["paid"]}

    def change(self, address):
        return next(change for change in self.document["changes"] if change["address"] == address)

    def causes(self, address):
        """Return each reason of a change and all that is behind it: code, place and commit."""

        def unfolded(reasons):
            for reason in reasons:
                yield reason["code"], *_place(reason)
                yield from unfolded(reason["because"])

        return list(unfolded(self.change(address)["reasons"]))

    def line(self, code, address):
        """Return the place and the commit of the first cause of a kind, which the text names too."""
        _, place, commit = next(one for one in self.causes(address) if one[0] == code)
        assert place in self.text, (place, self.text)
        words = "not committed" if commit == "" else commit or ""
        assert any(place in line and words in line for line in self.text.splitlines()), (place, commit, self.text)
        return place, commit


def _place(reason):
    """Return the place of a reason and its commit: the hash, nothing where it is in none, None where nobody knows."""
    if "at" not in reason:
        return "", None
    at = reason["at"]
    place = f"{at['file']}:{at['line']}:{at['column']}" if at["line"] else at["file"]
    return place, None if at["commit"] is None else at["commit"]["id"] or ""
