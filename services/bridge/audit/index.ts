export { type AuditReport, audit } from './audit.ts'
export { INVARIANTS } from './invariants.ts'
export type { ColumnAccount, Difference, Note, PartitionAccount } from './report.ts'
export type { ShopFigures } from './shop.ts'
