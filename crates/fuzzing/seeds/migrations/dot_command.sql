.import escaped.csv t

