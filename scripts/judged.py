"""What two people said of changes that were drawn by a seed: the tables, and how far they agree."""

import collections, csv, difflib, hashlib, json, os, subprocess, sys


def corpus():
    shared = os.environ.get("IRONHULL_SHARED")
    if not shared:
        sys.exit("IRONHULL_SHARED is not set: it names the folder that holds corpus/files")
    return os.path.join(shared, "corpus", "files")


def answer(binary, *arguments):
    """The JSON that the program prints of the whole corpus."""
    run = [os.path.abspath(binary), *arguments, "--no-config", "--format", "json", "."]
    out = subprocess.run(run, cwd=corpus(), capture_output=True)
    if out.returncode not in (0, 1):
        sys.exit(f"{' '.join(run)}: exit {out.returncode}: {out.stderr.decode(errors='replace')[:500]}")
    return json.loads(out.stdout)


def hash_of(edits):
    return hashlib.sha256(json.dumps(edits, sort_keys=True).encode()).hexdigest()[:12]


def in_turn(groups, seed, wanted, per_repository, name):
    """`wanted` items, one of each group in turn; within a group in the order of a hash of `seed` and what `name` says,
    at most `per_repository` of one repository.  An item is a pair of a row with its path, and anything."""
    queues = {}
    for group, items in groups.items():
        order = sorted(items, key=lambda item: hashlib.sha256("\0".join([seed, group, *name(item[0])]).encode()).digest())
        per, queues[group] = collections.Counter(), []
        for item in order:
            repository = item[0]["path"].split("/")[0]
            per[repository] += 1
            if per[repository] <= per_repository:
                queues[group].append(item)
    taken = []
    while len(taken) < wanted and any(queues.values()):
        for group in sorted(queues):
            if queues[group] and len(taken) < wanted:
                taken.append(queues[group].pop(0))
    return taken


def patch(path, edits):
    before = open(os.path.join(corpus(), path), "rb").read()
    after = before
    for edit in sorted(edits, key=lambda e: (e["start"], e["end"]), reverse=True):
        after = after[: edit["start"]] + edit["text"].encode() + after[edit["end"] :]
    lines = lambda text: text.decode(errors="replace").splitlines()
    return "\n".join(difflib.unified_diff(lines(before), lines(after), lineterm="", n=400))


class Tables:
    """`first.tsv` and `second.tsv` in `folder`; a row is the same one while the columns of `key` are."""

    def __init__(self, folder, key, columns):
        self.folder, self.key_columns, self.columns = folder, key, columns

    def key(self, row):
        return tuple(row[column] for column in self.key_columns)

    def rows(self, name):
        path = os.path.join(self.folder, name)
        if not os.path.exists(path):
            return []
        with open(path, newline="") as f:
            return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))

    def draw(self, taken, group):
        """Writes what was drawn into both tables, with the verdicts of what was drawn before."""
        os.makedirs(self.folder, exist_ok=True)
        for name in ("first.tsv", "second.tsv"):
            before = {self.key(row): row for row in self.rows(name)}
            table = [{**before.get(self.key(row), {}), **row} for row in taken]
            with open(os.path.join(self.folder, name), "w") as f:
                f.write("\t".join(self.columns) + "\n")
                for row in table:
                    f.write("\t".join(" ".join(str(row.get(column) or "").split()) for column in self.columns) + "\n")
            left = sum(not row.get("verdict") for row in table)
            print(f"{name}: {len(table)} drawn of {len({row[group] for row in table})} groups, {left} to be judged")

    def report(self):
        first, second = ({self.key(row): row["verdict"] for row in self.rows(name)} for name in ("first.tsv", "second.tsv"))
        for name, table in (("first reader", first), ("second reader", second)):
            n = collections.Counter(table.values())
            judged = n["right"] + n["wrong"]
            print(f"{name}: {n['right']} right, {n['wrong']} wrong of {judged} ({n['right'] / max(1, judged):.1%} right), {n['']} not judged")
        both = [k for k in first if first[k] and second.get(k)]
        print(f"agreement: {sum(first[k] == second[k] for k in both)} of {len(both)}")
