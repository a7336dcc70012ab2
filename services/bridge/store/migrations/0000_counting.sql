CREATE TABLE `baselines` (
	`stream` text NOT NULL,
	`column` text NOT NULL,
	`value` integer NOT NULL,
	PRIMARY KEY(`stream`, `column`),
	CONSTRAINT "baselines_exact" CHECK(typeof("baselines"."value") = 'integer')
);
--> statement-breakpoint
CREATE TABLE `dead_letters` (
	`id` integer PRIMARY KEY NOT NULL,
	`topic` text NOT NULL,
	`partition` integer NOT NULL,
	`incarnation` integer NOT NULL,
	`offset` integer NOT NULL,
	`records` integer NOT NULL,
	`reason` text NOT NULL,
	`detail` text NOT NULL,
	`timestamp_ms` integer NOT NULL,
	`key` blob,
	`value` blob,
	`value_bytes` integer NOT NULL,
	`hash` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `dead_letters_by_record` ON `dead_letters` (`topic`,`partition`,`offset`);--> statement-breakpoint
CREATE TABLE `evictions` (
	`topic` text PRIMARY KEY NOT NULL,
	`letters` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `late_minutes` (
	`stream` text NOT NULL,
	`minute_ms` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	PRIMARY KEY(`stream`, `minute_ms`)
);
--> statement-breakpoint
CREATE TABLE `meta` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `minutes` (
	`stream` text NOT NULL,
	`minute_ms` integer NOT NULL,
	`column` text NOT NULL,
	`partition` integer NOT NULL,
	`value` integer NOT NULL,
	PRIMARY KEY(`stream`, `minute_ms`, `column`, `partition`),
	CONSTRAINT "minutes_exact" CHECK(typeof("minutes"."value") = 'integer')
);
--> statement-breakpoint
CREATE TABLE `partitions` (
	`topic` text NOT NULL,
	`partition` integer NOT NULL,
	`incarnation` integer NOT NULL,
	`topic_id` text,
	`stream` text NOT NULL,
	`start` integer NOT NULL,
	`position` integer NOT NULL,
	`accepted` integer DEFAULT 0 NOT NULL,
	`rejected` integer DEFAULT 0 NOT NULL,
	`duplicate` integer DEFAULT 0 NOT NULL,
	`undelivered` integer DEFAULT 0 NOT NULL,
	`skipped` integer DEFAULT 0 NOT NULL,
	`lost` integer DEFAULT 0 NOT NULL,
	`recovered` integer DEFAULT 0 NOT NULL,
	`fingerprint_offset` integer,
	`fingerprint_hash` text,
	`previous_time_ms` integer DEFAULT 0 NOT NULL,
	`max_time_ms` integer DEFAULT -1 NOT NULL,
	PRIMARY KEY(`topic`, `partition`, `incarnation`)
);
--> statement-breakpoint
CREATE TABLE `pending_days` (
	`stream` text NOT NULL,
	`day_ms` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	PRIMARY KEY(`stream`, `day_ms`)
);
--> statement-breakpoint
CREATE TABLE `rejections` (
	`topic` text NOT NULL,
	`reason` text NOT NULL,
	`records` integer NOT NULL,
	PRIMARY KEY(`topic`, `reason`)
);
--> statement-breakpoint
CREATE TABLE `revisions` (
	`stream` text NOT NULL,
	`minute_ms` integer NOT NULL,
	`revision` integer NOT NULL,
	PRIMARY KEY(`stream`, `minute_ms`)
);
--> statement-breakpoint
CREATE TABLE `series` (
	`measure` text NOT NULL,
	`labels` text NOT NULL,
	`partition` integer NOT NULL,
	`value` integer NOT NULL,
	PRIMARY KEY(`measure`, `labels`, `partition`),
	CONSTRAINT "series_exact" CHECK(typeof("series"."value") = 'integer')
);
--> statement-breakpoint
CREATE TABLE `sources` (
	`topic` text NOT NULL,
	`partition` integer NOT NULL,
	`incarnation` integer NOT NULL,
	`source` text NOT NULL,
	`last` integer NOT NULL,
	`gaps` text NOT NULL,
	`seen` integer NOT NULL,
	PRIMARY KEY(`topic`, `partition`, `incarnation`, `source`)
);
--> statement-breakpoint
CREATE TABLE `streams` (
	`stream` text PRIMARY KEY NOT NULL,
	`first_minute_ms` integer NOT NULL,
	`closed_minute_ms` integer DEFAULT -1 NOT NULL,
	`sealed_before_ms` integer DEFAULT 0 NOT NULL,
	`late` integer DEFAULT 0 NOT NULL,
	`future` integer DEFAULT 0 NOT NULL,
	`too_late` integer DEFAULT 0 NOT NULL
);
