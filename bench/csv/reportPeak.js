/** Preloaded into a process (node --import): when that ends, writes the most memory that it has taken to descriptor 3, in bytes. */
import { readFileSync, writeSync } from 'node:fs';
import { platform, resourceUsage } from 'node:process';
import { isMainThread } from 'node:worker_threads';

const REPORT = 3;

function peakBytes() {
  if (platform !== 'linux') return resourceUsage().maxRSS * 1024;
  // There maxRSS counts the parent too, whose memory is the child's until its own program is there.
  const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(kilobytes) * 1024;
}

// Threads are preloaded too, and end as well.
if (isMainThread) process.on('exit', () => writeSync(REPORT, String(peakBytes())));
