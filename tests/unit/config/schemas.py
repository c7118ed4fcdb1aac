# SPDX-License-Identifier: BSD-2-Clause
"""schemas.py SCHEMAS CORPUS JUDGE SCRATCH [FOLDER...]: the schema files and the C checker agree.

Each file of the corpus, each file of the FOLDERs, and mutants of the valid ones made from the
schemas (each type, bound, word, length, missing and unknown key) is judged by the C checker (JUDGE,
judge.c) and by a JSON Schema validator that reads schemas/*.yaml.  Both must say the same.  What
only the C checker can see is listed in ONLY_C with a reason, by its message.

The formats and the keywords of our own are written down a second time here, from core/config/schema.h.
"""
import ipaddress
import json
import os
import re
import subprocess
import sys
from fractions import Fraction

try:
    import jsonschema
    import yaml
except ImportError as error:
    print(f"SKIPPED: {error}; install python3-jsonschema and python3-yaml")
    sys.exit(77)

# What JSON Schema cannot say, or says too long: the C checker's message, and why.
ONLY_C = [
    (r"is empty; leave out the key", "no string may be empty; minLength would be in each place"),
    (r"is listed twice", "names in a list differ from each other"),
    (r"(hybrid|smartnic) needs the key 'offload'|host has no use for 'offload'", "placement and offload"),
    (r"is not among 'interfaces'", "offload.interface, stack.interfaces and interfaces"),
    (r"min \(.*\) is above max", "two bounds"),
    (r"a card takes no dispatcher", "attach and interfaces"),
    (r"is not a port or a range", "ports are texts with a range"),
    (r"does not say which of the", "stack and interfaces"),
    (r"a card has no AF_XDP", "deliver and interfaces"),
    (r"gets nothing without the key 'deliver'", "stack and deliver"),
    (r"is no power of two", "JSON Schema has no such bound"),
    (r"is the control socket's path", "stack.socket and control.socket"),
    (r"a call may take no longer than the window", "detectors and window"),
    (r"^\d+:\d+: rules\[\d+\]", "what a rule asks of a packet is a language of its own"),
    (r"^\d+:\d+: options\.[^ ]*: (?!unknown key|missing)", "an option's bounds and default follow its type"),
    (r"^\d+:\d+: abi: .* is out of range", "two numbers in one string"),
]
# YAML that the C reader refuses before any schema is asked.
# Together they have all keys; what they leave out is put into them.
TO_MUTATE = ("every-key.yaml", "rules.yaml", "mapping-interface.yaml", "other-forms.yaml", "deliver.yaml", "stack-two.yaml",
             "manifest-full.plugin.yaml", "manifest-lists.plugin.yaml")
NOT_YAML = re.compile(r"^(yaml-|.*syntax)")

