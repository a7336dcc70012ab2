CREATE TABLE `definitions` (
	`stream` text NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`meaning` text NOT NULL,
	`events_before` integer DEFAULT 0 NOT NULL,
	`removed` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`stream`, `kind`, `name`)
);
--> statement-breakpoint
ALTER TABLE `dead_letters` ADD `redriven_ms` integer;--> statement-breakpoint
ALTER TABLE `dead_letters` ADD `redrive_error` text;--> statement-breakpoint
ALTER TABLE `partitions` ADD `redriven` integer DEFAULT 0 NOT NULL;