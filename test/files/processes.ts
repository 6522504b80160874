/** Processes for the tests of what they leave behind. */
import { spawnSync } from 'node:child_process';

/** The PID of a process that was there a moment ago. */
export function endedPid(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}
