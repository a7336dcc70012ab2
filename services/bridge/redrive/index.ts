export { type AskOptions, askToRedrive } from './ask.ts'
export { createRedrive, MAX_LETTERS, type Outcome, type Redriving } from './redrive.ts'
export { createRedriveRoute } from './route.ts'
export { makeToken } from './token.ts'
