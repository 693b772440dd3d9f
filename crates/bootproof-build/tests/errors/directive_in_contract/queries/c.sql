SELECT id FROM orders WHERE customer = :customer AND date(placed) = :day;
