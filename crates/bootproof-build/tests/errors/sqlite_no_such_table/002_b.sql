/* both
   tables */ UPDATE ordres SET note = NULL;
