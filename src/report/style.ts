/** Colours and size of the reader's terminal. Only `cli` looks at the process and passes them. */
import type { ChalkInstance } from 'chalk';

export type Paint = (text: string) => string;

/** One function per meaning. Each returns its text, with or without escape codes. */
export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly good: Paint;
  readonly bad: Paint;
  readonly warn: Paint;
  /** The two series of a chart. */
  readonly training: Paint;
  readonly validation: Paint;
}

export interface Display {
  /** Columns of the terminal; lines are not wider, if possible. */
  readonly width: number;
  readonly style: Style;
  /** True for a terminal without UTF-8: our own drawings then use ASCII only. */
  readonly ascii?: boolean;
}

const asIs: Paint = (text) => text;

/** Without colours: for pipes, logs, NO_COLOR and TERM=dumb. */
export const plainStyle: Style = {
  bold: asIs,
  dim: asIs,
  good: asIs,
  bad: asIs,
  warn: asIs,
  training: asIs,
  validation: asIs,
};

/**
 * A style from chalk, of which only the type is imported: without colours chalk is never loaded.
 * Blue and vermilion differ for any common colour blindness, with a contrast of at least 3.5
 * against black and against white.
 */
export function chalkStyle(chalk: ChalkInstance): Style {
  const manyColours = chalk.level >= 2;
  return {
    bold: chalk.bold,
    dim: chalk.dim,
    good: chalk.green,
    bad: chalk.red,
    warn: chalk.yellow,
    training: manyColours ? chalk.hex('#2080d0') : chalk.blueBright,
    validation: manyColours ? chalk.hex('#d96010') : chalk.yellow,
  };
}
