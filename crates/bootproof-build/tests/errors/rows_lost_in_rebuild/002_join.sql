CREATE TABLE new_member(id INTEGER PRIMARY KEY, team_id INTEGER REFERENCES team(id), name TEXT NOT NULL, team TEXT);
INSERT INTO new_member(id, team_id, name, team)
SELECT member.id, member.team_id, member.name, team.name FROM member JOIN team ON team.id = member.team_id;
DROP TABLE member;
ALTER TABLE new_member RENAME TO member;
