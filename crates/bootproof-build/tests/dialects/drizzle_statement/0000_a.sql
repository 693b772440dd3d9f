CREATE TABLE a(x)
--> statement-breakpoint
CREATE TABLE b(x
--> statement-breakpoint
CREATE TABLE c(x);
