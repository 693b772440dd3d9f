CREATE VIRTUAL TABLE z USING zipfile('escaped.zip');
