-- bootproof: allow nothing
SELECT 1;
