-- Which platform this database is: all its serving processes say so, and a ring of platforms is recognised by it.
CREATE TABLE platform (
  instance uuid NOT NULL DEFAULT gen_random_uuid(),
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one)
);
INSERT INTO platform DEFAULT VALUES;
