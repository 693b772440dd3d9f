CREATE TABEL a(x);
-- bootproof: permit everything
