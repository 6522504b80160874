/** Tells how far the reading of data has come, where it takes long enough to be asked about. */
import type { LoadOptions } from '../data/dataset/loadDataset.js';
import type { ReadingProgress } from '../report/readingProgress.js';
import { printable } from '../text.js';
import { displayOf, isAnimated } from './terminal.js';

/** What takes less than this is over before it is looked at. */
const PATIENCE_MILLISECONDS = 1000;

/** Calls `read` with a progress that draws a bar on a terminal, after a second, and is silent elsewhere. */
export async function withReadingProgress<Result>(
  options: { color: boolean; json?: boolean },
  read: (progress: NonNullable<LoadOptions['progress']>) => Promise<Result>,
): Promise<Result> {
  const bar = new ReadingBar(options.color, !options.json && isAnimated(process.stderr));
  // It hides the cursor.
  process.once('exit', bar.finish);
  try {
    return await read(bar.progress);
  } finally {
    process.off('exit', bar.finish);
    bar.finish();
  }
}

class ReadingBar {
  readonly #start = performance.now();
  /** Not there before it is needed: its modules take a while to load. */
  #bar: ReadingProgress | undefined;
  #loading = false;
  #finished = false;

  constructor(
    private readonly color: boolean,
    private readonly animated: boolean,
  ) {}

  readonly progress = (file: string, done: number, total: number | undefined): void => {
    if (!this.animated || performance.now() - this.#start < PATIENCE_MILLISECONDS) return;
    this.#bar?.update({ file: printable(file), done, total });
    if (this.#loading) return;
    this.#loading = true;
    void this.#load();
  };

  readonly finish = (): void => {
    this.#finished = true;
    this.#bar?.finish();
  };

  async #load(): Promise<void> {
    const { ReadingProgress } = await import('../report/readingProgress.js');
    const display = await displayOf(process.stderr, this.color);
    if (!this.#finished) this.#bar = new ReadingProgress(process.stderr, display);
  }
}
