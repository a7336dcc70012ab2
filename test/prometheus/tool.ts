import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

/** The Debian package of each. */
const PACKAGES = {
  prometheus: 'prometheus',
  promtool: 'prometheus',
  amtool: 'prometheus-alertmanager',
}

/** False when the command is installed, or why a test that needs it is skipped. */
export function missingTool(name: keyof typeof PACKAGES): string | false {
  const found = (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
  return found ? false : `${name} is not installed (apt-get install ${PACKAGES[name]})`
}

/** Runs a checking tool; resolves with what it printed. @throws Error with that when it found fault. */
export async function runTool(name: keyof typeof PACKAGES, args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(name, args)
    return stdout + stderr
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${name} ${args.join(' ')}:\n${stdout}${stderr}`, { cause: error })
  }
}
