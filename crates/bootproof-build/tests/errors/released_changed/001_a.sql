-- A comment is part of it.
CREATE TABLE a(x);
