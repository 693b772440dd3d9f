-- bootproof: writes orders
UPDATE orders SET note = lower(note);
