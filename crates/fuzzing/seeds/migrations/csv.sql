CREATE VIRTUAL TABLE z USING csv(filename='/etc/passwd');
