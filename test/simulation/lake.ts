import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ReferenceStream } from './reference-stream.ts'

type Manifest = {
  rows: number
  revision: number
  files: { path: string; sha256: string }[]
  positions: { partition: number; incarnation: number; position: number }[]
}

/** The lake as engines see it: its files, whole, and the manifests that name them. */
export class Lake {
  readonly #folder: string
  readonly #revisions = new Map<string, number>()

  constructor(folder: string) {
    this.#folder = join(folder, 'lake')
  }

  /** After all that pends was written: every file is the reference's, and its manifest tells the truth of it. */
  compare(reference: ReferenceStream) {
    const expected = new Map(
      [...reference.files()].map(([dayMs, csv]) => {
        const date = new Date(dayMs).toISOString().slice(0, 10)
        return [`csv/orders/dt=${date}/orders.csv`, csv]
      }),
    )
    const found = globSync('**/*.csv', { cwd: this.#folder }).sort()
    assert.deepEqual(found, [...expected.keys()].sort(), 'the files that are there')
    for (const [path, csv] of expected) {
      assert.equal(readFileSync(join(this.#folder, path), 'utf8'), csv, path)
      this.#manifest(path, csv, reference)
    }
  }

  #manifest(path: string, csv: string, reference: ReferenceStream) {
    const file = path.replace('csv/', 'manifests/').replace('orders.csv', 'manifest.json')
    const manifest = JSON.parse(readFileSync(join(this.#folder, file), 'utf8')) as Manifest
    const sha256 = createHash('sha256').update(csv).digest('hex')
    assert.deepEqual(manifest.files, [{ path, sha256 }], file)
    assert.equal(manifest.rows, csv.split('\n').length - 2, file)
    assert.ok(
      manifest.revision >= (this.#revisions.get(path) ?? 1),
      `the revision of ${file} went back`,
    )
    this.#revisions.set(path, manifest.revision)
    for (const { partition, incarnation, position } of manifest.positions) {
      assert.ok(position <= reference.folds.get(`${partition}/${incarnation}`)!.position, file)
    }
  }
}
