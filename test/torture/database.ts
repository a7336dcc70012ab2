import Database from 'better-sqlite3'

/** A database to look into, closed when its `using` scope ends. */
export function openDatabase(file: string) {
  const database = new Database(file, { readonly: true })
  return {
    all: <T>(query: string, ...values: string[]) => database.prepare(query).all(...values) as T[],
    [Symbol.dispose]: () => void database.close(),
  }
}