QUANTITIES = {
    "count": {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
              "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40},
    "duration": {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9,
                 "h": 3600 * 10**9, "d": 86400 * 10**9},
    "rate": {p + s: f for p, f in (("", 1), ("k", 10**3), ("M", 10**6), ("G", 10**9), ("T", 10**12))
             for s in ("", "pps", "/s")},
    "bits": {p + s: f for p, f in (("", 1), ("k", 10**3), ("M", 10**6), ("G", 10**9), ("T", 10**12))
             for s in ("", "bit", "bit/s", "bps")},
    "bytes": {p + s: f for p, f in (("", 1), ("k", 10**3), ("M", 10**6), ("G", 10**9), ("T", 10**12),
                                    ("Ki", 2**10), ("Mi", 2**20), ("Gi", 2**30), ("Ti", 2**40))
              for s in ("", "B")},
}


def quantity(kind, text):
    """In base units; None if it is no such number."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([A-Za-z/]*)", str(text))
    if isinstance(text, bool) or not match:
        return None
    units = QUANTITIES[kind]
    number, unit = Fraction(match[1]), match[2]
    if kind == "duration" and unit == "" and number == 0:
        return 0
    if unit not in units or (number * units[unit]).denominator != 1:
        return None
    number = int(number * units[unit])
    return number if number < 2**64 else None


def is_prefix(text):
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return "%" not in text


def is_address(text):
    return is_prefix(text) and "/" not in text


def is_endpoint(text):
    match = re.fullmatch(r"(?:\[([^]]*)\]|([^:\[]*)):(\d+)", text)
    if not match or not 0 < int(match[3]) < 65536:
        return False
    return is_address(match[1] or match[2]) and (match[1] is None) == ("." in text and match[2] is not None)


FORMATS = {
    "address": is_address,
    "prefix": is_prefix,
    "interface": lambda s: 0 < len(s) < 16 and s not in (".", "..") and not re.search(r"[/:\s]", s),
    "path": lambda s: s.startswith("/"),
    "name": lambda s: re.fullmatch(r"[a-z][a-z0-9_-]*", s) is not None,
    "endpoint": is_endpoint,
    "version": lambda s: re.fullmatch(r"\d{1,5}(\.\d{1,5}){1,2}", s) is not None,
    "abi": lambda s: re.fullmatch(r"\d{1,5}\.\d{1,5}", s) is not None,
}


class Number(float):
    """A number that is no integer, with its text: 1.0 is the ABI 1.0."""

    text = ""


class Loader(yaml.SafeLoader):
    """Scalars by the core schema of YAML 1.2."""


def number(loader, node):
    value = Number(node.value)
    value.text = node.value
    return value


Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
        ("null", r"~|null|Null|NULL|", "~nN\0"),
        ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
        ("int", r"[-+]?[0-9]+", "-+0123456789"),
        ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789")):
    first = list(first.replace("\0", "")) + ([""] if "\0" in first else [])
    Loader.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(f"^(?:{pattern})$"), first)
Loader.add_constructor("tag:yaml.org,2002:int", lambda l, n: int(n.value))
Loader.add_constructor("tag:yaml.org,2002:float", number)


def bound(schema, instance, limit, is_minimum):
    kind = schema.get("format")
    if kind in QUANTITIES:
        value, limit = quantity(kind, instance), quantity(kind, limit)
    elif isinstance(instance, (int, float)) and not isinstance(instance, bool):
        value = instance
    else:
        return
    if value is not None and (value < limit if is_minimum else value > limit):
        yield jsonschema.ValidationError(f"{instance!r} is out of range")


def text_of(instance):
    return getattr(instance, "text", "") or str(instance)


def check_format(validator, name, instance, schema):
    if isinstance(instance, (dict, list, bool)) or instance is None:
        return
    if name in QUANTITIES:
        if quantity(name, text_of(instance)) is None:
            yield jsonschema.ValidationError(f"{instance!r} is no {name}")
    elif not FORMATS[name](text_of(instance)):
        yield jsonschema.ValidationError(f"{instance!r} is no {name}")


def shorthand(validator, key, instance, schema):
    if not isinstance(instance, (dict, list)):
        yield from validator.descend({key: instance}, {**schema, "type": "object"})


def max_bytes(validator, limit, instance, schema):
    if isinstance(instance, str) and len(instance.encode()) > limit:
        yield jsonschema.ValidationError("too long")


BASE = jsonschema.Draft202012Validator
Validator = jsonschema.validators.extend(
    BASE,
    {
        "format": check_format,
        "minimum": lambda v, limit, i, s: bound(s, i, limit, True),
        "maximum": lambda v, limit, i, s: bound(s, i, limit, False),
        "x-minimum": lambda v, limit, i, s: bound(s, i, limit, True),
        "x-maximum": lambda v, limit, i, s: bound(s, i, limit, False),
        "x-shorthand": shorthand,
        "maxLength": max_bytes,
    },
    type_checker=BASE.TYPE_CHECKER.redefine(
        "integer", lambda _, i: isinstance(i, int) and not isinstance(i, bool)),
)

# --- Mutants


class Mutants:
    """What can be put in the place of a valid document's parts, each with the constraint it is for."""

    def __init__(self, schema, put_absent=False):
        self.root = schema
        self.put_absent = put_absent  # Keys that the document leaves out are tried, too.

    def resolve(self, schema):
        if "$ref" in schema:
            target = self.root
            for part in schema["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            schema = {**target, **{k: v for k, v in schema.items() if k != "$ref"}}
        return schema

    def constraints(self, schema=None, place=""):
        """All that the schema demands, by place."""
        schema = self.resolve(self.root if schema is None else schema)
        for keyword in ("type", "enum", "format", "minimum", "maximum", "x-minimum", "x-maximum",
                        "minItems", "maxItems", "maxLength", "x-absent"):
            if keyword in schema:
                yield place, keyword
        if "properties" in schema:
            yield place, "unknown"
            for name, child in schema["properties"].items():
                yield from self.constraints(child, f"{place}.{name}")
                if name in schema.get("required", []):
                    yield f"{place}.{name}", "required"
        for keyword, mark in (("items", "[]"), ("propertyNames", ".<name>")):
            if keyword in schema:
                yield from self.constraints(schema[keyword], place + mark)
        if isinstance(schema.get("additionalProperties"), dict):
            yield from self.constraints(schema["additionalProperties"], place + ".*")
        for i, child in enumerate(schema.get("anyOf", [])):
            yield from self.constraints(child, f"{place}|{i}")

    def values(self, schema, place):
        """(keyword, value) for one scalar, list or mapping that has this schema."""
        schema = self.resolve(schema)
        if "anyOf" in schema:
            for i, child in enumerate(schema["anyOf"]):
                yield from self.values(child, f"{place}|{i}")
        if "type" in schema or "anyOf" in schema:
            for value in ({"no_such_key": 1}, [{}], True, -1, Number(1.5), "a b", "", None):
                yield place, "type", value
        for word in schema.get("enum", []):
            yield place, "ok", word
            if isinstance(word, str):
                yield place, "enum", word + "x"
                yield place, "enum", word.upper()
        if "enum" in schema:
            yield place, "enum", 99
        for name in schema.get("x-absent", {}):
            yield place, "x-absent", name
        if "format" in schema:
            for text in ("?", "1x", "1 s", "-1s", "20 k", "1.5", "a/b", "x:y", "::1", "1.2.3.4/33", "1.2.3.4/8",
                         "A", "1.2.3.4", "/", "a", "0", "1.", "k", "99999999999999999999"):
                yield place, "format", text
        yield from self.bounds(schema, place)
        if "maxLength" in schema:
            for length in (schema["maxLength"], schema["maxLength"] + 1):
                for letter in ("a", "/"):
                    yield place, "maxLength", letter * length
        for keyword in ("minItems", "maxItems"):
            if keyword in schema:
                item = self.some_item(schema)
                for n in (schema[keyword] - 1, schema[keyword], schema[keyword] + 1):
                    if 0 <= n <= 10001:
                        yield place, keyword, [self.numbered(item, i) for i in range(n)]

    def bounds(self, schema, place):
        kind = schema.get("format")
        for keyword, step in (("minimum", -1), ("maximum", 1), ("x-minimum", -1), ("x-maximum", 1)):
            if keyword not in schema:
                continue
            limit = schema[keyword]
            if kind in QUANTITIES:
                base = {"duration": "ns"}.get(kind, "")
                n = quantity(kind, limit)
                for m in (n, n + step):
                    if m >= 0:
                        yield place, keyword, f"{m}{base}" if base else m
                        yield place, keyword, f"{m}{base}"
                if n + step < 0:
                    yield place, keyword, -1
            else:
                step = step if isinstance(limit, int) and "number" not in schema["type"] else step * 0.001
                yield place, keyword, limit
                yield place, keyword, limit + step

    def some_item(self, schema):
        item = self.resolve(schema["items"])
        item = self.resolve(item["anyOf"][1]) if "anyOf" in item else item
        if "properties" in item:
            name = item.get("x-shorthand") or "name"
            made = {name: "item"}
            for key in item.get("required", []):
                made.setdefault(key, {"match": {"protocol": "udp"}, "action": "drop"}.get(key, "item"))
            return made
        if item.get("format") == "prefix":
            return "192.0.2.1"
        return item["enum"][0] if "enum" in item else "item"

    @staticmethod
    def numbered(item, i):
        if isinstance(item, dict):
            key = next(k for k in item if item[k] == "item")
            return {**item, key: f"item{i}"}
        return f"item{i}" if item == "item" else item

    def walk(self, schema, document, place=""):
        """(place, keyword, document) of every mutant of a valid document; one change in each."""
        schema = self.resolve(schema)
        if place:
            for where, keyword, value in self.values(schema, place):
                yield where, keyword, value
        if "anyOf" in schema:
            for i, child in enumerate(schema["anyOf"]):
                if Validator({**child, "$defs": self.root.get("$defs", {})}).is_valid(document):
                    yield from self.inside(self.resolve(child), document, f"{place}|{i}")
                    break
        else:
            yield from self.inside(schema, document, place)

    def inside(self, schema, document, place):
        if isinstance(document, dict) and ("properties" in schema or "additionalProperties" in schema):
            yield place, "unknown", {**document, "no_such_key": 1}
            for name in schema.get("x-absent", {}):
                yield place, "x-absent", {**document, name: 1}
            for name in document:
                rest = {k: v for k, v in document.items() if k != name}
                yield f"{place}.{name}", "required", rest
            yield from self.members(schema, document, place)
        elif isinstance(document, list) and "items" in schema:
            shapes = set()
            for i, item in enumerate(document):
                shape = str(sorted(item)) if isinstance(item, dict) else str(type(item))
                if shape in shapes:
                    continue
                shapes.add(shape)
                for where, keyword, mutant in self.walk(schema["items"], item, place + "[]"):
                    yield where, keyword, document[:i] + [mutant] + document[i + 1:]

    def members(self, schema, document, place):
        known = schema.get("properties", {})
        for name, child in known.items():
            if name in document:
                for where, keyword, mutant in self.walk(child, document[name], f"{place}.{name}"):
                    yield where, keyword, {**document, name: mutant}
                continue
            if not self.put_absent and place.count("[]") == 0:
                continue
            if self.resolve(child).get("type") == "object" and "properties" in self.resolve(child):
                for where, keyword, mutant in self.walk(child, {}, f"{place}.{name}"):
                    yield where, keyword, {**document, name: mutant}
            else:
                for where, keyword, value in self.values(child, f"{place}.{name}"):
                    yield where, keyword, {**document, name: value}
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict):
            for name in document:
                for where, keyword, mutant in self.walk(extra, document[name], place + ".*"):
                    yield where, keyword, {**document, name: mutant}
                for where, keyword, key in self.values(schema["propertyNames"], place + ".<name>"):
                    if isinstance(key, str):
                        rest = {k: v for k, v in document.items() if k != name}
                        yield where, keyword, {**rest, key: document[name]}


# --- The comparison


def plain(document):
    """For json.dumps, whose output is YAML: a Number keeps its text."""
    if isinstance(document, dict):
        return {k: plain(v) for k, v in document.items()}
    if isinstance(document, list):
        return [plain(v) for v in document]
    return float(document) if isinstance(document, Number) else document


def judge(program, files):
    done = subprocess.run([program], input="".join(f + "\n" for f in files), text=True,
                          stdout=subprocess.PIPE, check=True)
    verdicts, messages = {}, []
    for line in done.stdout.splitlines():
        if line.startswith("  "):
            messages.append(line[2:])
        else:
            word, name = line.split(" ", 1)
            messages = []
            verdicts[name] = (word == "ok", messages)
    return verdicts


class Comparison:
    def __init__(self, schemas):
        self.validators = {kind: Validator(schema) for kind, schema in schemas.items()}
        self.failures, self.reasons, self.n = [], set(), 0

    @staticmethod
    def kind_of(name):
        return "manifest" if ".plugin.yaml" in name else "config"

    def compare(self, name, document, verdict):
        accepted, messages = verdict
        error = next(self.validators[self.kind_of(name)].iter_errors(document), None)
        self.n += 1
        if accepted and error:
            self.failures.append(f"{name}: only the schema refuses it: {error.message[:200]}"
                                 f" at {list(error.absolute_path)}")
        if accepted or error:
            return
        for message in messages:
            found = [i for i, (pattern, _) in enumerate(ONLY_C) if re.search(pattern, message)]
            if found:
                self.reasons.update(found[:1])
                return
        self.failures.append(f"{name}: only the C checker refuses it: {messages[:1]}")


def corpus_files(folders):
    for folder in folders:
        for path, _, names in sorted(os.walk(folder)):
            yield from (os.path.join(path, n) for n in sorted(names) if n.endswith(".yaml"))


def load(path):
    with open(path, "rb") as file:
        text = file.read().decode("utf-8-sig")
    return yaml.load(text, Loader)


def mutate(schemas, path, scratch):
    schema = schemas[Comparison.kind_of(path)]
    suffix = ".plugin.yaml" if ".plugin.yaml" in path else ".yaml"
    stem = os.path.join(scratch, os.path.basename(path).split(".")[0])
    jobs = {}
    for place, keyword, document in Mutants(schema, "every" in path or "full" in path).walk(schema, load(path)):
        text = json.dumps(plain(document))
        constraints = jobs.setdefault(text, (f"{stem}-{len(jobs)}{suffix}", document, []))[2]
        constraints.append((place, keyword))
    for text, (name, _, constraints) in jobs.items():
        with open(name, "w", encoding="utf-8") as file:
            file.write(f"# {constraints[0]}\n{text}\n")
    return list(jobs.values())


def main():
    schema_folder, corpus, program, scratch, *more = sys.argv[1:]
    os.makedirs(scratch, exist_ok=True)
    for name in os.listdir(scratch):
        os.unlink(os.path.join(scratch, name))
    schemas = {}
    for name in ("config", "manifest"):
        with open(os.path.join(schema_folder, name + ".schema.yaml"), encoding="utf-8") as file:
            schemas[name] = yaml.load(file, Loader)
        BASE.check_schema(json.loads(json.dumps(plain(schemas[name]))))
    comparison = Comparison(schemas)
    files = [f for f in corpus_files([corpus, *more]) if not NOT_YAML.match(os.path.basename(f))
             and "/bars/" not in f]
    verdicts = judge(program, files)
    for path in files:
        comparison.compare(path, load(path), verdicts[path])

    covered, jobs = set(), []
    for path in files:
        if os.path.basename(path) in TO_MUTATE:
            jobs += mutate(schemas, path, scratch)
    verdicts = judge(program, [name for name, _, _ in jobs])
    for name, document, constraints in jobs:
        comparison.compare(name, document, verdicts[name])
        if not verdicts[name][0]:
            covered.update(constraints)

    wanted = {("config", *c) for c in Mutants(schemas["config"]).constraints()}
    wanted |= {("manifest", *c) for c in Mutants(schemas["manifest"]).constraints()}
    for _, place, keyword in sorted(wanted):
        if (place, keyword) not in covered and not re.search(r"type|unknown", keyword + place):
            comparison.failures.append(f"no refused mutant for {keyword} of {place or 'the file'}")
    for i in set(range(len(ONLY_C))) - comparison.reasons:
        comparison.failures.append(f"nothing is refused for this reason any more: {ONLY_C[i]}")
    for failure in comparison.failures[:40]:
        print("FAILED:", failure)
    print(f"{comparison.n} documents, {len(jobs)} of them mutants; {len(wanted)} constraints; "
          f"{len(comparison.failures)} disagreements")
    return 1 if comparison.failures else 0


if __name__ == "__main__":
    sys.exit(main())
