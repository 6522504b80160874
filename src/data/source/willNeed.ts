/** Tells the system which bytes of a file will be read, so that the disk fetches them meanwhile. */
import { createRequire } from 'node:module';

/** POSIX_FADV_WILLNEED */
const WILL_NEED = 3;

type Advise = (fd: number, offset: number, length: number, advice: number) => number;

let advise: Advise | undefined;

/** Does nothing where there is no such call. */
export function willNeed(fd: number, offset: number, length: number): void {
  advise ??= adviseOf();
  advise(fd, offset, length, WILL_NEED);
}

function adviseOf(): Advise {
  try {
    if (process.platform !== 'linux') return () => 0;
    const koffi: typeof import('koffi') = createRequire(import.meta.url)('koffi');
    return koffi.load(null).func('int posix_fadvise(int fd, int64_t offset, int64_t length, int advice)');
  } catch {
    return () => 0;
  }
}
