/** Ctrl-C or a request to terminate: once, what is at hand is finished; twice, out at once. */
import { ExitCode } from '../errors.js';
import { note } from './output.js';

export class Interruption {
  readonly #controller = new AbortController();
  exitCode: ExitCode = ExitCode.ok;

  /**
   * @param promise what is done at the first signal
   * @param clearProgress takes the progress bar away, and shows the cursor again
   */
  constructor(
    private readonly promise: string,
    private readonly clearProgress: () => void,
  ) {
    process.on('SIGINT', this.#interrupt);
    process.on('SIGTERM', this.#terminate);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  release(): void {
    process.off('SIGINT', this.#interrupt);
    process.off('SIGTERM', this.#terminate);
  }

  #interrupt = () => this.#stop(ExitCode.interrupted);
  #terminate = () => this.#stop(ExitCode.terminated);

  #stop(exitCode: ExitCode): void {
    this.exitCode = exitCode;
    this.clearProgress();
    if (this.signal.aborted) process.exit(exitCode);
    this.#controller.abort();
    note(`${this.promise}; again to stop at once`);
  }
}
