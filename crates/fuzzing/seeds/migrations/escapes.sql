CREATE TABLE t(a);
ATTACH 'escaped.db' AS x;
VACUUM INTO 'escaped.db';
SELECT load_extension('escaped');
SELECT writefile('escaped.txt', 'a');
.import escaped.csv t
