ATTACH 'other.db' AS other;
ATTACH 'other' || '.db' AS other;
DETACH other;
