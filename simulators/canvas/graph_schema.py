"""GraphQL: the part of Canvas's schema that a reader of gradebooks needs, and its limits.

Source: canvas.md 2.5.
"""

from collections.abc import Sequence
from functools import lru_cache

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    Node,
    build_schema,
    parse,
    validate,
)

DEEPEST = 15
MOST_ALIASES = 20
MOST_TOKENS = 5000

SCHEMA = """
scalar DateTime

enum SubmissionState { submitted unsubmitted pending_review graded ungraded deleted }
enum SubmissionOrderField { _id gradedAt }
enum OrderDirection { ascending descending }
enum CourseWorkflowState { created claimed available completed deleted }

input SubmissionOrderCriteria { field: SubmissionOrderField! direction: OrderDirection }
input SubmissionFilterInput {
    states: [SubmissionState!] = [submitted, pending_review, graded]
    gradedSince: DateTime
    submittedSince: DateTime
    updatedSince: DateTime
    includePeerReviewSubmissions: Boolean = false
}

type Query {
    course(id: ID, sisId: String): Course
    courses(ids: [ID!], sisIds: [ID!]): [Course!]
}
type Course {
    id: ID!
    _id: ID!
    name: String!
    courseCode: String
    sisId: String
    state: CourseWorkflowState!
    submissionsConnection(
        first: Int
        after: String
        filter: SubmissionFilterInput
        orderBy: [SubmissionOrderCriteria!]
        studentIds: [ID!]
    ): SubmissionConnection
}
type PageInfo {
    hasNextPage: Boolean!
    hasPreviousPage: Boolean!
    startCursor: String
    endCursor: String
    totalCount: Int
}
type SubmissionEdge { cursor: String! node: Submission }
type SubmissionConnection {
    nodes: [Submission]
    edges: [SubmissionEdge]
    pageInfo: PageInfo!
}
type Submission {
    id: ID!
    _id: ID!
    userId: ID
    assignmentId: ID!
    score: Float
    grade: String
    enteredScore: Float
    enteredGrade: String
    deductedPoints: Float
    excused: Boolean
    state: SubmissionState!
    latePolicyStatus: String
    late: Boolean
    missing: Boolean
    secondsLate: Float
    gradeMatchesCurrentSubmission: Boolean
    cachedDueDate: DateTime
    redoRequest: Boolean
    submittedAt: DateTime
    gradedAt: DateTime
    postedAt: DateTime
    updatedAt: DateTime
    attempt: Int!
    rubricAssessmentsConnection(first: Int, after: String): RubricAssessmentConnection
    submissionHistoriesConnection(first: Int, after: String): SubmissionHistoryConnection
}
type RubricAssessmentConnection { nodes: [RubricAssessment] }
type RubricAssessment {
    _id: ID!
    score: Float
    artifactAttempt: Int!
    assessmentRatings: [RubricAssessmentRating!]!
}
type RubricAssessmentRating { _id: ID! points: Float comments: String criterion: RubricCriterion }
type RubricCriterion { _id: ID! description: String points: Float learningOutcomeId: ID }
type SubmissionHistoryConnection { nodes: [SubmissionHistory] }
type SubmissionHistory {
    attempt: Int!
    score: Float
    grade: String
    enteredScore: Float
    excused: Boolean
    state: SubmissionState!
    submittedAt: DateTime
    gradedAt: DateTime
    postedAt: DateTime
    late: Boolean
    missing: Boolean
}
"""


@lru_cache(maxsize=1)
def gradebook_schema() -> GraphQLSchema:
    """The schema, built once."""
    return build_schema(SCHEMA)


@lru_cache(maxsize=1)
def executable_schema() -> GraphQLSchema:
    """The schema for queries that were checked against the true one, built once.

    It differs in one place: the nodes of submissions are a single value, which
    ``simulators.canvas.graph_selection`` picks out of its rows.
    """
    shortened = SCHEMA.replace("    nodes: [Submission]\n", "    nodes: SubmissionRows\n")
    return build_schema(f"scalar SubmissionRows\n{shortened}")


@lru_cache(maxsize=64)
def checked(text: str) -> tuple[DocumentNode | None, Sequence[GraphQLError]]:
    """Read and check a query; None and the errors where it is not to be run."""
    try:
        document = parse(text, max_tokens=MOST_TOKENS)
    except GraphQLError as error:
        return None, [error]
    errors = validate(gradebook_schema(), document) or _beyond_limits(document)
    return (None, errors) if errors else (document, [])


def _beyond_limits(document: DocumentNode) -> list[GraphQLError]:
    depth, aliases = _size(document, 0)
    errors = []
    if depth > DEEPEST:
        errors.append(
            GraphQLError(f"Query has depth of {depth}, which exceeds max depth of {DEEPEST}")
        )
    if aliases > MOST_ALIASES:
        errors.append(GraphQLError(f"Query has more than {MOST_ALIASES} aliases"))
    return errors


def _size(node: Node, depth: int) -> tuple[int, int]:
    """The depth of a query's fields and the number of its aliases."""
    deepest = depth + isinstance(node, FieldNode)
    aliases = int(isinstance(node, FieldNode) and node.alias is not None)
    level = deepest
    for child in _selections(node):
        below, inside = _size(child, level)
        deepest = max(deepest, below)
        aliases += inside
    return deepest, aliases


def _selections(node: Node) -> Sequence[Node]:
    if isinstance(node, DocumentNode):
        return node.definitions
    chosen = getattr(node, "selection_set", None)
    return chosen.selections if chosen else ()
