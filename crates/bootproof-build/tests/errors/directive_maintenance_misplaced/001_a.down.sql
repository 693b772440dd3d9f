-- bootproof: maintenance "all orders are lost"
DROP TABLE orders;
