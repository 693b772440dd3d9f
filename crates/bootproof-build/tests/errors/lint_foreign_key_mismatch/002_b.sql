CREATE UNIQUE INDEX users_email ON users(email);
CREATE TABLE places(country TEXT, city TEXT, PRIMARY KEY (country, city));
CREATE TABLE visits(city TEXT REFERENCES places, year INTEGER);
