-- ä ö ü, and a tab
CREATE TABLE größe(x,	order TEXT);
