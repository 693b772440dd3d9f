CREATE TABLE "t‮"(a);
CREATE INDEX "i*/" ON "t‮"(a);
CREATE TABLE "line
lineline"(a, "b⁦");
