-- bootproof: no-transaction "larger pages"
VACUUM;
UPDATE orders SET nte = 'x';
