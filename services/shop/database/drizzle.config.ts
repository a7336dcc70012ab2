import { defineConfig } from 'drizzle-kit'

/** For `npm run migrations:shop`, which writes the next migration from schema.ts. */
export default defineConfig({
  dialect: 'sqlite',
  schema: 'services/shop/database/schema.ts',
  out: 'services/shop/database/migrations',
})
