ALTER TABLE `lists` ADD `color` text DEFAULT 'grün' NOT NULL;
--> statement-breakpoint
