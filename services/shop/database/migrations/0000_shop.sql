CREATE TABLE `order_forms` (
	`token` text PRIMARY KEY NOT NULL,
	`order_id` integer NOT NULL,
	FOREIGN KEY (`order_id`) REFERENCES `orders`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `orders` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`customer_email` text NOT NULL,
	`amount` integer NOT NULL,
	`total_price` integer NOT NULL,
	`is_prepaid` integer NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `outbox` (
	`id` integer PRIMARY KEY NOT NULL,
	`topic` text NOT NULL,
	`key` text,
	`value` text NOT NULL,
	`event_time` integer NOT NULL,
	`partition` integer,
	`source` text,
	`sequence` integer,
	`previous` text
);
--> statement-breakpoint
CREATE INDEX `outbox_topic` ON `outbox` (`topic`);--> statement-breakpoint
CREATE TABLE `outbox_sequences` (
	`topic` text NOT NULL,
	`partition` integer NOT NULL,
	`source` text NOT NULL,
	`sequence` integer NOT NULL,
	PRIMARY KEY(`topic`, `partition`)
);
--> statement-breakpoint
CREATE TABLE `outbox_set_aside` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`topic` text NOT NULL,
	`partition` integer NOT NULL,
	`key` text,
	`value` text NOT NULL,
	`event_time` integer NOT NULL,
	`error` text NOT NULL,
	`set_aside_at` integer NOT NULL
);
