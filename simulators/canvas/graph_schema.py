"""GraphQL: the part of Canvas's schema that a reader of gradebooks needs, and its limits.

Source: canvas.md 2.5.
"""

from collections.abc import Sequence
from functools import lru_cache

from graphql import DocumentNode, GraphQLError, GraphQLSchema, build_schema, parse, validate

from simulators.canvas.graph_limits import MOST_TOKENS, beyond_limits

SCHEMA = """
scalar DateTime

enum SubmissionState { submitted unsubmitted pending_review graded ungraded deleted }
enum SubmissionOrderField { _id gradedAt }
enum OrderDirection { ascending descending }
enum CourseWorkflowState { created claimed available completed deleted }

enum AssignmentState { unpublished published deleted }
enum EnrollmentType {
    StudentEnrollment TeacherEnrollment TaEnrollment ObserverEnrollment DesignerEnrollment
    StudentViewEnrollment
}
enum EnrollmentWorkflowState {
    invited creation_pending active deleted rejected completed inactive
}

input DateTimeRange { start: DateTime end: DateTime }
input AssignmentFilter { userId: ID gradingPeriodId: ID searchTerm: String }
input EnrollmentFilterInput {
    associatedUserIds: [ID!] = []
    states: [EnrollmentWorkflowState!]
    types: [EnrollmentType!]
    userIds: [ID!] = []
}
input SubmissionOrderCriteria { field: SubmissionOrderField! direction: OrderDirection }
input SubmissionFilterInput {
    states: [SubmissionState!] = [submitted, pending_review, graded]
    gradedSince: DateTime
    submittedSince: DateTime
    updatedSince: DateTime
    dueBetween: DateTimeRange
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
    assignmentsConnection(
        first: Int
        after: String
        filter: AssignmentFilter
    ): AssignmentConnection!
    enrollmentsConnection(
        first: Int
        after: String
        filter: EnrollmentFilterInput
    ): EnrollmentConnection
    sectionsConnection(first: Int, after: String): SectionConnection!
    groupsConnection(
        first: Int
        after: String
        includeNonCollaborative: Boolean = false
    ): GroupConnection
    assignmentGroupsConnection(first: Int, after: String): AssignmentGroupConnection!
}
type AssignmentConnection { nodes: [Assignment] pageInfo: PageInfo! }
type Assignment {
    id: ID!
    _id: ID!
    name: String
    pointsPossible: Float
    dueAt(applyOverrides: Boolean = true): DateTime
    state: AssignmentState!
    createdAt: DateTime
    updatedAt: DateTime
}
type EnrollmentConnection { nodes: [Enrollment] pageInfo: PageInfo! }
type Enrollment {
    id: ID!
    _id: ID
    userId: ID
    courseSectionId: ID
    type: EnrollmentType!
    state: EnrollmentWorkflowState!
    enrollmentState: EnrollmentWorkflowState!
    createdAt: DateTime
    updatedAt: DateTime
    user: User
}
type User { _id: ID! name: String }
type SectionConnection { nodes: [Section] pageInfo: PageInfo! }
type Section { id: ID! _id: ID! name: String! sisId: String updatedAt: DateTime }
type GroupConnection { nodes: [Group] pageInfo: PageInfo! }
type Group { id: ID! _id: ID! name: String membersCount: Int updatedAt: DateTime }
type AssignmentGroupConnection { nodes: [AssignmentGroup] pageInfo: PageInfo! }
type AssignmentGroup { id: ID! _id: ID! name: String groupWeight: Float updatedAt: DateTime }
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
    errors = validate(gradebook_schema(), document) or beyond_limits(document)
    return (None, errors) if errors else (document, [])
