import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Asset = { path: string; contentType: string; body: string }

/** The path carries the content's hash, so browsers may keep what they have. */
function readAsset(name: string, extension: string, contentType: string): Asset {
  const body = readFileSync(join(import.meta.dirname, `${name}.${extension}`), 'utf8')
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 10)
  return { path: `/assets/${name}-${hash}.${extension}`, contentType, body }
}

export const STYLE = readAsset('style', 'css', 'text/css; charset=utf-8')
export const ICON = readAsset('icon', 'svg', 'image/svg+xml')
