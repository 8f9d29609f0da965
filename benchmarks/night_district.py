"""The district whose night is measured: what it teaches, what is graded, and its files.

A group of learners takes a course in each of some subjects. A course's columns are shared out
among the competencies of its subject, so that what a course's gradebook shall say follows from
this course alone: a peer that is measured with some of the courses says the same of them. A
course has 6,000 cells, as many as the courses of a district with 30 million in 5,000.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from simulators.frameworks import Document, Skill, identifier_of, package

SUBJECTS = 6
STRANDS = 2
SKILLS = 4
COLUMNS = 100
SEATS = 60
MAXIMUM = 20.0
MASTERED, DEVELOPING, LEAST_EVIDENCE = 3.0, 2.0, 2
TOKEN = "the token of a benchmark"  # noqa: S105 - no secret
FIRST_COURSE, FIRST_LEARNER, FIRST_COLUMN = 101, 10_001, 500_001
_DOCUMENT = Document(
    slug="benchmark",
    title="What the benchmark teaches",
    creator="The Waymark maintainers",
    language="en",
    licence="CC0 1.0",
    notes="Made up.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large the district is."""

    courses: int

    @property
    def rows(self) -> int:
        """Cells that hold a score: all of them."""
        return self.courses * SEATS * COLUMNS

    @property
    def marks(self) -> int:
        """Cells that Waymark's columns have."""
        return self.courses * SEATS * STRANDS


def subject_of(course: int) -> int:
    """What is taught in a course, by its place from 0."""
    return course % SUBJECTS


def learners_of(course: int) -> range:
    """The ids of a course's learners: those of one group, which takes all subjects."""
    start = FIRST_LEARNER + course // SUBJECTS * SEATS
    return range(start, start + SEATS)


def columns_of(course: int) -> range:
    """The ids of a course's assignments."""
    start = FIRST_COLUMN + course * COLUMNS
    return range(start, start + COLUMNS)


def skill_of(column: int) -> int:
    """For which skill of its subject a column counts, by its place in the course from 0."""
    return column % (STRANDS * SKILLS)


def strand_title(subject: int, strand: int) -> str:
    """A strand's name."""
    return f"Subject {subject} strand {strand}"


def column_title(column: int) -> str:
    """A column's title: one pattern for each skill, and one for each column."""
    return f"Task {column} about skill {skill_of(column)}."


def course_title(course: int) -> str:
    """A course's title."""
    return f"Subject {subject_of(course)} group {course // SUBJECTS}"


def write_files(folder: Path, url: str) -> Path:
    """Write what an operator loads.

    Args:
        folder: Where to.
        url: Where the LMS answers.

    Returns:
        The district file.
    """
    skills = [
        Skill(
            strand=strand_title(subject, skill // SKILLS),
            code=f"S{subject}.{skill}",
            statement=f"Skill {skill} of subject {subject}",
        )
        for subject in range(SUBJECTS)
        for skill in range(STRANDS * SKILLS)
    ]
    (folder / "framework.json").write_text(json.dumps(package(_DOCUMENT, skills)), "utf-8")
    (folder / "mappings.csv").write_text(_mappings(), "utf-8")
    (folder / "district.json").write_text(json.dumps(_district(url)), "utf-8")
    return folder / "district.json"


def _mappings() -> str:
    rows = [
        f"{identifier_of(_DOCUMENT)},S{subject}.{skill},Subject {subject} *,"
        f"*about skill {skill}.,,,1.0,skill"
        for subject in range(SUBJECTS)
        for skill in range(STRANDS * SKILLS)
    ]
    header = "framework,competency,course,line_item,category,criterion,weight,kind"
    return "\n".join([header, *rows, ""])


def _district(url: str) -> dict[str, object]:
    return {
        "district": "District of the benchmark",
        "timezone": "UTC",
        "schools": [
            {"name": "School", "passback": "words", "mode": "official", "first_push": "agreed"}
        ],
        "platforms": [
            {
                "name": "Canvas",
                "kind": "canvas",
                "issuer": "https://canvas.instructure.com",
                "client_id": "10000000000001",
                "auth_url": f"{url}/api/lti/authorize_redirect",
                "token_url": f"{url}/login/oauth2/token",
                "jwks_url": f"{url}/api/lti/security/jwks",
                "api_url": url,
                "api_token": TOKEN,
                "deployments": ["1:1"],
                "schools": {"1": "School"},
            }
        ],
        "frameworks": ["framework.json"],
        "mappings": ["mappings.csv"],
        "rule": {
            "mastered": MASTERED,
            "developing": DEVELOPING,
            "minimum_evidence": LEAST_EVIDENCE,
        },
    }
