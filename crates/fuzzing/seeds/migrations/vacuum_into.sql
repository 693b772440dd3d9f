VACUUM INTO 'escaped.db';
