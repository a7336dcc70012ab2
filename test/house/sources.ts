import { globSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')

export type SourceFile = {
  /** From the repository's root, such as `services/shop/main.ts`. */
  path: string
  text: string
  /** Each import: a path from the root for our own files, else the package (`node:fs`, `drizzle-orm`). */
  imports: string[]
}

/** Static imports and re-exports, imports for their effects, and dynamic ones. */
const IMPORT = /(?:^|[\s;}])(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g

/** All our TypeScript below `folder`. */
export function readSources(folder: string): SourceFile[] {
  return globSync(`${folder}/**/*.ts`, { cwd: ROOT, exclude: ['**/*.d.ts', '**/migrations/**'] })
    .sort()
    .map((path) => {
      const text = readFileSync(join(ROOT, path), 'utf8')
      return { path, text, imports: importsOf(path, text) }
    })
}

export function importsOf(path: string, text: string): string[] {
  return Array.from(text.matchAll(IMPORT), ([, name = '']) =>
    name.startsWith('.') ? join(dirname(path), name) : packageOf(name),
  )
}

function packageOf(name: string): string {
  if (name.startsWith('node:')) return name
  const parts = name.split('/')
  return parts.slice(0, name.startsWith('@') ? 2 : 1).join('/')
}
