import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'sqlite',
  schema: './services/bridge/store/schema.ts',
  out: './services/bridge/store/migrations',
})
