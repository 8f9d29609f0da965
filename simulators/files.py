"""What a drawn district leaves on disk: the state of each LMS, and the files Waymark loads."""

import csv
import json
import random
import string
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from simulators.catalogue import CRITERION_PATTERNS, SYLLABI, Syllabus, Topic
from simulators.district import District
from simulators.frameworks import (
    BNCC,
    TRANSFERABLE,
    Document,
    bncc_package,
    identifier_of,
    transferable_package,
)
from simulators.state import config_of, fill, open_state, refresh

LMSS = ("canvas", "moodle")
CANVAS_ISSUER = "https://canvas.instructure.com"
CANVAS_CLIENT_ID = "10000000000001"
MAPPING_COLUMNS = (
    "framework",
    "competency",
    "course",
    "line_item",
    "category",
    "criterion",
    "weight",
    "kind",
)
RULE = {"mastered": 3.0, "developing": 2.0, "minimum_evidence": 2}
_KINDS = (("Homework", "skill", 1.0), ("Quizzes", "recall", 1.0), ("Classwork", "skill", 0.5))
_PROJECT = ("Projects", "application", 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the three servers answer; no trailing slashes."""

    canvas: str
    moodle: str
    tool: str

    def of(self, lms: str) -> str:
        """The address of an LMS."""
        return {"canvas": self.canvas, "moodle": self.moodle}[lms]


def write_all(folder: Path, district: District, *, addresses: Addresses, seed: int) -> None:
    """Write everything a night needs.

    State files that exist are kept, with all that happened in them; only the addresses in
    them change. The files for Waymark are always written, with the keys of the state files.

    Args:
        folder: Where to write; made if need be.
        district: The plan.
        addresses: Of the simulators and of the tool.
        seed: What tokens and client ids are drawn from, apart from the plan.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(f"keys of {seed}")
    for lms in LMSS:
        drawn = _keys(rng, district, lms)
        path = folder / f"{lms}.db"
        if path.exists():
            refresh(path, _addresses(lms, addresses))
        else:
            _fill_whole(path, district, config=drawn | _addresses(lms, addresses))
    (folder / "bncc.case.json").write_text(_json(bncc_package()), "utf-8")
    (folder / "transferable-skills.case.json").write_text(_json(transferable_package()), "utf-8")
    (folder / "mappings.csv").write_text(mappings_csv(), "utf-8")
    (folder / "district.json").write_text(_json(district_file(folder, district)), "utf-8")


def _fill_whole(path: Path, district: District, *, config: Mapping[str, str]) -> None:
    """Fill under another name first: a run that was stopped leaves no half state behind."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    fill(draft, district, config["lms"], config=config)
    with closing(open_state(draft)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    draft.replace(path)


def mapping_rows() -> Iterator[tuple[str, ...]]:
    """The district's mapping rules, in the order of MAPPING_COLUMNS."""
    for syllabus in SYLLABI.values():
        for topic in syllabus.topics:
            yield from _rules_of(syllabus, topic)
    skills = identifier_of(TRANSFERABLE)
    for pattern, code in CRITERION_PATTERNS.items():
        yield skills, code, "", "", "Projects", pattern, "1.0", "application"


def _rules_of(syllabus: Syllabus, topic: Topic) -> Iterator[tuple[str, ...]]:
    framework = identifier_of(_framework_of(topic.code))
    for category, kind, weight in (*_KINDS, *([_PROJECT] if topic.project else [])):
        pattern = f"*{topic.name.lower()}*"
        yield framework, topic.code, syllabus.course, pattern, category, "", str(weight), kind


def _framework_of(code: str) -> Document:
    return BNCC if code.startswith("EF") else TRANSFERABLE


def mappings_csv() -> str:
    """The mapping rules as CSV text with a header line."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(MAPPING_COLUMNS)
    writer.writerows(mapping_rows())
    return text.getvalue()


def district_file(folder: Path, district: District) -> dict[str, Any]:
    """What Waymark is told of the district, with the keys in the state files of a folder."""
    return {
        "district": district.name,
        "timezone": district.timezone,
        "schools": [
            {"name": s.name, "passback": s.passback, "mode": "official", "first_push": "agreed"}
            for s in district.schools
        ],
        "platforms": [_platform(folder / f"{lms}.db", district, lms) for lms in LMSS],
        "frameworks": ["bncc.case.json", "transferable-skills.case.json"],
        "mappings": ["mappings.csv"],
        "rule": RULE,
    }


def _platform(path: Path, district: District, lms: str) -> dict[str, Any]:
    with closing(open_state(path)) as connection:
        config = config_of(connection)
    schools = [school for school in district.schools if school.lms == lms]
    deployments = [config[f"deployment:{school.id}"] for school in schools]
    return {
        "name": lms.capitalize(),
        "kind": lms,
        "issuer": config["issuer"],
        "client_id": config["client_id"],
        **_endpoints(lms, config["base_url"]),
        "api_url": config["base_url"],
        "api_token": config["api_token"],
        "deployments": list(dict.fromkeys(deployments)),
        "schools": {str(school.id): school.name for school in schools},
    }


def _endpoints(lms: str, url: str) -> dict[str, str]:
    if lms == "canvas":
        return {
            "auth_url": f"{url}/api/lti/authorize_redirect",
            "token_url": f"{url}/login/oauth2/token",
            "jwks_url": f"{url}/api/lti/security/jwks",
        }
    return {
        "auth_url": f"{url}/mod/lti/auth.php",
        "token_url": f"{url}/mod/lti/token.php",
        "jwks_url": f"{url}/mod/lti/certs.php",
    }


def _addresses(lms: str, addresses: Addresses) -> dict[str, str]:
    url = addresses.of(lms)
    issuer = CANVAS_ISSUER if lms == "canvas" else url
    return {"base_url": url, "issuer": issuer, "tool_url": addresses.tool}


def _keys(rng: random.Random, district: District, lms: str) -> dict[str, str]:
    """The settings that never change once a state file is there."""
    letters = string.ascii_letters + string.digits
    drawn_client_id = "".join(rng.choices(letters, k=15))
    token = f"{rng.getrandbits(128):032x}"
    schools = [school for school in district.schools if school.lms == lms]
    deployments = {
        f"deployment:{school.id}": f"{number}:{rng.getrandbits(160):040x}"
        if lms == "canvas"
        else "1"
        for number, school in enumerate(schools, 1)
    }
    return {
        "lms": lms,
        "district": district.name,
        "timezone": district.timezone,
        "client_id": CANVAS_CLIENT_ID if lms == "canvas" else drawn_client_id,
        "api_token": token,
        **({"progress_seconds": str(district.background_seconds)} if lms == "canvas" else {}),
        **deployments,
    }


def _json(payload: Mapping[str, Any]) -> str:
    return json.dumps(payload, ensure_ascii=False, indent=2) + "\n"
