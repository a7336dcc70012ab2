import { spawnSync } from 'node:child_process'

/**
 * Mounts of its own, so that none is left behind, and process ids of its own, so that no process is: the kernel
 * takes both away with the first process in it, however that ends.
 */
const OPTIONS = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
const WAYS = [
  ['unshare', ...OPTIONS],
  ['unshare', '--map-root-user', ...OPTIONS],
  ['sudo', '-n', '-E', 'unshare', ...OPTIONS],
]

/** The command that runs another one where it may mount; undefined where this user may not. */
export function mountingCommand(): string[] | undefined {
  return WAYS.find(([command = '', ...args]) => {
    const probe = ['sh', '-c', 'mount -t tmpfs torture /mnt']
    return spawnSync(command, [...args, ...probe]).status === 0
  })
}
