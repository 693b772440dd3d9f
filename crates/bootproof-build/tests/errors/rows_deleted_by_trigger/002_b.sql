UPDATE a SET name = lower(name) WHERE name IS NOT NULL;
