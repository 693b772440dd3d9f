SELECT no_such_column; -- what is above is a warning
