CREATE TABLE `outbox_sent` (
	`id` integer PRIMARY KEY NOT NULL,
	`topic` text NOT NULL,
	`key` text,
	`value` text NOT NULL,
	`event_time` integer NOT NULL,
	`partition` integer NOT NULL,
	`source` text NOT NULL,
	`sequence` integer NOT NULL,
	`previous` text,
	`acknowledged_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `__new_outbox_sequences` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`topic` text NOT NULL,
	`partition` integer NOT NULL,
	`source` text NOT NULL,
	`sequence` integer NOT NULL
);
--> statement-breakpoint
INSERT INTO `__new_outbox_sequences`(`topic`, `partition`, `source`, `sequence`) SELECT `topic`, `partition`, `source`, `sequence` FROM `outbox_sequences`;--> statement-breakpoint
DROP TABLE `outbox_sequences`;--> statement-breakpoint
ALTER TABLE `__new_outbox_sequences` RENAME TO `outbox_sequences`;--> statement-breakpoint
CREATE UNIQUE INDEX `outbox_sequences_source` ON `outbox_sequences` (`topic`,`partition`,`source`);--> statement-breakpoint
ALTER TABLE `outbox_set_aside` ADD `source` text;--> statement-breakpoint
ALTER TABLE `outbox_set_aside` ADD `sequence` integer;--> statement-breakpoint
ALTER TABLE `outbox_set_aside` ADD `previous` text;