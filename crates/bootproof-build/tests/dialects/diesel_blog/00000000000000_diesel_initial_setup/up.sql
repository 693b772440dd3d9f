-- This file was made by hand, to be sure that the directory is in version control
CREATE TABLE settings (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);
