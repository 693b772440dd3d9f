CREATE TABLE likes(post_id REFERENCES pots(id));
