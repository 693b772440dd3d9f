SELECT writefile('escaped.txt', 'a'), readfile('/etc/passwd');
