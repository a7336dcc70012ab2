import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const POM = join(import.meta.dirname, 'pom.xml')
/** What tests download; git ignores it. */
export const CACHE = join(import.meta.dirname, '.cache')
const JAVA_AT_LEAST = 17
const DOWNLOAD_TIMEOUT_MS = 300_000

/** The version of Apache Kafka that pom.xml names. */
export const KAFKA_VERSION = /<kafka.version>([^<]+)</.exec(readFileSync(POM, 'utf8'))?.[1] ?? ''

const JARS = join(CACHE, `kafka-${KAFKA_VERSION}`)

/** Why Apache Kafka cannot run on this machine; undefined when it can. */
export function missingForKafka(): string | undefined {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' })
  const major = Number(/version "(\d+)/.exec(java.stderr ?? '')?.[1] ?? 0)
  if (major < JAVA_AT_LEAST) {
    const found = major ? `Java ${major}` : 'no Java'
    return `Apache Kafka needs Java ${JAVA_AT_LEAST} or later, and there is ${found}`
  }
  if (spawnSync('openssl', ['version']).error) return 'the TLS listener needs openssl'
  if (!existsSync(JARS) && spawnSync('mvn', ['-version']).error) {
    return 'fetching Apache Kafka needs Maven (mvn)'
  }
  return undefined
}

/** The class path that holds Kafka and its tools; fetched by Maven the first time. */
export async function kafkaClassPath(): Promise<string> {
  if (!existsSync(JARS)) await fetchJars()
  return join(JARS, '*')
}

/** Fetched beside and renamed, so that two processes at once, or an interrupted one, leave no half folder. */
async function fetchJars() {
  const unfinished = `${JARS}.${process.pid}`
  mkdirSync(unfinished, { recursive: true })
  try {
    await promisify(execFile)(
      'mvn',
      [
        '--batch-mode',
        '--quiet',
        `--file=${POM}`,
        'dependency:copy-dependencies',
        '-DincludeScope=runtime',
        `-DoutputDirectory=${unfinished}`,
      ],
      { timeout: DOWNLOAD_TIMEOUT_MS },
    )
    if (!existsSync(JARS)) renameSync(unfinished, JARS)
  } catch (error) {
    const { stdout, message } = error as Error & { stdout?: string }
    throw new Error(`Maven could not fetch Apache Kafka: ${stdout || message}`)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
}
