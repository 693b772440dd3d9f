-- A value of any type.
-- bootproof: index idx_person_name
-- bootproof: budget 20 ms
SELECT id, extra FROM person WHERE extra = :extra AND name = :name AND salary >= :salary AND photo IS NOT :photo
  AND is_active = :is_active;
