/** Handles Ctrl-C and termination: the first finishes the current step, the second exits. */
import { ExitCode } from '../errors.js';
import { note } from './output.js';

export class Interruption {
  readonly #controller = new AbortController();
  readonly #promise: string;
  readonly #clearProgress: () => void;
  exitCode: ExitCode = ExitCode.ok;

  /**
   * @param promise what the first signal does, for the user
   * @param clearProgress removes the progress bar and shows the cursor again
   */
  constructor(promise: string, clearProgress: () => void) {
    this.#promise = promise;
    this.#clearProgress = clearProgress;
  }

  /** Handles signals until `release` is called. */
  listen(): void {
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
    this.#clearProgress();
    if (this.signal.aborted) process.exit(exitCode);
    this.#controller.abort();
    note(`${this.#promise}; again to stop at once`);
  }
}
