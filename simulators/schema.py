"""The tables of one simulated LMS; ``simulators.state`` says what the file is."""

SCHEMA = """
CREATE TABLE config (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE people (
    id INTEGER PRIMARY KEY, given_name TEXT NOT NULL, family_name TEXT NOT NULL,
    email TEXT NOT NULL, sis_id TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,                    -- learner, teacher, guardian, administrator
    guid TEXT NOT NULL                     -- opaque and stable, for ids that are not numbers
);
CREATE TABLE guardians (guardian_id INTEGER, child_id INTEGER, PRIMARY KEY (guardian_id, child_id));
CREATE TABLE schools (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL,  -- Canvas: sub-account; Moodle: course category
    passback TEXT NOT NULL, deployment TEXT NOT NULL
);
CREATE TABLE courses (
    id INTEGER PRIMARY KEY, title TEXT NOT NULL, code TEXT NOT NULL, sis_id TEXT NOT NULL,
    school_id INTEGER NOT NULL,
    state TEXT NOT NULL,                   -- active, unpublished, concluded
    starts_at INTEGER NOT NULL, ends_at INTEGER NOT NULL, created_at INTEGER NOT NULL,
    guid TEXT NOT NULL
);
CREATE TABLE enrolments (
    id INTEGER PRIMARY KEY, course_id INTEGER NOT NULL, person_id INTEGER NOT NULL,
    role TEXT NOT NULL,                    -- learner, teacher, guardian
    state TEXT NOT NULL DEFAULT 'active',  -- active, suspended, concluded
    observes INTEGER,                      -- the child whom a guardian follows
    created_at INTEGER NOT NULL
);
CREATE INDEX enrolments_course ON enrolments (course_id, role);
CREATE UNIQUE INDEX enrolments_learner ON enrolments (course_id, person_id) WHERE role = 'learner';
CREATE INDEX enrolments_person ON enrolments (person_id);
CREATE TABLE categories (                  -- Canvas: assignment groups; Moodle: grade categories
    id INTEGER PRIMARY KEY, course_id INTEGER NOT NULL, title TEXT NOT NULL,
    position INTEGER NOT NULL,
    is_top INTEGER NOT NULL DEFAULT 0,     -- Moodle: the course's own; its item is the total
    item_id INTEGER NOT NULL,              -- Moodle: the grade item that holds its total
    weight REAL NOT NULL DEFAULT 0         -- Canvas: percent; all 0: the course goes by points
);
CREATE TABLE assignments (                 -- gradebook columns; Moodle: id is the grade item's
    id INTEGER PRIMARY KEY, course_id INTEGER NOT NULL, category_id INTEGER NOT NULL,
    title TEXT NOT NULL, maximum REAL NOT NULL, due_at INTEGER,
    kind TEXT NOT NULL,                    -- assignment, quiz, manual, tool
    scale TEXT NOT NULL DEFAULT '[]',      -- JSON list of words, lowest first
    is_published INTEGER NOT NULL DEFAULT 1,
    is_posted INTEGER NOT NULL DEFAULT 1,  -- 0: grades held back (Moodle: item hidden)
    omit_from_final_grade INTEGER NOT NULL DEFAULT 0,
    position INTEGER NOT NULL,
    module_id INTEGER, cmid INTEGER,       -- Moodle: assign or quiz id, course module id
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    extra TEXT NOT NULL DEFAULT '{}'       -- JSON: what only one simulator needs
);
CREATE INDEX assignments_course ON assignments (course_id);
CREATE TABLE criteria (
    id TEXT NOT NULL, assignment_id INTEGER NOT NULL, title TEXT NOT NULL,
    maximum REAL NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (assignment_id, id)
);
CREATE TABLE grades (                      -- one row a cell; no row: nothing ever happened there
    course_id INTEGER NOT NULL, assignment_id INTEGER NOT NULL, learner_id INTEGER NOT NULL,
    state TEXT NOT NULL,                   -- graded, submitted, missing, excused, none
    points REAL,                           -- as entered, before any deduction; NULL: no grade
    points_deducted REAL NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,    -- number of the newest attempt, from 1; 0: none
    submitted_at INTEGER, graded_at INTEGER,
    is_posted INTEGER NOT NULL DEFAULT 1, posted_at INTEGER,
    excused INTEGER NOT NULL DEFAULT 0,    -- Moodle: excluded (may still hold points)
    overridden INTEGER NOT NULL DEFAULT 0, -- 1: override_points is a teacher's own number
    override_points REAL,
    hidden INTEGER NOT NULL DEFAULT 0,     -- Moodle: this one cell is hidden
    locked INTEGER NOT NULL DEFAULT 0,     -- Moodle: nobody may change it
    grader_id INTEGER,                     -- NULL: nobody or a machine; negative: an LTI tool
    updated_at INTEGER NOT NULL, comment TEXT NOT NULL DEFAULT '',
    late_policy_status TEXT,               -- Canvas: late, missing, extended or none, as told
    seconds_late_override INTEGER,         -- Canvas: goes with late
    PRIMARY KEY (assignment_id, learner_id)
) WITHOUT ROWID;
CREATE INDEX grades_course ON grades (course_id, learner_id);
CREATE TABLE attempts (                    -- number from 1, oldest first
    assignment_id INTEGER, learner_id INTEGER, number INTEGER,
    submitted_at INTEGER, points REAL, graded_at INTEGER,
    PRIMARY KEY (assignment_id, learner_id, number)
) WITHOUT ROWID;
CREATE TABLE criterion_points (            -- of the newest attempt
    assignment_id INTEGER, learner_id INTEGER, criterion_id TEXT, points REAL,
    PRIMARY KEY (assignment_id, learner_id, criterion_id)
) WITHOUT ROWID;
CREATE TABLE unassigned (                  -- Canvas: learners whom an assignment is not given to
    assignment_id INTEGER, learner_id INTEGER, PRIMARY KEY (assignment_id, learner_id)
) WITHOUT ROWID;
CREATE TABLE line_items (                  -- AGS line items that tools made; ids are never reused
    id INTEGER PRIMARY KEY AUTOINCREMENT, course_id INTEGER NOT NULL,
    assignment_id INTEGER,                 -- Canvas: the assignment made for it
    label TEXT NOT NULL, maximum REAL NOT NULL,
    resource_id TEXT NOT NULL DEFAULT '', tag TEXT NOT NULL DEFAULT '',
    resource_link_id TEXT NOT NULL DEFAULT '',
    client_id TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    extra TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX line_items_course ON line_items (course_id);
CREATE TABLE ags_scores (                  -- the last score of a tool (or a teacher) in a cell
    line_item_id INTEGER NOT NULL, user_id INTEGER NOT NULL,
    score REAL,                            -- in line item points; NULL: emptied
    maximum REAL, comment TEXT NOT NULL DEFAULT '',
    timestamp INTEGER NOT NULL, timestamp_micros INTEGER NOT NULL DEFAULT 0,
    by_tool INTEGER NOT NULL DEFAULT 1, extra TEXT NOT NULL DEFAULT '{}',
    PRIMARY KEY (line_item_id, user_id)
) WITHOUT ROWID;
CREATE TABLE columns (                     -- Canvas: custom gradebook columns
    id INTEGER PRIMARY KEY, course_id INTEGER NOT NULL, title TEXT NOT NULL,
    position INTEGER NOT NULL, hidden INTEGER NOT NULL DEFAULT 0,
    read_only INTEGER NOT NULL DEFAULT 0, teacher_notes INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'active'
);
CREATE TABLE column_data (
    column_id INTEGER, user_id INTEGER, content TEXT NOT NULL, updated_at INTEGER,
    PRIMARY KEY (column_id, user_id)
) WITHOUT ROWID;
CREATE TABLE progress (                    -- Canvas: background work
    id INTEGER PRIMARY KEY, tag TEXT NOT NULL, state TEXT NOT NULL, completion REAL NOT NULL,
    message TEXT, created_at INTEGER NOT NULL, ready_at INTEGER NOT NULL,
    context_id INTEGER, work TEXT NOT NULL DEFAULT '{}', results TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE tokens (
    token TEXT PRIMARY KEY, kind TEXT NOT NULL,  -- rest, lti
    scopes TEXT NOT NULL DEFAULT '', person_id INTEGER, client_id TEXT NOT NULL DEFAULT '',
    expires_at INTEGER                     -- NULL: never
);
CREATE TABLE launches (
    hint TEXT PRIMARY KEY, user_id INTEGER NOT NULL, course_id INTEGER NOT NULL,
    role TEXT NOT NULL, created_at INTEGER NOT NULL, used_at INTEGER, nonce TEXT,
    extra TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE assertions (                  -- jti of token requests already seen
    jti TEXT PRIMARY KEY, expires_at INTEGER NOT NULL
);
CREATE TABLE cache (key TEXT PRIMARY KEY, value TEXT NOT NULL, fetched_at INTEGER NOT NULL);
"""
