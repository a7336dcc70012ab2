import type { SourceFile } from './sources.ts'

/** A rule about who may import what. A file it is about (`of`) and an import it is about (`to`) must be `allowed`. */
export type Rule = {
  reason: string
  of: RegExp
  to: RegExp
  allowed: (file: string, imported: string) => boolean
}

const ours = /^services\//
const packages = /^(?!services\/)/

/** The bridge's line: a room imports only rooms before it. */
const LINE = ['streams', 'codec', 'fold', 'store']

/** Where the audit begins. Through the rooms' public files it would get their codec and their fold along. */
const AUDIT_NEEDS =
  /^services\/bridge\/(streams\/index|store\/read-only|source\/inner-cluster)\.ts$/

const among = (pattern: RegExp) => (_: string, imported: string) => pattern.test(imported)
const never = () => false

export const RULES: Rule[] = [
  {
    reason: 'settings and runtime are the ground: they know each other and nothing above',
    of: /^services\/(settings|runtime)\//,
    to: ours,
    allowed: among(/^services\/(settings|runtime)\//),
  },
  {
    reason: 'the Kafka client stands on settings and runtime alone',
    of: /^services\/kafka\//,
    to: ours,
    allowed: among(/^services\/(settings|runtime|kafka)\//),
  },
  {
    reason:
      'services meet in Kafka or over HTTP, never in code; start spawns them and imports none',
    of: /^services\/(shop|broker|bridge|start)\//,
    to: ours,
    allowed: (file, imported) =>
      /^services\/(settings|runtime|kafka)\//.test(imported) ||
      serviceOf(imported) === serviceOf(file),
  },
  {
    reason: 'services know nothing of tests, benchmarks and what is provisioned',
    of: ours,
    to: /^(test|bench|grafana|prometheus|docs)\//,
    allowed: never,
  },
  {
    reason: 'the command line calls rooms by their public files',
    of: /^services\/commands\//,
    to: ours,
    allowed: among(
      /^services\/(settings|runtime|kafka|commands)\/|^services\/bridge\/[a-z]+\/index\.ts$|^services\/shop\/[a-z-]+\.ts$|^services\/bridge\/source\/raw-batches\.ts$/,
    ),
  },
  {
    reason: 'nothing but a person calls the command line',
    of: ours,
    to: /^services\/commands\//,
    allowed: (file) => serviceOf(file) === 'commands',
  },
  {
    reason: 'only a process starts at main.ts; nothing imports it',
    of: ours,
    to: /\/main\.ts$/,
    allowed: never,
  },
  {
    reason: 'kafkajs stays behind the client, the source, the relay and the audit',
    of: ours,
    to: /^kafkajs$/,
    allowed: (file) => /^services\/(kafka|bridge\/(source|audit)|shop\/outbox)\//.test(file),
  },
  {
    reason: 'the database is opened in the rooms that keep state, and for the folder lock',
    of: ours,
    to: /^better-sqlite3$/,
    allowed: (file) => /\/(store|database)\//.test(file) || file === 'services/runtime/lock.ts',
  },
  {
    reason: 'queries stay in the rooms that keep state',
    of: ours,
    to: /^drizzle-orm$/,
    allowed: (file) =>
      /^services\/(bridge\/store\/|shop\/(database|order|outbox)\/|shop\/figures\.ts$)/.test(file),
  },
  {
    reason: 'a stream definition is data: it needs a validator and its own room, nothing else',
    of: /^services\/bridge\/streams\//,
    to: /./,
    allowed: among(/^(arktype|services\/bridge\/streams\/.*)$/),
  },
  {
    reason: 'the fold is pure: no Kafka, no database, no files, no network, no clock of its own',
    of: /^services\/bridge\/fold\//,
    to: packages,
    allowed: among(/^(node:crypto|node:buffer|arktype)$/),
  },
  {
    reason: 'imports go one way: streams ← codec ← fold ← store ← the rest',
    of: /^services\/bridge\/(streams|codec|fold|store)\//,
    to: /^services\/bridge\//,
    allowed: (file, imported) => {
      const place = LINE.indexOf(roomOf(imported))
      return place >= 0 && place <= LINE.indexOf(roomOf(file))
    },
  },
  {
    reason: 'expose and rollup never meet: both read the store',
    of: /^services\/bridge\/(expose|rollup)\//,
    to: /^services\/bridge\//,
    allowed: (file, imported) =>
      LINE.includes(roomOf(imported)) || roomOf(imported) === roomOf(file),
  },
  {
    reason: 'the source brings records and knows nothing of what they are kept in or shown by',
    of: /^services\/bridge\/source\//,
    to: /^services\/bridge\//,
    allowed: (file, imported) =>
      ['streams', 'codec', 'fold'].includes(roomOf(imported)) || roomOf(imported) === roomOf(file),
  },
  {
    reason: 'the intake counts what the source brings into the store, and shows nothing itself',
    of: /^services\/bridge\/intake\//,
    to: /^services\/bridge\//,
    allowed: (file, imported) =>
      [...LINE, 'source'].includes(roomOf(imported)) || roomOf(imported) === roomOf(file),
  },
  {
    reason:
      'the audit shares the definitions with what it checks, and no code: it reads the store as anybody would',
    of: /^services\/bridge\/audit\//,
    to: /^services\/bridge\//,
    allowed: (file, imported) => roomOf(imported) === roomOf(file) || AUDIT_NEEDS.test(imported),
  },
  {
    reason: 'redriving reads, judges and counts in turn with the intake, and shows nothing itself',
    of: /^services\/bridge\/redrive\//,
    to: /^services\/bridge\//,
    allowed: (file, imported) =>
      [...LINE, 'source', 'intake'].includes(roomOf(imported)) || roomOf(imported) === roomOf(file),
  },
  {
    reason: 'a rebuild counts by the same rooms as the bridge, and shows nothing itself',
    of: /^services\/bridge\/rebuild\//,
    to: /^services\/bridge\//,
    allowed: (file, imported) =>
      [...LINE, 'source', 'intake', 'rollup', 'streams-known.ts'].includes(roomOf(imported)) ||
      roomOf(imported) === roomOf(file),
  },
  {
    reason: 'a room of the bridge is entered by its one public file, index.ts',
    of: /^services\/bridge\//,
    to: /^services\/bridge\/[^/]+\//,
    allowed: (file, imported) =>
      roomOf(imported) === roomOf(file) ||
      /^services\/bridge\/[^/]+\/index\.ts$/.test(imported) ||
      // Replaces a module of kafkajs, so a process has to import it before anything else.
      imported === 'services/bridge/source/raw-batches.ts' ||
      (roomOf(file) === 'audit' && AUDIT_NEEDS.test(imported)),
  },
]

/** One line for each import that breaks a rule: the file, what it imports, and why not. */
export function violations(files: Pick<SourceFile, 'path' | 'imports'>[]): string[] {
  return files.flatMap(({ path, imports }) =>
    imports.flatMap((imported) =>
      RULES.filter(
        (rule) => rule.of.test(path) && rule.to.test(imported) && !rule.allowed(path, imported),
      ).map((rule) => `${path} imports ${imported}: ${rule.reason}`),
    ),
  )
}

/** `services/bridge/fold/fold.ts` → `bridge` */
function serviceOf(path: string): string {
  return path.split('/')[1] ?? ''
}

/** `services/bridge/fold/fold.ts` → `fold` */
function roomOf(path: string): string {
  return path.split('/')[2] ?? ''
}
