-- bootproof: no-transaction
VACUUM;
