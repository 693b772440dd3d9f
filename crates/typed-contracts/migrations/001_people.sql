CREATE TABLE person(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    email VARCHAR(100),
    born DATE,
    is_active BOOLEAN NOT NULL DEFAULT 1,
    salary DECIMAL(10, 2),
    photo BLOB,
    extra,
    price MONEY,
    type TEXT NOT NULL DEFAULT 'person'
);
CREATE INDEX idx_person_name ON person(name);

CREATE TABLE task(
    id INTEGER PRIMARY KEY,
    person_id INTEGER NOT NULL REFERENCES person(id),
    title TEXT NOT NULL,
    seconds INTEGER NOT NULL,
    ratio REAL
);
CREATE INDEX idx_task_person ON task(person_id);

CREATE VIEW person_task AS
SELECT person.name, task.title FROM person LEFT JOIN task ON task.person_id = person.id;
